"""The bytes of a file, with memory bounded by its size: no device, no pipe, no archive that grows without end."""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path

from graphwright.core import GraphError

_FLOOR, _GROWTH = 1 << 20, 100
_GZIP = 16 + zlib.MAX_WBITS


def read_bytes(path: Path) -> bytes:
    """What is in the regular file at `path`, unpacked if its name ends with .gz.

    Nothing is waited for. Raises GraphError for anything but a file, for one that is empty, and as `unpack` does;
    OSError if it cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise GraphError("is a folder, a pipe or a device; name a file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read()
    finally:
        os.close(handle)
    if path.suffix.lower() == ".gz":
        data = unpack(data)
    if not data.strip():
        raise GraphError("is empty; write a graph into it")
    return data


def most_bytes(size: int) -> int:
    """How large what `size` packed bytes hold may be."""
    return max(_FLOOR, _GROWTH * size)


def unpack(data: bytes) -> bytes:
    """The content of gzip `data`. Raises GraphError if it is damaged, cut off, or more than `most_bytes`."""
    pieces: list[bytes] = []
    left = most_bytes(len(data))
    rest = data
    try:
        while rest.strip(b"\0") or not pieces:
            stream = zlib.decompressobj(_GZIP)
            pieces.append(stream.decompress(rest, left + 1))
            left -= len(pieces[-1])
            if left < 0:
                raise GraphError(f"unpacks to over {_GROWTH} times its size; unpack it by hand if it is meant so")
            if not stream.eof:
                raise GraphError("is cut off or damaged (gzip ends early); fetch it again")
            rest = stream.unused_data
    except zlib.error as error:
        raise GraphError(f"is no gzip file ({error}); rename it without .gz, or fetch it again") from error
    return b"".join(pieces)
