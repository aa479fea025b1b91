"""`Problem`: an environment with what surrounds it, so that policies can be trained, compared and used on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.game import Game
from graphwright.envs.generation import Generation
from graphwright.envs.generators import DrawColumns, InstanceGenerator, Topology, parse_topology
from graphwright.envs.optimization import Optimization
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import Choose, play, play_by, uniform_choice
from graphwright.envs.team import Team
from graphwright.envs.verdict import Verifier


@dataclass(frozen=True, eq=False)
class Optimum:
    """What an exact solver found of B graphs.

    objective: [B] float64, of the best solution found. bound: [B] float64, what no solution is better than.
    proven: [B] bool, whether the two meet. solution: the final states of the best solutions, where the solver gives
    them. doubt: [B] float64, by how much a proven solution may miss the optimum because numbers are rounded; None: not
    at all.
    """

    objective: Tensor
    bound: Tensor
    proven: Tensor
    solution: GraphBatch | None = None
    doubt: Tensor | None = None


Heuristic = Callable[[Optimization, GraphBatch], GraphBatch]
Improve = Callable[[Optimization, GraphBatch, float, int], GraphBatch]
"""From complete final states [B] to better ones, in so many seconds for each, with a seed."""
Solver = Callable[[Optimization, GraphBatch, float], Optimum]
QuickBound = Callable[[Optimization, GraphBatch], tuple[Tensor, str]]
"""From instances [B] to a bound [B] float64 on the objective, and how it was found."""
Approve = Callable[[GraphBatch, GraphBatch], Tensor]
"""From states [S] and final states [S] of good solutions of their instances, to [K] bool over the candidates of the
states: the legal actions that lead there, none where the state has gone another way."""
Regrets = Callable[[Any, GraphBatch], Tensor]
"""From an environment and states of small instances to [K] float64 over their candidates: how much less is earned with
each than with the best, infinite where it is illegal. Raises ValueError where instances are too large for that."""
Rule = Callable[[Environment, GraphBatch], Tensor]
"""From an environment and states [B] to an action for each decision."""
Opponent = Callable[[Game, GraphBatch, torch.Generator], Tensor]
"""From a game, states [B] that are not over and a generator of randomness to a legal action [B] of the side to move."""


@dataclass(frozen=True)
class ControlRule:
    """A rule of control, which is a heuristic where episodes end.

    plays: the environment that it plays instead of the one that is given; None: that one. as_good: [K] bool, all that
    leads to what the rule does in the end, in whatever order, for who learns from it; None: what the rule does alone.
    """

    rule: Rule
    plays: Callable[[Environment], Environment] | None = None
    as_good: Rule | None = None

    def environment(self, given: Environment) -> Environment:
        """What it plays."""
        return given if self.plays is None else self.plays(given)

    def __call__(self, environment: Environment, instances: GraphBatch) -> GraphBatch:
        """The final state of each instance."""
        played = self.environment(environment)
        return play_by(played, instances, lambda state: self.rule(played, state))


@dataclass(frozen=True)
class Follow:
    """The heuristic that lets a rule of what is observed decide every step.

    choosing: from an environment to its rule. plays: as of `ControlRule`.
    """

    choosing: Callable[[Any], Choose]
    plays: Callable[[Environment], Environment] | None = None

    def environment(self, given: Environment) -> Environment:
        """What it plays."""
        return given if self.plays is None else self.plays(given)

    def rule(self, environment: Environment, state: GraphBatch) -> Tensor:
        """The rule of what states are, not of what is seen of them."""
        return self.choosing(environment)(environment.observe(state))

    def __call__(self, environment: Environment, instances: GraphBatch) -> GraphBatch:
        """The final state of each instance."""
        played = self.environment(environment)
        return play(played, instances, self.choosing(played))


@dataclass(frozen=True)
class Problem:
    """A named environment with instances to train on, and what it is to be good at.

    summary: one line. environment: with its default options.

    Of a problem that is solved: objective: what is measured, in a word or two. topology, sizes: the default graphs to
    train on, as for `InstanceGenerator`. laws: name → what turns a topology into instances, the default first.
    heuristics: name → function of the environment and instances, the final states [B] that it reaches; the first is the
    one to beat. solve_exactly: function of the environment, instances and seconds for each of them, for the optimum.
    fast: those heuristics whose time is nearly linear in the graph, and that any graph is solved by. improve: local
    search from given solutions. bound_quickly: for graphs that are too large for `solve_exactly`.
    verify: what a solution of one instance is worth by the problem's definition, without the environment.
    expert: what to do in a state to arrive at a given solution; regrets: what each choice costs; for imitation
    (`envs/experts.py`). training: options of a run that differ from the general defaults: `algorithm`, `encoder`,
    `heads`, `validation`; `collection` by the name of a collector; and settings by the name of an algorithm, which
    those that are made of it take over, as MAPPO does those of `ppo`.

    Of a problem that never ends (`Endless`): baselines, name → rule of control, the first the one to beat (a baseline
    that plays the environment itself is an expert of it); objective, topology, sizes, laws and training as above.

    Of a problem of a team (`Team`): sizes, numbers of agents; baselines, topology, laws and training as above.
    law_of_files: from file names and texts to the law that draws its instances from them, one after the other.

    Of a game (`Game`): opponents, name → fixed player of either side, the first "random"; the rest as above.

    Of a problem that is sampled: generation.

    Raises ValueError for a problem that is neither played, which takes a topology, nor sampled.
    """

    name: str
    summary: str
    environment: Environment
    objective: str = ""
    topology: str | None = None
    sizes: tuple[int, ...] = ()
    laws: Mapping[str, DrawColumns] = field(default_factory=lambda: {"none": no_columns})
    heuristics: Mapping[str, Heuristic] = field(default_factory=dict)
    fast: tuple[str, ...] = ()
    improve: Improve | None = None
    baselines: Mapping[str, ControlRule] = field(default_factory=dict)
    law_of_files: Callable[[Mapping[str, str]], DrawColumns] | None = None
    opponents: Mapping[str, Opponent] = field(default_factory=dict)
    solve_exactly: Solver | None = None
    bound_quickly: QuickBound | None = None
    verify: Verifier | None = None
    expert: Approve | None = None
    regrets: Regrets | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    generation: Generation | None = None

    def __post_init__(self) -> None:
        if not self.is_played and self.generation is None:
            raise ValueError(f"{self.name}: give a topology, of which it is solved, or a generation, if it is sampled")

    @property
    def is_played(self) -> bool:
        """Whether there are instances of it to play; otherwise it is sampled only."""
        return self.topology is not None

    @property
    def is_endless(self) -> bool:
        """Whether it is controlled for ever, and an average over time is what counts."""
        return isinstance(self.environment, Endless)

    @property
    def is_team(self) -> bool:
        """Whether several agents play it, and success and returns count."""
        return isinstance(self.environment, Team)

    @property
    def is_game(self) -> bool:
        """Whether two sides play it, and how often a policy wins is what counts."""
        return isinstance(self.environment, Game)

    @property
    def game(self) -> Game:
        """The environment of a game. Raises ValueError where the problem is none."""
        if not isinstance(self.environment, Game):
            raise ValueError(f"{self.name} is no game of two sides; `graphwright problems` lists the games")
        return self.environment

    def opponent(self, name: str) -> Opponent:
        """The fixed player of that name. Raises ValueError, listing those that there are."""
        if name not in self.opponents:
            raise ValueError(f"{self.name} has no opponent {name!r}; choose one of {', '.join(self.opponents)}")
        return self.opponents[name]

    @property
    def optimization(self) -> Optimization:
        """The environment of a problem that is solved. Raises ValueError, naming the remedy, where it is not."""
        if self.is_endless:
            remedy = f"graphwright evaluate {self.name} --policy {next(iter(self.baselines), 'random')}"
            raise ValueError(f"{self.name} never ends, so there is no solution to find or check; see `{remedy}`")
        if self.is_team:
            remedy = f"graphwright train {self.name}"
            raise ValueError(f"{self.name} is played by a team, so there is no solution to find; see `{remedy}`")
        if self.is_game:
            raise ValueError(f"{self.name} is a game: there is no solution to find or check; see `graphwright match`")
        if not self.is_played or not isinstance(self.environment, Optimization):
            raise ValueError(f"{self.name} is sampled, not solved: it has no objective")
        return self.environment

    @property
    def sampled(self) -> Generation:
        """What is sampled. Raises ValueError where the problem is solved only."""
        if self.generation is None:
            raise ValueError(f"{self.name} is solved, not sampled: it has no reward in proportion to which to sample")
        return self.generation

    @property
    def builder(self) -> Reversible:
        """The environment that builds what is sampled. Raises ValueError where the problem is solved only."""
        environment = self.sampled.environment or self.environment
        if not isinstance(environment, Reversible):
            raise ValueError(f"{self.name}: {type(environment).__name__} cannot go back, which sampling takes")
        return environment

    def generator(
        self, topology: Topology | str | None = None, sizes: tuple[int, ...] | None = None, law: str | None = None
    ) -> InstanceGenerator:
        """Random instances; by default those to train on. Raises ValueError for options that do not exist."""
        if self.topology is None:
            raise ValueError(f"{self.name} is sampled, not solved: it has no random graphs")
        topology = parse_topology(topology or self.topology) if not isinstance(topology, Topology) else topology
        law = law or next(iter(self.laws))
        if law not in self.laws:
            raise ValueError(f"{self.name} has no law {law!r} of instances; choose one of {', '.join(self.laws)}")
        return InstanceGenerator(topology, sizes or self.sizes, self.laws[law])


def no_columns(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
    """The graph as it is: an instance without numbers."""
    return graph


def follow(choose: Choose) -> Follow:
    """The heuristic that lets `choose` (observation → action) decide every step."""
    return Follow(lambda _: choose)


def random_choice(environment: Environment, generator: torch.Generator) -> Choose:
    """The policy that draws every legal action with the same probability: a baseline for any environment."""
    return uniform_choice(environment.actions, generator)
