"""`main`: from the words of a command line to a command, and from an error to one line."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, Union

import tyro

from graphwright.algorithms.gflownet.registry import OBJECTIVES
from graphwright.cli.evaluate import Evaluate
from graphwright.cli.problems import Problems
from graphwright.cli.reproduce import Reproduce
from graphwright.cli.sample import EvaluateFlow, Sample
from graphwright.cli.solve import Solve
from graphwright.cli.train import Resume, Train, TrainFlow, is_flow_run
from graphwright.core import GraphError
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.training.checkpoint import CheckpointError
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.gflownet.config import FlowConfig
from graphwright.training.interrupt import Interrupted
from graphwright.workers.process import WorkerError

_BAD_INPUT = (ConfigError, CheckpointError, GraphError, ImportError, OSError, WorkerError, ValueError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command. Bad input ends with one line on stderr and exit code 2; an interrupted run with 128 + signal."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where a problem of one's own, module:PROBLEM, may stand
    with _readers_may_leave():
        _run(_parse(sys.argv[1:] if arguments is None else list(arguments)))


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


def _parse(arguments: Sequence[str]) -> Any:
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
_FLOW_ONLY = OBJECTIVES.keys() - {"reinforce"}  # which is an algorithm for problems too
_STYLE = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff)


def _commands(arguments: Sequence[str]) -> Any:
    """The union of all commands; `train` comes with the defaults of the problem or task that `arguments` name."""
    evaluate = EvaluateFlow if any(is_flow_run(Path(word)) for word in arguments) else Evaluate
    start = _start_of(arguments)
    return Union[  # noqa: UP007 (annotated members)
        Annotated[Problems, tyro.conf.subcommand("problems")],
        Annotated[type(start), tyro.conf.subcommand("train", default=start)],
        Annotated[Resume, tyro.conf.subcommand("resume")],
        Annotated[evaluate, tyro.conf.subcommand("evaluate")],
        Annotated[Sample, tyro.conf.subcommand("sample")],
        Annotated[Solve, tyro.conf.subcommand("solve")],
        Annotated[Reproduce, tyro.conf.subcommand("reproduce")],
    ]


def _start_of(arguments: Sequence[str]) -> Train | TrainFlow:
    """A run that solves, or one that samples: of a problem that can be both, the algorithm decides."""
    name = _problem_of(arguments)
    problem = find_problem(name)
    sampled = problem.generation is not None and any(word.split("=")[-1] in _FLOW_ONLY for word in arguments)
    if problem.topology is None or sampled:
        return TrainFlow(task=tyro.MISSING, directory=tyro.MISSING, config=FlowConfig.for_task(name))
    return Train(problem=tyro.MISSING, directory=tyro.MISSING, config=TrainConfig.for_problem(name))


def _problem_of(arguments: Sequence[str]) -> str:
    """The problem that `train` is told; the first of all where nothing is told."""
    command, *words = arguments or ("",)
    if command == "train" and words and not words[0].startswith("-"):
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
    print(f"graphwright: {' '.join(message.split())}", file=sys.stderr)
