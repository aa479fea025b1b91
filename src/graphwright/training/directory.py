"""The directory of a run: which files it has, one process at a time, and what a killed one left in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from graphwright.core.files import is_left_over, read_whole, require_writable
from graphwright.training.checkpoint import CONFIG_FILE, POLICY_FILE, TRAINER_FILE
from graphwright.training.collectors.play import ConfigError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

METRICS_FILE, CURVE_FILE, START_FILE = "metrics.csv", "curve.png", "fine-tuning.json"
GATE_FILE, RATINGS_FILE, AGENTS_FILE = "gate.csv", "ratings.json", "agents.json"
_OF_SOME = (START_FILE, GATE_FILE, RATINGS_FILE, AGENTS_FILE)
RUN_FILES = (CONFIG_FILE, POLICY_FILE, TRAINER_FILE, METRICS_FILE, CURVE_FILE, *_OF_SOME)
"""The files of a run directory, beside those of TensorBoard."""
_MOST_BYTES = 1 << 20
"""Of `config.json`."""


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other processes from training in `directory`. The lock ends with this process, however that ends.

    It is on the directory itself, so that nothing is written and readers need none. Raises ConfigError where another
    process holds it.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{directory}: another process trains this run; wait for it, or stop it") from None
        except OSError:  # some network file systems lock no directories
            pass
        yield
    finally:
        os.close(descriptor)


def settings_text(directory: Path) -> str:
    """What the `config.json` of a run directory holds. Raises ConfigError, naming the file, where it cannot be read."""
    path = directory / CONFIG_FILE
    if directory.is_file():
        raise ConfigError(f"{directory}: is a file, where the directory of a run is needed")
    try:
        return read_whole(path, _MOST_BYTES).decode()
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file, so {directory} holds no run; `graphwright train` begins one"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read; is {directory} a run directory? ({error})") from None


def new_directory(directory: Path | str, resume: str = "`graphwright resume {}`") -> Path:
    """Where a run may begin: nothing is there, or nothing but what a run left that was killed before it had begun.

    resume: how the run that is there goes on, in what is said of it. Raises ConfigError otherwise.
    """
    directory = Path(directory)
    if directory.is_dir() and all(is_left_over(path, RUN_FILES) for path in directory.iterdir()):
        return directory
    if (directory / CONFIG_FILE).exists():
        raise ConfigError(f"--run {directory}: exists already; name a new one, or {resume.format(directory)}")
    if os.path.lexists(directory):
        raise ConfigError(f"--run {directory}: exists already, and holds no run; name a new directory")
    above = next(parent for parent in directory.absolute().parents if os.path.lexists(parent))
    try:
        require_writable(above / "any")
    except OSError:
        raise ConfigError(f"--run {directory}: {above} is no folder that can be written to; name another") from None
    return directory


def has_checkpoint(directory: Path) -> bool:
    """Whether a run has come to its first checkpoint, so that what it goes on from is there, or should be."""
    return any(os.path.lexists(directory / name) for name in (TRAINER_FILE, POLICY_FILE, METRICS_FILE))
