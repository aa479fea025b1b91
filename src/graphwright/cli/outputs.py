"""Where results are to be written: asked before the work, not after it."""

from __future__ import annotations

from pathlib import Path

from graphwright.core.files import require_writable
from graphwright.drawing.style import PICTURES
from graphwright.training.config import ConfigError


def require_output(option: str, path: Path) -> None:
    """Raise ConfigError, naming the option, where no file can be written to `path`."""
    try:
        require_writable(path)
    except OSError as error:
        raise ConfigError(f"{option} {error}") from None


def require_picture(option: str, path: Path, *, moving: bool = False) -> None:
    """The same of a picture, by its name a PNG, SVG or PDF, or where an episode can be shown (`moving`) a GIF."""
    endings = (*PICTURES, ".gif") if moving else PICTURES
    if path.suffix.lower() not in endings:
        kinds = f"{', '.join(endings[:-1])} or {endings[-1]}"
        only = "; a .gif shows a policy at work" if path.suffix.lower() == ".gif" else ""
        raise ConfigError(
            f"{option} {path}: pictures are {kinds}{only}; name it {path.with_suffix('.png').name or 'a.png'}"
        )
    require_output(option, path)


def require_folder(option: str, path: Path) -> None:
    """Raise ConfigError, naming the option, where `path` is no folder of files to come, and none can be made there."""
    if path.is_dir():
        require_output(option, path / "any")
    elif path.exists() or path.is_symlink():
        raise ConfigError(f"{option} {path}: is no folder; name one")
    else:
        above = next(parent for parent in path.absolute().parents if parent.exists())
        require_output(option, above / path.name)
