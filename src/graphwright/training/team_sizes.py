"""The sizes of the teams that a run was trained with: `resume --agents` takes others than it began with."""

from __future__ import annotations

from pathlib import Path

from graphwright.core.files import read_whole, write_atomically
from graphwright.core.numbers import to_plain_json
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.config_json import parse_json
from graphwright.training.directory import AGENTS_FILE

_MOST_BYTES = 1 << 16


def note_sizes(directory: Path, config: TrainConfig) -> None:
    """Remember in `directory` the sizes of `config`, by which its run was trained until now."""
    known = sizes_of(directory, config)
    write_atomically(directory / AGENTS_FILE, f"{to_plain_json(known)}\n".encode())


def sizes_of(directory: Path, config: TrainConfig) -> list[int]:
    """All numbers of agents that the run in `directory` was trained with, the last, those of `config`, at the end.

    Raises ConfigError, naming the file, where it holds no such numbers.
    """
    path, last = directory / AGENTS_FILE, list(config.collection.sizes)
    if not path.exists():
        return last
    try:
        found = parse_json(read_whole(path, _MOST_BYTES).decode())
    except UnicodeDecodeError:
        found = None
    if not isinstance(found, list) or not all(type(size) is int and size > 0 for size in found):
        raise ConfigError(f"{path}: is no list of numbers of agents; delete it, and the last ones alone are named")
    return [*(size for size in dict.fromkeys(found) if size not in last), *last]
