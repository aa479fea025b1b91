"""Text for rich and terminals."""

from __future__ import annotations

from rich.markup import escape

from graphwright.drawing.letters import printable


def marked(text: object) -> str:
    """`text` for rich, which would take what stands in brackets for markup, and may be a path."""
    return escape(printable(str(text)))
