"""Reading text: its encoding, and numbered lines."""

from __future__ import annotations

from collections.abc import Iterator

from graphwright.core import GraphError

_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def decode(data: bytes) -> str:
    """`data` as text whose lines end with a line feed: UTF-8, or what its byte order mark says.

    UTF-16 without a mark is known by the zero bytes between its letters. Raises GraphError, naming the line, where it
    is neither.
    """
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), _unmarked(data))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        told = f"line {line}: byte 0x{data[error.start]:02x} is not {encoding.upper().removesuffix('-SIG')} text"
        raise GraphError(f"{told}; save the file as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _unmarked(data: bytes) -> str:
    """The encoding of text without a byte order mark."""
    start = data[:256]
    if len(start) >= 4 and len(data) % 2 == 0:
        if not any(start[1::2]):
            return "utf-16-le"
        if not any(start[::2]):
            return "utf-16-be"
    return "utf-8"


def numbered_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, stripped, with their numbers from 1. Raises GraphError as `decode` does."""
    for number, line in enumerate(decode(data).split("\n"), start=1):
        if text := line.strip():
            yield number, text
