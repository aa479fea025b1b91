"""Text that is safe to show: names and paths come from files, and may hold escape sequences."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with each character that is not printed as Python writes it: an escape sequence becomes \\x1b[..."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
