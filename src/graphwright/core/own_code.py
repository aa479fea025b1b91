"""Code of a user's own, which a name says where to find: `my_package.my_module:NAME`."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<name>\w+)")


def import_named(place: str, what: str) -> Any:
    """What stands at `place`, module:NAME; importing a module runs it. what: how errors call it ("problem").

    Raises ValueError where `place` is not written so or the module has no such name, ImportError where there is no such
    module or it raises; each in one line.
    """
    file, _, last = place.rpartition(":")
    if file.endswith(".py"):
        raise ValueError(f"{what} {place!r}: name the module, not its file: {Path(file).stem}:{last}")
    found = _PLACE.fullmatch(place)
    if found is None or any(part[0].isdigit() for part in re.split("[.:]", place)):
        raise ValueError(f"{what} {place!r}: write it as module:NAME, such as my_module:MY_{what.upper()}")
    module, name = found["module"], found["name"]
    try:
        imported = import_module(module)
    except (Exception, SystemExit) as error:
        raise ImportError(f"{what} {place!r}: {_why(module, error)}") from error
    if not hasattr(imported, name):
        raise ValueError(f"{what} {place!r}: {module} ({_file(imported)}) has nothing of the name {name}")
    return getattr(imported, name)


def in_one_line(error: BaseException) -> str:
    """What such code raised, and of which kind it is where that is not said to users."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"


def _why(module: str, error: BaseException) -> str:
    """Why a module could not be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name is not None and f"{module}.".startswith(f"{error.name}."):
        return f"there is no module {error.name!r} in the working directory or among what is installed"
    text = " ".join(str(error).split()) or "no reason given"
    return f"importing {module} fails with {type(error).__name__}: {text}"


def _file(module: Any) -> str:
    return getattr(module, "__file__", None) or "built into Python"
