"""`graphwright new problem NAME`."""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import tyro

from graphwright.cli.outputs import require_folder
from graphwright.core.files import write_atomically
from graphwright.envs.registry import PROBLEMS
from graphwright.training.config import ConfigError


@dataclass(frozen=True)
class New:
    """Write a folder to start a problem of your own from: its environment, a test and a page."""

    what: Annotated[tyro.conf.Positional[Literal["problem"]], tyro.conf.arg(metavar="problem")]
    """What to begin."""
    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """Name of the problem, in letters, digits and hyphens; the folder is called so too."""
    folder: Path = Path()
    """Where the folder is made."""

    def run(self) -> None:
        """Write it, and say what to do next."""
        module = self.name.replace("-", "_").lower()
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*", self.name) is None or keyword.iskeyword(module):
            raise ConfigError(f"new problem {self.name}: take letters, digits and hyphens, such as bus-depots")
        place = self.folder / self.name
        if place.exists() or place.is_symlink():
            raise ConfigError(f"{place}: exists already; take another name, or another --folder")
        if module in sys.stdlib_module_names or find_spec(module) is not None:
            raise ConfigError(f"new problem {self.name}: {module} is another module's name, which would hide it")
        if module.replace("_", "-") in PROBLEMS:
            raise ConfigError(f"new problem {self.name}: is one of Graphwright's; take another name")
        words = {
            "MODULE": module,
            "CONSTANT": module.upper(),
            "CLASS": "".join(part.capitalize() for part in module.split("_")),
            "NAME": self.name,
        }
        require_folder("--folder", self.folder)
        place.mkdir(parents=True)
        for template in sorted(files("graphwright.cli").joinpath("templates", self.what).iterdir(), key=str):
            text = _filled(template.read_text(encoding="utf-8"), words)
            write_atomically(place / _filled(template.name.removesuffix(".txt"), words), text.encode())
        print(f"{place}: {module}.py, test_{module}.py, README.md")
        print(f"  cd {place}")
        print("  pip install pytest && pytest")
        print(f"  graphwright train {module}:{module.upper()} --run runs/first --seconds 60")


def _filled(text: str, words: dict[str, str]) -> str:
    """`text` with each of `words` in its place; a name of the template is a whole word, or the end of one."""
    return re.sub(r"(?<![A-Z])(MODULE|CONSTANT|CLASS|NAME)(?![A-Z])", lambda found: words[found[0]], text)
