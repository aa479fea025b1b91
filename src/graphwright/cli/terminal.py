"""Text and tables for terminals."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from graphwright.core.numbers import to_plain_json
from graphwright.drawing.letters import printable

_WIDTH, _INDENT = 80, 12


def wrapped(text: str, label: str = "") -> list[str]:
    """`text` in lines of 80 columns, behind `label` where there is one."""
    first, later = (f"  {label:<{_INDENT - 2}}", " " * _INDENT) if label else ("", "  ")
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)


def marked(text: object) -> str:
    """`text` for rich, which would take what stands in brackets for markup, and may be a path."""
    return escape(printable(str(text)))


def empty_table(title: str | None, headings: Iterable[str], left: str | None = None) -> Table:
    """A table without rows. left: the heading of the column of names; all others are of numbers, and end flush."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="left" if heading == left else "right", overflow="fold")
    return table


def print_found(document: Mapping[str, Any], table: Table, as_json: bool, column_width: int = 0) -> None:
    """Print one of both. column_width: characters that a column takes in the mean, which a terminal that is narrower
    wraps, so that it never breaks a number.
    """
    if as_json:
        print(to_plain_json(document, indent=2))
    else:
        Console(width=max(Console().width, column_width * len(table.columns))).print(table)
