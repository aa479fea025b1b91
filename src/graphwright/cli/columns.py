"""Lists for a terminal of 80 columns: a name with a sentence, and below it labels with what stands under them."""

from __future__ import annotations

import textwrap

_WIDTH, _INDENT = 80, 12


def wrapped(text: str, label: str = "") -> list[str]:
    """`text` in lines of 80 columns, behind `label` where there is one."""
    first, later = (f"  {label:<{_INDENT - 2}}", " " * _INDENT) if label else ("", "  ")
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
