"""`main`: from the words of a command line to a command, and from an error to one line."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NoReturn, Union

import tyro

from graphwright.cli.algorithms import Algorithms
from graphwright.cli.arguments import in_order
from graphwright.cli.evaluate import evaluate_command
from graphwright.cli.problems import Problems
from graphwright.cli.reproduce import Reproduce
from graphwright.cli.sample import Sample
from graphwright.cli.solve import Solve
from graphwright.cli.terminal import printable
from graphwright.cli.train import Resume, names_own_code, train_command
from graphwright.core import GraphError
from graphwright.envs.registry import PROBLEMS
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.config import ConfigError
from graphwright.training.interrupt import Interrupted
from graphwright.workers.process import WorkerError

_BAD_INPUT = (ConfigError, CheckpointError, GraphError, ImportError, OSError, WorkerError, ValueError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command. Bad input ends with one line on stderr and exit code 2; an interrupted run with 128 + signal."""
    os.environ["PYTHONSAFEPATH"] = "1"  # or worker processes would look for Python's own modules where they stand
    with _readers_may_leave():
        _run(_parse(in_order(sys.argv[1:] if arguments is None else arguments)))


@contextlib.contextmanager
def _readers_may_leave() -> Iterator[None]:
    """Whoever reads the output may stop before its end, as `head` does."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        sys.exit(1)


def _run(command: Any) -> None:
    try:
        command.run()
    except BrokenPipeError:
        raise
    except Interrupted as interruption:
        _say(str(interruption))
        sys.exit(128 + interruption.signal)
    except KeyboardInterrupt:
        _say("stopped")
        sys.exit(130)
    except _BAD_INPUT as error:
        _fail(str(error))


def _parse(arguments: list[str]) -> Any:
    """The command that `arguments` describe; the parser's complaint is put on one line."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                _commands(arguments), args=arguments, prog="graphwright", description=_DESCRIPTION, config=_STYLE
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        _fail(_one_line(complaint.getvalue()))
    except (ValueError, ImportError) as error:
        _fail(str(error))


_DESCRIPTION = "Reinforcement learning on graphs of any size."
_STYLE = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff)


def _commands(arguments: list[str]) -> Any:
    """The union of all commands; `train` and `evaluate` come with the options of what `arguments` name."""
    problem = _problem_of(arguments)
    if "--trust" in arguments or (arguments[:1] == ["train"] and names_own_code(problem, arguments)):
        _search_working_directory()
    training, defaults = train_command(problem, arguments)
    return Union[  # noqa: UP007 (annotated members)
        Annotated[Problems, tyro.conf.subcommand("problems")],
        Annotated[Algorithms, tyro.conf.subcommand("algorithms")],
        Annotated[training, tyro.conf.subcommand("train", default=defaults)],
        Annotated[Resume, tyro.conf.subcommand("resume")],
        Annotated[evaluate_command(arguments), tyro.conf.subcommand("evaluate")],
        Annotated[Sample, tyro.conf.subcommand("sample")],
        Annotated[Solve, tyro.conf.subcommand("solve")],
        Annotated[Reproduce, tyro.conf.subcommand("reproduce")],
    ]


def _search_working_directory() -> None:
    """Let modules that are found nowhere else be found where the command is given."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)


def _problem_of(arguments: Sequence[str]) -> str:
    """The problem that `train` is told; the first of all where none is told."""
    command, *words = arguments or ("",)
    if command != "train":
        return next(iter(PROBLEMS))
    if words and not words[0].startswith("-"):
        return words[0]
    return next((word for word in words if word in PROBLEMS), next(iter(PROBLEMS)))


def _one_line(complaint: str) -> str:
    """The text inside the parser's box."""
    inside = [line.strip("│ ") for line in complaint.splitlines() if line.startswith("│")]
    text = " ".join(inside).split("─")[0]
    text = re.sub(r"__tyro-dummy-inner__\.(config\.|options\.)?", "--", text or complaint)
    return re.sub(r"\s+", " ", text).strip() + "; see --help"


def _fail(message: str) -> NoReturn:
    _say(message)
    sys.exit(2)


def _say(message: str) -> None:
    print(f"graphwright: {printable(' '.join(message.split()))}", file=sys.stderr)
