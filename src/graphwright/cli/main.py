"""`main`: from the words of a command line to a command, and from an error to one line."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import graphwright
from graphwright.cli.arguments import in_order, option_of
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
            _fail(f"there is no command {words[0]}; choose one of {', '.join(COMMANDS)}, or see --help")
        elif arguments is None and COMMANDS[words[0]].computes and os.environ.get(QUIET) != "1":
            with Heartbeat(words[0]):
                _run(_parse(words))
        else:
            _run(_parse(words))


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


def _run(command: Any) -> None:
    from graphwright.core.numbers import require_numbers

    with one_line_errors():
        require_numbers(command, {"config": "", "options": "", "reading": "", "files": ""})
        command.run()


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Say in one line what is wrong with what the user gave, and end; anything else is a fault, with its traceback.

    Scripts on the library may use it as well.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        _say("stopped")
        sys.exit(130)
    except MemoryError as error:
        _fail(f"needs more memory than there is ({error}); lower the sizes")
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
        _fail(f"needs more memory than there is ({size} at once); lower the sizes")


def _parse(arguments: list[str]) -> Any:
    """The command that `arguments` describe; the parser's complaint is put on one line."""
    import tyro

    complaint = io.StringIO()
    with one_line_errors():
        if "--trust" in arguments or _names_own_code(arguments):
            _search_working_directory()
        command, *words = arguments
        parsing = COMMANDS[command].parsing(words)
        defaults = {} if parsing.defaults is None else {"default": parsing.defaults}
        style = (tyro.conf.OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff)
        try:
            with contextlib.redirect_stderr(complaint):
                return tyro.cli(
                    parsing.kind, args=parsing.words, prog=f"graphwright {command}", config=style, **defaults
                )
        except SystemExit as stop:
            if not stop.code:
                raise
            _fail(_of_the_run(arguments) or _one_line(complaint.getvalue()))
        except OverflowError:
            _fail(f"{_largest(arguments)}: too large a number")


def _largest(arguments: Sequence[str]) -> str:
    """The option with the most digits, and the one before it, which names it."""
    place = max(range(len(arguments)), key=lambda index: sum(map(str.isdigit, arguments[index])))
    return " ".join(arguments[max(place - 1, 0) : place + 1])


def _of_the_run(arguments: Sequence[str]) -> str | None:
    """What to say where an option is given that only training has."""
    if (
        arguments
        and arguments[0] in ("evaluate", "transfer", "sample", "solve", "resume", "match", "play")
        and "--policy" not in arguments
    ):
        for word in arguments[1:]:
            if re.match(r"--[a-z-]+\.", word):
                option, file = word.partition("=")[0], "config.json"
                return (
                    f"{option}: is a setting of the run, which stands in its {file}; only `graphwright train` takes it"
                )
    return None


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


_PLAIN: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"^Error parsing (--\S+): no type matching (.+?) could be instantiated from \['?(.*?)'?\]\..*": lambda found: (
        found.expand(r"\1 ") + found[3].replace("', '", " ") + found.expand(r": give \2")
    ),
    r"^Error parsing (--\S+): invalid literal for int\(\) with base 10: '(.*)'": r"\1 \2: give a whole number",
    r"^Error parsing (--\S+): could not convert string to float: '(.*)'": r"\1 \2: give a number",
}
"""What the parser says of a value → the same in plain words."""


def _one_line(complaint: str) -> str:
    """The text inside the parser's box, or between its rules where it draws none."""
    inside = [line.strip("│ ") for line in complaint.splitlines() if line.startswith("│")]
    text = " ".join(inside).split("─")[0]
    if not text and len(between := re.split(r"\s*-{5,}\s*", complaint)) > 1:
        text = between[1]
    text = re.sub(r"^Error parsing ((?!--)\S+: |\S+: (?=--))", "", text or complaint)  # a name nobody typed, or twice
    text = re.sub(r"__tyro-dummy-inner__\.(config\.|options\.)?", "--", text)
    text = re.sub(r"\s+", " ", text).strip()
    for said, plain in _PLAIN.items():
        text = re.sub(said, plain, text)
    return text + "; see --help"


def _fail(message: str) -> NoReturn:
    _say(message)
    sys.exit(2)


def _say(message: str) -> None:
    print(f"graphwright: {printable(' '.join(message.split()))}", file=sys.stderr)
