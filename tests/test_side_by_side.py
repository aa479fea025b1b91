"""Tests in several processes: each is run once, in one of them, and what came of it is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

SOME = """
import os, signal, sys, warnings
import pytest

@pytest.fixture(autouse=True, scope="module")
def together():
    print("in one process until the end", file=sys.stderr)
    yield

@pytest.mark.parametrize("number", range(20))
def test_it_is_run(number, tmp_path):
    with open("who.txt", "a") as file:
        file.write(f"{number} {os.getpid()} {tmp_path}\\n")

def test_it_fails(capsys):
    print("what", "it printed")
    assert 1 == 2

def test_it_prints(capsys):
    print("alone")
    assert capsys.readouterr().out == "alone\\n"

def test_it_is_left_out():
    pytest.skip("for a reason")

def test_it_warns():
    warnings.warn("of something")

def test_it_kills():
    if "KILL" in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def run(folder: Path, *options: str, kill: bool = False) -> subprocess.CompletedProcess[str]:
    (folder / "test_some.py").write_text(SOME)
    names = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    names["PYTHONPATH"] = str(Path(__file__).parent)
    quiet = ["-p", "side_by_side", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-q", "--processes", "2"]
    command = [sys.executable, "-m", "pytest", *quiet, *options, f"--basetemp={folder / 'files'}"]
    environment = names | ({"KILL": ""} if kill else {})
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_every_test_is_run_once_and_what_came_of_it_is_said(tmp_path: Path) -> None:
    done = run(tmp_path)
    who = [line.split() for line in (tmp_path / "who.txt").read_text().splitlines()]
    assert sorted(int(number) for number, _, _ in who) == list(range(20))
    assert len({process for _, process, _ in who}) == 2
    assert len({folder for _, _, folder in who}) == 20  # of two processes that name them alike
    assert done.returncode == 1
    assert re.search("1 failed, 23 passed, 1 skipped, 1 warning in", done.stdout), done.stdout
    assert done.stdout.count("what it printed") == 1
    assert "assert 1 == 2" in done.stdout
    assert done.stdout.count("UserWarning: of something") == 1
    assert not done.stderr


def test_tests_of_a_process_that_ends_have_failed(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "not fails", kill=True)
    assert done.returncode == 1
    assert "FAILED test_some.py::test_it_kills" in done.stdout
    failed, passed = (int(re.search(rf"(\d+) {word}", done.stdout)[1]) for word in ("failed", "passed"))  # type: ignore[index]
    assert failed + passed == 23


def test_it_stops_at_a_failure(tmp_path: Path) -> None:
    done = run(tmp_path, "-x", "-k", "fails or kills")
    assert done.returncode == 1
    assert "stopping after 1 failures" in done.stdout
