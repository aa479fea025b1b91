"""Runs of a benchmark that are kept, so that a table can grow over days, and over several processes."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphwright.core.files import write_atomically


def once(directory: Path, work: Callable[[Path], Any]) -> Any:
    """What `work(directory)` returns, as JSON has it; what is kept beside `directory` is not worked out again.

    A run that was broken off begins anew. Of two processes that ask for the same one, the second waits for the first.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    done = directory.with_name(f"{directory.name}.json")
    with open(directory.with_name(f"{directory.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back where a process ends, however that happens
        if not done.exists():
            shutil.rmtree(directory, ignore_errors=True)
            found = json.dumps(work(directory))
            write_atomically(done, found.encode())
    return json.loads(done.read_text())
