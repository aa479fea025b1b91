"""What is shown to whoever does not know what to type, and what fits a terminal of 80 columns."""

from __future__ import annotations

import pytest

from command_line import fails
from graphwright.cli.commands import COMMANDS
from graphwright.cli.main import main
from graphwright.envs.registry import PROBLEMS


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_overview_names_every_command_and_how_to_begin(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(words)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert {line.split()[0] for line in lines if line.startswith("  ")} >= COMMANDS.keys()
    assert sum(line.startswith("  graphwright ") for line in lines) == 3


def test_a_command_that_there_is_not_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no command fly; choose one of problems, " in fails(capsys, "fly")


def test_every_command_has_a_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: graphwright {name}")


def test_problems_are_listed_once_each_with_all_that_can_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    main(["problems"])
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split(":")[0] for line in lines if line and not line.startswith(" ")]
    assert heads == list(PROBLEMS)
    assert all(len(line) <= 80 for line in lines)
    main(["problems", "independent-set", "multi-hop"])
    said = capsys.readouterr().out
    assert "trained, evaluated, solved, checked, solved exactly" in said
    assert "imitated, sampled" in said
    assert "choose one of" in fails(capsys, "problems", "sudoku")
