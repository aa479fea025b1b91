"""Processes that are forked from the tests' own: they have imported already what takes a new one seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

MOST_SECONDS = 600
"""What still goes on then is killed: it hangs, as what is forked from a process of several threads may."""


class Forked:
    """As much of `subprocess.Popen` as tests and scripts need, of a process that does `work`, with pipes of text."""

    def __init__(self, work: Callable[[], Any]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pipes = [os.pipe() for _ in range(3)]
        ours, theirs = zip(*(pipe if stream else pipe[::-1] for stream, pipe in enumerate(pipes)), strict=True)
        self.returncode: int | None = None
        self.pid = os.fork()
        if not self.pid:
            signal.alarm(MOST_SECONDS)
            os._exit(_do(work, theirs))
        for end in theirs:
            os.close(end)
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(end, "r" if stream else "w", encoding="utf-8") for stream, end in enumerate(ours)
        )

    def send_signal(self, number: int) -> None:
        """Send it."""
        os.kill(self.pid, number)

    def communicate(self) -> tuple[str, str]:
        """Close its input and wait for its end: what it wrote, which has to be less than fills a pipe."""
        self.stdin.close()
        output, error = "" if self.stdout.closed else self.stdout.read(), self.stderr.read()
        self.stdout.close()
        self.stderr.close()
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return output, error


def _do(work: Callable[[], Any], streams: tuple[int, ...]) -> int:
    """The code with which a process ends that has done `work`."""
    for number, end in enumerate(streams):
        os.dup2(end, number)
    # Pipes of others too, which would not end while this process has them.
    os.closerange(3, max(os.sysconf("SC_OPEN_MAX"), 4096))  # -1: there is no limit
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    code: Any = 1
    try:
        work()
        code = 0
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:
        traceback.print_exc()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 120  # as Python itself does
    return code if isinstance(code, int) else 1


class ForkedPython(subprocess.Popen):
    """`subprocess.Popen`, but that of `python -c PROGRAM`, with streams of text, is forked from this process."""

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        """A `Forked`, or a process as ever."""
        command = arguments[0] if arguments else None
        if not isinstance(command, list) or command[:2] != [sys.executable, "-c"] or not options.get("text"):
            return super().__new__(cls)

        def work() -> None:
            os.environ.update(options["env"])
            sys.path[:0] = options["env"].get("PYTHONPATH", "").split(os.pathsep)
            sys.argv = ["-c", *command[3:]]
            exec(compile(command[2], "-c", "exec", dont_inherit=True), {"__name__": "__main__"})

        return Forked(work)
