"""Where in a user's code something happened, by its traceback."""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path

_FRAME = re.compile(r'File "(?P<file>[^"<]+)", line (?P<line>\d+)(?P<comma>,?) in ')
_NOT_THE_USERS = tuple(
    folder + os.sep  # "graphwright-of-mine" is not "graphwright"
    for folder in {str(Path(__file__).parents[1]), *map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))}
)


def with_place(message: str, trace: str) -> str:
    """`message` with file:line of the innermost frame of `trace` that is no library's, or else of the innermost of all.

    trace: as Python writes it, or faulthandler; where it has no frames, the message stays as it is.
    """
    frames = _FRAME.findall(trace)
    if frames and frames[0][2]:  # Python writes the innermost frame last, faulthandler first and without a comma
        frames.reverse()
    own = [frame for frame in frames if not frame[0].startswith(_NOT_THE_USERS)]
    return next((f"{message} ({file}:{line})" for file, line, _ in own or frames), message)
