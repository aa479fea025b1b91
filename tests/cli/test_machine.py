"""What the machine lacks: a disk with room, a cache that can be written, an output that is open."""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line import fails
from graphwright.cli.main import main
from graphwright.core.files import read_whole, write_atomically
from graphwright.core.kernels.jit import Kernel

SMALL = ("--steps", "8", "--sizes", "5", "--threads", "1", "--encoder.width", "4", "--encoder.depth", "1")
SMALL += ("--num-envs", "2", "--num-steps", "2", "--validation.graphs", "1", "--validation.sizes", "5")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "vc"
    main(["train", "vertex-cover", "--run", str(directory), *SMALL])
    return directory


def test_no_folder_can_be_written_to_and_yet_a_graph_is_solved_and_drawn(run: Path, tmp_path: Path) -> None:
    """Neither numba, matplotlib nor torch keeps anything."""
    (tmp_path / "file").write_text("")
    (tmp_path / "edges.txt").write_text("a b\nb c\n")
    nowhere = str(tmp_path / "file" / "folder")
    names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "TMPDIR")
    picture = tmp_path / "a.png"
    command = [sys.executable, "-m", "graphwright", "solve", str(run), str(tmp_path / "edges.txt")]
    surroundings = os.environ | dict.fromkeys(names, nowhere) | {"NUMBA_OPT": "0"}  # a third less to compile
    done = subprocess.run(
        [*command, "--picture", picture], capture_output=True, text=True, env=surroundings, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


@contextmanager
def files_of_at_most(most_bytes: int) -> Iterator[None]:
    """What is written beyond that ends as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_line_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import numba

    (tmp_path / "edges.txt").write_text("a b\nb c\n")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kernels"))
    kernel = Kernel(lambda x: x + 1)
    with files_of_at_most(0):
        assert kernel(1) == 2
        assert kernel.is_kept
        main(["solve", "vertex-cover", str(tmp_path / "edges.txt"), "--policy", "greedy"])
    assert not list((tmp_path / "kernels").rglob("*.nbc"))
    assert "complete" in capsys.readouterr().out
    with files_of_at_most(5000):
        error = fails(capsys, "train", "vertex-cover", "--run", tmp_path / "run", *SMALL)
    assert "trainer.safetensors: File too large" in error
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.json"]


def test_a_kernel_that_cannot_be_kept_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    asked = []

    def njit(cache: bool, **options: object) -> object:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")

        def compiled(*arguments: int) -> int:
            return sum(arguments)

        compiled.get_call_template = None  # type: ignore[attr-defined]
        return lambda function: compiled

    monkeypatch.setattr(numba, "njit", njit)
    assert Kernel(lambda x: x)(1, 2) == 3
    assert asked == [True, False]


def test_a_kernel_that_was_kept_and_cannot_be_read_is_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("numba.core.caching.FunctionCache.load_overload", broken)
    kernel = Kernel(lambda x: x + 2)
    assert kernel(1) == 3
    assert kernel(1.5) == 3.5  # by a later call too


def test_what_cannot_be_kept_is_not_compiled_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numba.core.caching.FunctionCache.save_overload", full)
    kernel = Kernel(lambda x: x + 1)
    assert kernel(1) == 2
    assert kernel.is_kept  # by the way that would have kept it
    assert len(kernel.compiled.signatures) == 1


class Full(io.StringIO):
    """A file on a full disk."""

    def fileno(self) -> int:
        return os.open(os.devnull, os.O_WRONLY)

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        self.write("")


def test_output_that_cannot_be_written_is_one_line(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edges.txt").write_text("a b\n")
    solve = ["solve", str(run), str(tmp_path / "edges.txt"), "--json"]
    for stream, said in ((Full(), "stdout: No space left on device"), (None, "stdout is closed, where results go")):
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as stop:
            main(solve)
        monkeypatch.undo()
        assert stop.value.code == 2
        assert said in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdout", None)
    main(["train", "vertex-cover", "--run", str(tmp_path / "run"), *SMALL])
    monkeypatch.undo()
    assert (tmp_path / "run" / "policy.safetensors").exists()


def test_where_results_go_is_looked_at_before_the_work(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "edges.txt").write_text("a b\n")
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("graphwright.cli.solve.policy_of", pytest.fail)
    monkeypatch.setattr("graphwright.cli.sample.load", pytest.fail)
    solve = ("solve", run, tmp_path / "edges.txt", "--picture")
    for path, said in (
        (tmp_path / "a.jpg", "a.jpg: pictures are .png, .svg, .pdf or .gif; name it a.png"),
        (tmp_path / "nowhere" / "a.png", "nowhere is no folder; make it first"),
        (tmp_path / "file" / "a.png", "file is no folder"),
        (Path("/proc/self/a.png"), "/proc/self"),
    ):
        said_by_command = fails(capsys, *solve, path)
        assert "--picture" in said_by_command
        assert said in said_by_command
    assert "is a folder; name a file" in fails(capsys, "sample", run, "--out", tmp_path)
    assert "nowhere is no folder" in fails(capsys, "sample", run, "--out", tmp_path / "nowhere" / "a.npz")
    assert "is no folder; name one" in fails(capsys, "reproduce", "masking", "--out", tmp_path / "file")


def test_a_picture_of_a_file_whose_name_is_no_text(run: Path, tmp_path: Path, drawn_figures: None) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 $x^{ [red]\x1b[31m.txt")
    path.write_text("a b\n")
    main(["solve", str(run), str(path), "--picture", str(tmp_path / "a.png")])
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_names_reach_no_terminal_as_commands(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "\x1b[2J[bold].txt"
    path.write_text("a b\n")
    main(["evaluate", str(run), "--instances", str(path), "--time-limit", "0"])
    main(["solve", str(run), str(path)])
    captured = capsys.readouterr()
    assert "\x1b[2J" not in captured.out + captured.err
    assert "[bold]" in captured.out
    assert "\x1b" not in fails(capsys, "solve", run, tmp_path / "\x1b[2J")
    main(["evaluate", str(run), "--instances", str(path), "--time-limit", "0", "--json"])
    assert json.loads(capsys.readouterr().out)["rows"][0]["name"] == str(path)


def test_names_that_no_font_can_show_are_drawn_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\x1b[31mred \U00012000\n")
    options = ("--policy", "greedy", "--time-limit", "0", "--picture", str(tmp_path / "a.svg"))
    main(["solve", "vertex-cover", str(path), *options])
    assert not [one for one in recwarn if "Glyph" in str(one.message)]
    assert "\x1b" not in capsys.readouterr().err


def test_a_run_where_none_can_be_is_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "run"
    assert "file is no folder that can be written to" in fails(capsys, "train", "vertex-cover", "--run", place, *SMALL)


def test_what_is_no_file_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("a b\n")
    said = fails(capsys, "check", "vertex-cover", tmp_path / "a.txt", tmp_path / "none.json")
    assert said.endswith("none.json: No such file or directory\n")


def test_a_name_in_brackets_is_a_name(tmp_path: Path) -> None:
    main(["train", "vertex-cover", "--run", str(tmp_path / "a[/b]"), *SMALL])


def test_files_are_read_where_they_are_files_and_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomically(path, b"1234")
    assert read_whole(path, 4) == b"1234"
    with pytest.raises(OSError, match="larger than 3 bytes"):
        read_whole(path, 3)
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "missing"):
        with pytest.raises(OSError, match=str(other)):
            read_whole(other, 1 << 20)
