"""Files and options in any order, and names that hold escape sequences."""

import json
from dataclasses import is_dataclass, replace
from importlib.metadata import version
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest

import graphwright
from graphwright.adapters.files import read_graph
from graphwright.cli.arguments import _FLAGS, _MANY, in_order, is_on
from graphwright.cli.evaluate import EvaluateSampling, EvaluateSolutions
from graphwright.cli.instances import say_reading
from graphwright.cli.main import main
from graphwright.cli.solve import Solve
from graphwright.drawing.letters import printable

ORDERED = ["solve", "RUN", "a.txt", "b.txt", "--undirected", "--mark", "start=(0, 0)", "target=(2, 2)"]


@pytest.mark.parametrize(
    "given",
    [
        ["solve", "RUN", "a.txt", "b.txt", "--undirected", "--mark", "start=(0, 0)", "target=(2, 2)"],
        ["solve", "--undirected", "RUN", "--mark", "start=(0, 0)", "target=(2, 2)", "a.txt", "b.txt"],
        ["solve", "RUN", "--mark", "start=(0, 0)", "a.txt", "--undirected", "--mark", "target=(2, 2)", "b.txt"],
        ["solve", "--mark=start=(0, 0)", "RUN", "a.txt", "--mark=target=(2, 2)", "--undirected", "b.txt"],
    ],
)
def test_options_stand_before_and_after_files(given):
    assert in_order(given) == ORDERED


@pytest.mark.parametrize("flag", ["--no-json", "--no-trust", "--no-undirected", "--no-policy-only"])
def test_a_switch_that_is_said_to_be_off_takes_no_file_with_it(flag):
    assert in_order(["solve", flag, "RUN", "a.txt"]) == ["solve", "RUN", "a.txt", flag]
    assert in_order(["solve", "RUN", flag, "a.txt", "b.txt"]) == ["solve", "RUN", "a.txt", "b.txt", flag]


def test_of_a_switch_said_both_ways_the_last_word_counts():
    assert is_on(["RUN", "--trust"], "--trust")
    assert is_on(["--no-trust", "RUN", "--trust"], "--trust")
    assert not is_on(["--trust", "RUN", "--no-trust"], "--trust")
    assert not is_on(["RUN", "--no-trust"], "--trust")
    assert not is_on(["RUN"], "--trust")


def test_values_stay_with_their_options():
    given = ["evaluate", "RUN", "--sizes", "5", "10", "--weight", "price", "--json"]
    assert in_order(given) == given
    assert in_order(["solve", "--seed", "3", "RUN", "a.txt"]) == ["solve", "RUN", "a.txt", "--seed", "3"]
    assert in_order(["train", "tour", "--run", "x"]) == ["train", "tour", "--run", "x"]
    assert in_order([]) == []


@pytest.mark.parametrize("command", [Solve, EvaluateSolutions, EvaluateSampling])
def test_flags_and_options_of_many_values_are_those_of_the_commands(command):
    """Which options take no value, and which take several, is written down once more for `in_order`."""
    flags, many = set(), set()
    waiting = [command]
    while waiting:
        hints = get_type_hints(waiting.pop(), include_extras=True)
        for name, hint in hints.items():
            kind, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
            options = [option for option in get_args(kind) if option is not type(None)] or [kind]
            option = f"--{name.replace('_', '-')}"
            if is_dataclass(kind):
                waiting.append(kind)
            elif kind is bool:
                flags.add(option)
            elif tuple in (get_origin(kind), *map(get_origin, options)) and "Positional" not in str(marks):
                many.add(option)
    assert flags <= {*_FLAGS}
    assert many <= {*_MANY}


def test_the_version_is_that_of_the_package(capsys):
    main(["--version"])
    assert capsys.readouterr().out == f"graphwright {version('graphwright')}\n"
    assert graphwright.__version__ == version("graphwright")


def test_a_file_after_marks_is_a_file_even_with_an_equals_sign(tmp_path):
    path = tmp_path / "n=5.txt"
    path.write_text("a b\n")
    given = ["solve", "RUN", "--mark", "terminal=a", str(path)]
    assert in_order(given) == ["solve", "RUN", str(path), "--mark", "terminal=a"]


def test_escape_sequences_never_reach_a_terminal(tmp_path, capsys):
    path = tmp_path / "a.txt"
    path.write_text("\x1b[31mred b\n")
    named = read_graph(path)
    named = replace(named, reading=replace(named.reading, ignored=("\x9b2J\x07",)))
    say_reading(path, named)
    assert printable(named.names[0]) == "\\x1b[31mred"
    with pytest.raises(SystemExit):
        main(["solve", str(tmp_path), str(tmp_path / "\x1b[2J\u202e.txt")])
    said = capsys.readouterr().err
    assert said.replace("\n", "").isprintable()
    assert "\\x9b2J\\x07" in said
    json.dumps(named.reading.document())
