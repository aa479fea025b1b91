"""`main`: from the words of a command line to a command, and from an error to one line."""

from __future__ import annotations

import contextlib
import difflib
import errno
import io
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import graphwright
from graphwright.cli.arguments import asks_for_help, in_order, is_given, is_on, option_of
from graphwright.cli.commands import COMMANDS
from graphwright.cli.heartbeat import Heartbeat
from graphwright.cli.overview import overview
from graphwright.drawing.letters import printable

QUIET = "GRAPHWRIGHT_QUIET"
"""The environment variable that is 1 where a command does not say every few seconds what it is doing."""


def bad_input() -> tuple[type[BaseException], ...]:
    """What is said in one line: errors of what the user gave. All others of the library are ValueErrors."""
    from graphwright.workers.process import WorkerError  # which is slow to import

    return (ImportError, OSError, WorkerError, ValueError, OverflowError)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command. Bad input ends with one line on stderr and exit code 2; an interrupted run with 128 + signal."""
    os.environ["PYTHONSAFEPATH"] = "1"  # or worker processes would look for Python's own modules where they stand
    _let_idle_threads_sleep()
    words = in_order(sys.argv[1:] if arguments is None else list(arguments))
    with _written_out(is_needed=words[:1] not in (["train"], ["resume"], ["sample"])):
        if words == ["--version"]:
            print(f"graphwright {graphwright.__version__}")
        elif words in ([], ["--help"], ["-h"]):
            print(overview())
        elif words[0] not in COMMANDS:
            near = difflib.get_close_matches(words[0].lower(), COMMANDS, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            _fail(f"there is no command {words[0]}; {meant}choose one of {', '.join(COMMANDS)}, or see --help")
        elif arguments is None and COMMANDS[words[0]].computes and os.environ.get(QUIET) != "1":
            with Heartbeat(words[0]):
                _run(words)
        else:
            _run(words)


def _let_idle_threads_sleep() -> None:
    """Before torch is loaded: threads of its pool wait awake for microseconds only, unless the user says how long.

    libgomp's default is milliseconds, in which a thread takes the core that the others wait for: two threads that share
    a core are many times as slow as one, and with this as fast (docs/goals.md has the figures).
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


@contextlib.contextmanager
def _written_out(is_needed: bool) -> Iterator[None]:
    """Whoever reads the output may stop before its end, as `head` does; who closed it, or filled a disk, is told."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # becomes that number, which the next file would otherwise
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
    if sys.stdout is None and is_needed:
        _fail("stdout is closed, where results go; leave it open")
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    try:
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
            raise
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        sys.exit(1)
    except OSError as error:
        _fail(_reason(error))
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            _forget_output()


def _forget_output() -> None:
    """Let what is still to be written go nowhere, or the flush at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reason(error: BaseException) -> str:
    """What an error says. What goes wrong without naming a file is the writing of the output."""
    if isinstance(error, OSError) and error.filename is None and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EIO):
        return f"stdout: {error.strerror}"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return str(error)


def _run(words: list[str]) -> None:
    from graphwright.core.numbers import require_numbers

    sizes = next((option for option in ("--agents", "--sizes") if is_given(words, option)), "the sizes")
    with one_line_errors(sizes), one_line_warnings():
        command = _parse(words)
        require_numbers(command, {"config": "", "options": "", "reading": "", "files": ""})
        command.run()


@contextlib.contextmanager
def one_line_warnings() -> Iterator[None]:
    """Say what this library warns of in one line, without the place in its code; what others warn of stays as it is."""
    others = warnings.formatwarning

    def in_one_line(message: Warning | str, category: type[Warning], *place: Any) -> str:
        own = category.__module__.startswith("graphwright.")
        return f"{_line(str(message))}\n" if own else others(message, category, *place)

    warnings.formatwarning = in_one_line  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.formatwarning = others


@contextlib.contextmanager
def one_line_errors(sizes: str = "the sizes") -> Iterator[None]:
    """Say in one line what is wrong with what the user gave, and end; anything else is a fault, with its traceback.

    sizes: what to lower where memory does not suffice. Scripts on the library may use it as well.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        _say("stopped")
        sys.exit(130)
    except MemoryError as error:
        _fail(f"needs more memory than there is ({error}); lower {sizes}")
    except Exception as error:
        from graphwright.training.interrupt import Interrupted

        if isinstance(error, Interrupted):
            _say(str(error))
            sys.exit(128 + error.signal)
        if isinstance(error, bad_input()):
            _fail(_reason(error))
        wanted = re.search(r"you tried to allocate (\d+) bytes|Storage size calculation overflowed", str(error))
        if wanted is None or not isinstance(error, RuntimeError):
            raise
        size = f"{int(wanted[1]) / 2**30:,.0f} GiB" if wanted[1] else "too many bytes to count"
        _fail(f"needs more memory than there is ({size} at once); lower {sizes}")


def _parse(arguments: list[str]) -> Any:
    """The command that `arguments` describe; the parser's complaint is put on one line."""
    import tyro

    from graphwright.cli.complaints import largest, of_the_run, one_line, require_values

    complaint = io.StringIO()
    if is_on(arguments, "--trust") or _names_own_code(arguments):
        _search_working_directory()
    command, *words = arguments
    parsing = COMMANDS[command].parsing(words)
    defaults = {} if parsing.defaults is None else {"default": parsing.defaults}
    style = (tyro.conf.OmitSubcommandPrefixes,)
    if asks_for_help(parsing.words):  # alone, or the usage leaves out what is given
        parsing = replace(parsing, words=["--help"])
    try:
        with contextlib.redirect_stderr(complaint):
            parsed = tyro.cli(parsing.kind, args=parsing.words, prog=f"graphwright {command}", config=style, **defaults)
        require_values(parsed, parsing.words)
        return parsed
    except SystemExit as stop:
        if not stop.code:
            raise
        _fail(of_the_run(arguments) or one_line(complaint.getvalue()))
    except OverflowError:
        _fail(f"{largest(arguments)}: too large a number")


def _names_own_code(arguments: list[str]) -> bool:
    """Whether the user, and not a file, names a module: what is trained, checked, or solved without a run."""
    command, *words = arguments
    if command in ("train", "sweep"):
        from graphwright.cli.train import names_own_code

        return names_own_code(words)
    solves = command in ("solve", "evaluate") and option_of(words, "--policy") is not None
    return (solves or command in ("check", "record")) and any(":" in word for word in words[:1])


def _search_working_directory() -> None:
    """Let modules that are found nowhere else be found where the command is given."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)


def _fail(message: str) -> NoReturn:
    _say(message)
    sys.exit(2)


def _say(message: str) -> None:
    print(_line(message), file=sys.stderr)


def _line(message: str) -> str:
    return f"graphwright: {printable(' '.join(message.split()))}"
