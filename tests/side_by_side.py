"""`pytest --processes N`: tests in N processes, forked when all are collected: what they import is imported once.

Each process takes some tests in a row at a time, the fewer the fewer are left, and the first one, which runs none, says
what came of them.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest
from _pytest.tmpdir import TempPathFactory

FORK = multiprocessing.get_context("fork")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processes", type=int, default=1, metavar="N", help="run the tests in N processes side by side")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run all tests in processes of their own, where there are to be several; in each of these, run its share."""
    number = session.config.getoption("processes")
    if number < 2 or session.testsfailed or session.config.option.collectonly:
        return None
    base = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    turn, pipes = FORK.Value("q", 0), {}
    for place in range(number):
        sys.stdout.flush()
        session.config.get_terminal_writer().flush()
        ours, theirs = FORK.Pipe(duplex=False)
        process = os.fork()
        if not process:
            for pipe in (ours, *pipes):
                pipe.close()
            session.config.option.basetemp = str(base / f"process{place}")
            run_some(session, theirs, turns(turn, len(session.items), number))
            return True
        theirs.close()
        pipes[ours] = process
    try:
        left = hear(session, pipes)
    finally:
        for process in pipes.values():  # of a run that stops at a failure, or is interrupted
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)
    for item in left:
        lost = "its process has ended"
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", lost, "call")
        session.config.hook.pytest_runtest_logreport(report=report)
    return True


def turns(turn: Any, total: int, number: int) -> Iterator[int]:
    """The places, below `total`, of the tests that a process of `number` takes. turn: how many are taken already."""
    while True:
        with turn.get_lock():
            first = turn.value
            turn.value = after = first + -(-(total - first) // (4 * number))
        if first == after:
            return
        yield from range(first, after)


def run_some(session: pytest.Session, pipe: Connection, places: Iterator[int]) -> None:
    """Run the tests at `places`, and send what comes of them; nothing is shown here."""
    config = session.config
    config.pluginmanager.unregister(name="terminalreporter")
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    capture.stop_global_capturing()  # into a file that all processes would write
    capture.start_global_capturing()
    capture.suspend_global_capture()
    config._tmp_path_factory = TempPathFactory.from_config(config, _ispytest=True)  # type: ignore[attr-defined]
    reports = Reports(config, pipe)
    config.pluginmanager.register(reports)
    for place, following in itertools.pairwise(itertools.chain(places, [None])):
        assert place is not None
        reports.place = place
        next_item = None if following is None else session.items[following]
        config.hook.pytest_runtest_protocol(item=session.items[place], nextitem=next_item)
    pipe.send(None)


class Reports:
    """What is to be said of a test, sent to the process that says it."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self.config, self.pipe = config, pipe
        self.place: int | None = None

    def send(self, hook: str, **values: Any) -> None:
        """The hook to be called there."""
        if self.place is not None:  # else it was said before
            self.pipe.send((self.place, hook, values))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """As text and numbers."""
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.send("pytest_runtest_logreport", report=data)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        """The test is over."""
        self.send("pytest_runtest_logfinish", nodeid=nodeid, location=location)

    def pytest_warning_recorded(self, warning_message: Any, when: str, nodeid: str, location: Any) -> None:
        """As text: not every warning can be sent."""
        what = warning_message
        message = str(what.message), what.category.__name__, what.filename, what.lineno
        self.send("pytest_warning_recorded", warning_message=message, when=when, nodeid=nodeid, location=location)


def hear(session: pytest.Session, pipes: dict[Connection, int]) -> list[pytest.Item]:
    """Say what comes of all tests until the processes have ended, and give the tests that were not run to their ends.

    pipes: those that they send through, with their numbers; what has ended is taken out.
    """
    left = dict(enumerate(session.items))
    while pipes:
        for pipe in wait(list(pipes)):
            assert isinstance(pipe, Connection)
            try:
                message = pipe.recv()
            except EOFError:
                message = None
            if message is None:
                os.waitpid(pipes.pop(pipe), 0)
                continue
            say(session.config, *message[1:])
            if message[1] == "pytest_runtest_logfinish":
                del left[message[0]]
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
    return list(left.values())


def say(config: pytest.Config, hook: str, values: dict[str, Any]) -> None:
    """Call the hook as the process would have that sent it."""
    if hook == "pytest_runtest_logreport":
        values["report"] = config.hook.pytest_report_from_serializable(config=config, data=values["report"])
    if hook == "pytest_warning_recorded":
        text, category, *where = values["warning_message"]
        values["warning_message"] = warnings.WarningMessage(text, type(category, (Warning,), {}), *where)
        config.hook.pytest_warning_recorded.call_historic(kwargs=values)
    else:
        getattr(config.hook, hook)(**values)
