"""What a command says of itself while it computes."""

from __future__ import annotations

import io
import logging
import threading

from rich.console import Console

from graphwright.cli.heartbeat import Heartbeat
from graphwright.core.doing import LOGGER, now, say
from graphwright.training import logging as run_logging
from graphwright.training.logging import Bar, Lines


class Stream(io.StringIO):
    """Text, and an event for each line of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def flush(self) -> None:
        self.written.set()

    def next_line(self) -> str:
        self.written.clear()
        assert self.written.wait(60)
        return self.getvalue().splitlines()[-1]


def test_what_is_done_is_said_again_and_again_until_it_shows_itself() -> None:
    level, stream = LOGGER.level, Stream()
    with Heartbeat("train", stream, first=0.01, every=0.01):
        assert stream.next_line().startswith("graphwright train: loading")
        now("50 nodes: greedy\x1b")
        while "50 nodes" not in (said := stream.next_line()):
            pass
        assert said.startswith(r"graphwright train: 50 nodes: greedy\x1b (")
        say("objects.smi: half is left out")
        assert "graphwright train: objects.smi: half is left out\n" in stream.getvalue()
        now("")
    assert LOGGER.level == level
    assert not any(isinstance(handler, Heartbeat) for handler in LOGGER.handlers)


def test_a_program_may_log_it(caplog) -> None:
    with caplog.at_level(logging.INFO, logger="graphwright"):
        now("solving")
    assert caplog.messages == ["solving"]


def test_without_a_terminal_a_run_prints_whole_lines_now_and_then(monkeypatch) -> None:
    console = Console(file=io.StringIO(), width=80)
    line = "123,456 steps  2,345/s  return -12.345  best 0.42 % from optimum, and more than fits"
    with Lines("vc", console) as lines:
        for step in range(3):
            lines.show(step / 2, f"{step}: {line}")
    said = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert said == [f"vc   0 %  0: {line}", f"vc 100 %  2: {line}"]
    monkeypatch.setattr(run_logging, "SECONDS_A_LINE", 0.0)
    with Lines("vc", console) as lines:
        lines.show(0.5, line)
    assert console.file.getvalue().count("vc  50 %") == 1  # type: ignore[attr-defined]


def test_on_a_terminal_of_80_columns_nothing_is_cut() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with Bar("a-rather-long-name-of-a-run", console) as bar:
        bar.show(1.0, "1,234,567 steps  12,345/s  return -12.345  best 0.42 % from optimum, word")
    assert "…" not in console.file.getvalue()  # type: ignore[attr-defined]
    assert "word" in console.file.getvalue()  # type: ignore[attr-defined]
