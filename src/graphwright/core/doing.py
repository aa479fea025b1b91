"""What is being done, said where it takes a while: the command line shows it, a program may log it.

It goes to the logger `graphwright` at level INFO. An empty message says that what follows shows itself. What was left
out of what was given goes there at level WARNING, which Python shows on stderr.
"""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("graphwright")
_latest = ""


def now(what: str) -> None:
    """`what` begins now, such as "50 nodes: greedy"."""
    global _latest
    _latest = what
    LOGGER.info("%s", what)


def say(what: str) -> None:
    """`what` was left out, such as "data.smi: stereochemistry is not read"."""
    LOGGER.warning("%s", what)


def latest() -> str:
    """What began last."""
    return _latest
