"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that no reader, and no crash, ever sees half of it. Raises OSError, naming `path`."""
    if not path.name or path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; name a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: {path.parent} is no folder; make it first")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")  # in containers every process is number 1
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
