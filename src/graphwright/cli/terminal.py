"""Text that is safe on a terminal: names and paths come from files, and may hold escape sequences."""

from __future__ import annotations

from rich.markup import escape


def printable(text: str) -> str:
    """`text` with each character that is not printed as Python writes it: an escape sequence becomes \\x1b[..."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def marked(text: object) -> str:
    """`text` for rich, which would take what stands in brackets for markup, and may be a path."""
    return escape(printable(str(text)))
