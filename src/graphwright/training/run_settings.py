"""What a run asks of its settings, and what it writes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from graphwright.training.checkpoint import CONFIG_FILE, TRAINER_FILE, CheckpointError, read_info
from graphwright.training.directory import has_checkpoint


class RunSettings(Protocol):
    """What a run asks of its settings."""

    @property
    def seconds(self) -> float | None:
        """Its end in time."""

    @property
    def steps(self) -> int | None:
        """Its end in environment steps."""

    @property
    def checkpoint_seconds(self) -> float:
        """Time between checkpoints."""


@dataclass(frozen=True)
class RunText:
    """What a run writes of its settings. config: `config.json`; fixed: what must not change in the middle of it;
    options: what the names of the algorithm's settings begin with."""

    config: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    options: str = "algorithm"


def require_same_settings(directory: Path, text: RunText) -> None:
    """Raise CheckpointError where the checkpoint of `directory`, if there is one, was written with other settings.

    Before anything is made of the settings: what takes an instance of each size may not take one of a million nodes.
    """
    path = directory / TRAINER_FILE
    if has_checkpoint(directory) and read_info(path).get("settings") != text.fixed:
        raise CheckpointError(
            f"{path}: was written with other settings than {CONFIG_FILE} holds, or by a release with other options; "
            "put those back, or train anew"
        )
