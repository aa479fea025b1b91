"""Notebooks without a server: run from the top in this process, and turned into pages of the site.

    python docs/notebooks.py [FILE.ipynb ...]

runs the tutorials, each in an empty folder, and writes what their cells print and draw into them. A line
`!graphwright ...` is the command, with `> FILE` where its output goes into a file, and a cell `%%writefile FILE` is a
file, as in Jupyter.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TUTORIALS = Path(__file__).parent / "tutorials"


def run_cells(notebook: dict[str, Any], change: Callable[[str], str] = str) -> None:
    """Run the code cells one after the other in the working directory, and put what comes of each into it.

    change: what is done to the text of a cell before it is run. Raises what a cell raises.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    number = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            cell["outputs"], cell["execution_count"] = _outputs(change("".join(cell["source"])), names), number


def to_markdown(notebook: dict[str, Any], name: str) -> tuple[str, dict[str, bytes]]:
    """The page of a notebook, and its pictures by their file names, which begin with `name`."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```{_language(source)}\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                picture = f"{name}-{len(pictures) + 1}.png"
                pictures[picture] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![what the cell above draws]({picture})")
            else:
                text = "".join(output.get("text", data.get("text/plain", "")))
                parts.append(f"```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


def _language(source: str) -> str:
    if source.startswith("!"):
        return "sh"
    return "" if source.startswith("%%writefile") and not source.splitlines()[0].endswith(".py") else "python"


def _outputs(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """What a cell prints, and its last value."""
    if source.startswith("%%writefile "):
        first, _, text = source.partition("\n")
        path = Path(first.split(maxsplit=1)[1])
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        return [_stream(f"Writing {path}\n")]
    with _printed() as text:
        value = _run(source, names)
    outputs = [_stream(text.getvalue())] if text.getvalue() else []
    if value is not None:
        outputs.append(_result(value))
    return outputs


def _run(source: str, names: dict[str, Any]) -> Any:
    """The value of the last line, where it is an expression."""
    lines = [_command_line(line) if line.startswith("!") else line for line in source.splitlines()]
    tree = ast.parse("\n".join(lines))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names["_command"] = _command
    exec(compile(tree, "cell", "exec", dont_inherit=True), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval", dont_inherit=True), names)


def _command_line(line: str) -> str:
    return f"_command({line[1:].strip()!r})"


def _command(line: str) -> None:
    """Run a command of Graphwright in this process; one that fails ends the notebook."""
    from graphwright.cli.main import main

    words = shlex.split(line, comments=True)
    into = Path(words[words.index(">") + 1]) if ">" in words else None
    assert words[0] == "graphwright", line
    path = list(sys.path)
    with _printed() if into is not None else contextlib.nullcontext() as text:
        main(words[1 : words.index(">")] if into is not None else words[1:])
    sys.path[:] = path
    if into is not None:
        into.write_text(text.getvalue(), encoding="utf-8")


@contextlib.contextmanager
def _printed() -> Iterator[io.StringIO]:
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
        yield text


def _stream(text: str) -> dict[str, Any]:
    return {"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}


def _result(value: Any) -> dict[str, Any]:
    from matplotlib.figure import Figure

    if not isinstance(value, Figure):
        return {"data": {"text/plain": [repr(value)]}, "metadata": {}, "output_type": "display_data"}
    data = io.BytesIO()
    value.savefig(data, format="png", dpi=80, facecolor="white")
    picture = base64.b64encode(data.getvalue()).decode()
    return {"data": {"image/png": picture}, "metadata": {}, "output_type": "display_data"}


def main() -> None:
    """Run the notebooks that are named, or all tutorials."""
    here = Path.cwd()
    for path in [Path(each).resolve() for each in sys.argv[1:]] or sorted(TUTORIALS.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            run_cells(notebook)
            os.chdir(here)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
