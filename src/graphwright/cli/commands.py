"""The commands by name. A new one is a file and a line here; its module is imported when the command is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Parsing:
    """How a command is parsed. kind: the class that it becomes. words: with what files add to them. defaults: an
    instance of it; None for its own."""

    kind: Any
    words: list[str]
    defaults: Any = None


def with_fields(kind: type, types: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:
    """The dataclass `kind` with these types and defaults of fields; given to another process it is `kind` itself."""

    def reduce(self: Any) -> tuple[Any, ...]:
        return _make, (kind, {each.name: getattr(self, each.name) for each in fields(kind)})

    body = {"__annotations__": dict(types), "__doc__": kind.__doc__, "__reduce__": reduce, **defaults}
    return dataclass(frozen=True, kw_only=True)(type(kind.__name__, (kind,), body))


def _make(kind: type, values: Mapping[str, Any]) -> Any:
    return kind(**values)


@dataclass(frozen=True)
class Command:
    """Where a command is, and what is said of it.

    place: module:NAME below `graphwright.cli`, of a class, or of a function from the words that follow the command's
    name to a `Parsing`. computes: whether it says what it is doing, as it takes a while.
    """

    place: str
    summary: str
    computes: bool = True

    def parsing(self, words: Sequence[str]) -> Parsing:
        """How `words`, which follow the name of the command, are parsed."""
        module, _, name = self.place.partition(":")
        found = getattr(import_module(f"graphwright.cli.{module}"), name)
        if isinstance(found, type):
            return Parsing(found, list(words))
        parsing: Parsing = found(words)
        return parsing


GROUPS: dict[str, dict[str, Command]] = {
    "What there is": {
        "problems": Command("problems:Problems", "the problems, and what can be done with each", computes=False),
        "algorithms": Command("algorithms:Algorithms", "the learning algorithms, and what each needs", computes=False),
    },
    "Learn": {
        "new": Command("new:New", "a folder to start a problem of your own from"),
        "train": Command("train:train_command", "train a policy on a problem, which may be your own"),
        "resume": Command("train:Resume", "go on with a run that was stopped"),
        "record": Command("record:record_command", "record what an expert or a policy does, to learn from"),
    },
    "Use": {
        "evaluate": Command("evaluate:evaluate_command", "compare a policy with random, simple rules and the optimum"),
        "solve": Command("solve:Solve", "solve graphs from files"),
        "match": Command("match:MatchCommand", "let a policy play many games against an opponent"),
        "play": Command("play.command:Play", "play against a policy, on a page or in the terminal", computes=False),
        "uhp": Command("engines.uhp:Uhp", "play Hive for programs of the Universal Hive Protocol", computes=False),
        "gtp": Command("engines.gtp:Gtp", "play Hex for programs of the Go Text Protocol", computes=False),
        "check": Command("check:Check", "recompute what a solution is worth, and whether it is one"),
        "transfer": Command("evaluate_team:Transfer", "compare policies of a team at numbers of agents"),
        "export": Command("export:Export", "write a policy as a program of torch alone"),
        "sample": Command("sample:Sample", "write objects that a sampler builds to a file"),
    },
    "Study": {
        "perft": Command("engines.perft:Perft", "count the moves of Hive, to compare rules", computes=False),
        "compare": Command("compare:Compare", "learning curves of runs beside each other, and where they end"),
        "sweep": Command("sweep:sweep_command", "train many runs with settings that are drawn; what mattered"),
        "reproduce": Command("reproduce:Reproduce", "run a published experiment again"),
    },
}
"""All commands, by what a reader wants to do."""
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}
