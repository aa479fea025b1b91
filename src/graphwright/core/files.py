"""Files that are written whole or not at all, and read only where they are files."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{16}")


@contextlib.contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Let what goes wrong within say that it was `path`, as a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that no reader, and no crash, ever sees half of it. Raises OSError, naming `path`."""
    require_writable(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # in containers every process is number 1
    with named_errors(path):
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def require_writable(path: Path) -> None:
    """Raise OSError, naming `path`, where no file can be written there: to be asked before long work, not after it."""
    if not path.name or path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; name a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: {path.parent} is no folder; make it first")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path}: {path.parent} cannot be written to")


def sweep(directory: Path, names: Collection[str]) -> None:
    """Remove what killed processes left of writing the files `names` of `directory`."""
    for path in directory.iterdir():
        if is_left_over(path, names):
            path.unlink(missing_ok=True)


def is_left_over(path: Path, names: Collection[str]) -> bool:
    """Whether a killed process left `path` while it wrote one of the files `names`."""
    found = _TEMPORARY.fullmatch(path.name)
    return found is not None and found["name"] in names


def read_whole(path: Path, most: int) -> bytes:
    """The bytes of a file of at most `most` bytes. Raises OSError where it is larger, or is no file but a pipe, say."""
    with named_errors(path), open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path}: is no file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"{path}: is larger than {most:,} bytes")
    return data
