"""Solutions in a user's own names, as JSON holds them: from there to what can be checked."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphwright.core import GraphError
from graphwright.envs.optimization import Optimization
from graphwright.envs.planned import PlanStep
from graphwright.envs.verdict import Answer, Pair


class NamedAnswer:
    """A solution that speaks of nodes by their names. Its methods raise GraphError, naming what is no solution."""

    def __init__(self, names: Sequence[str], given: Mapping[str, Any], path: Path) -> None:
        """names: of the nodes of the graph. given: what the file at `path` says."""
        self._place = {name: node for node, name in enumerate(names)}
        self._given, self._path = given, path

    def answer(self) -> Answer:
        """All of it."""
        nodes = [self._node(name, "nodes") for name in self._list("nodes")]
        links = [self._link(pair, "links") for pair in self._list("links")]
        return Answer(nodes, links, [self._step(step) for step in self._list("plan")] or None)

    def _list(self, key: str) -> list[Any]:
        entries = self._given.get(key, [])
        if not isinstance(entries, list):
            raise GraphError(f"{self._path}: `{key}` is no list")
        return entries

    def _node(self, name: object, key: str) -> int:
        if str(name) not in self._place:
            raise GraphError(f"{self._path}: `{key}` names {name!r}, which is no node of the graph")
        return self._place[str(name)]

    def _link(self, pair: object, key: str) -> Pair:
        if not isinstance(pair, list) or len(pair) != 2:
            raise GraphError(f"{self._path}: `{key}` has {pair!r} for a pair of names")
        return self._node(pair[0], key), self._node(pair[1], key)

    def _step(self, step: object) -> PlanStep:
        if not isinstance(step, dict) or not isinstance(step.get("do"), str):
            raise GraphError(f"{self._path}: `plan` has {step!r} for a step, an object that says what to `do`")
        time, total = (self._number(step, name) for name in ("time", "total"))
        node, link = step.get("node"), step.get("link")
        return PlanStep(
            step["do"],
            time,
            total,
            None if node is None else self._node(node, "plan"),
            None if link is None else self._link(link, "plan"),
        )

    def _number(self, step: Mapping[str, Any], name: str) -> float:
        number = step.get(name)
        if not isinstance(number, int | float) or not abs(number) <= sys.float_info.max:
            raise GraphError(f"{self._path}: `plan` has {number!r} for the {name} of a step, which is a number")
        return float(number)


def options_of(environment: Optimization) -> dict[str, Any]:
    """The options of an environment by their names."""
    return dataclasses.asdict(environment) if dataclasses.is_dataclass(environment) else {}
