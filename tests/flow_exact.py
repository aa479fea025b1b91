"""Exact flows of small environments, by going through all of their states: what networks should learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch, Observation
from graphwright.distributions import RaggedCategorical
from graphwright.envs.generative.context import GraphContext
from graphwright.envs.generative.edge_sets import EdgeSets, complete_graphs
from graphwright.envs.generative.enumeration import StateSpace, enumerate_states
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.graph_building import GraphBuilding
from graphwright.envs.generative.grid import HyperGrid, axes
from graphwright.envs.reversible import Reversible
from graphwright.nn import EncoderConfig, HeadsConfig
from graphwright.nn.gflownet_policy import FlowEstimate, FlowPolicy, Masks

Reward = Callable[[GraphBatch], Tensor]
Backward = Callable[[GraphBatch], RaggedCategorical]


def coloured(max_nodes: int, colours: int = 2) -> GraphBuilding:
    """Connected graphs of coloured nodes."""
    return GraphBuilding(GraphContext(node_types=colours, max_nodes=max_nodes))


SMALL: dict[str, tuple[Reversible, GraphBatch]] = {
    "grid": (HyperGrid(2, 4), axes(1, 2)),
    "cube": (HyperGrid(3, 3), axes(1, 3)),
    "directed edges": (EdgeSets(3), complete_graphs(1, 3, directed=True)),
    "undirected edges": (EdgeSets(4), complete_graphs(1, 4, directed=False)),
    "two colours": (coloured(4), blank(1)),
    "trees": (GraphBuilding(GraphContext(node_types=2, max_nodes=4, cycles=False)), blank(1)),
}
"""Environments with an instance of each, small enough to be enumerated at once."""

_SPACES: dict[str, StateSpace] = {}


def space_of(name: str) -> StateSpace:
    """All states of one of `SMALL`."""
    if name not in _SPACES:
        _SPACES[name] = enumerate_states(*SMALL[name])
    return _SPACES[name]


def random_policy(environment: Reversible, learned: frozenset[str], seed: int = 0) -> FlowPolicy:
    """One whose scores differ clearly."""
    torch.manual_seed(seed)
    encoder = EncoderConfig(kind="gin", width=8, depth=2)
    policy = FlowPolicy(
        environment.features, environment.actions, environment.backward_actions, encoder, HeadsConfig(), learned
    )
    for name, parameter in policy.named_parameters():
        if name.endswith("score.weight"):
            torch.nn.init.normal_(parameter, std=2.0)
    return policy


def legal_moves(actions: ActionSpec, states: GraphBatch, masks: Masks, *, but_first: bool) -> tuple[Tensor, Tensor]:
    """The graph and the place of every legal candidate; without that of stop, if it is the first."""
    mask = actions.arrange(states, masks)
    segments = actions.segments(states)
    rows = (mask & (segments.position >= int(but_first))).nonzero().squeeze(1)
    return segments.index[rows], segments.position[rows]


def uniform_backward(environment: Reversible) -> Backward:
    """Every legal backward action alike, in float64."""

    def distribution(states: GraphBatch) -> RaggedCategorical:
        mask = environment.backward_actions.arrange(states, environment.backward_masks(states))
        logits = torch.zeros(mask.shape, dtype=torch.float64)
        return RaggedCategorical(logits, environment.backward_actions.segments(states), mask)

    return distribution


def learned_backward(environment: Reversible, policy: FlowPolicy) -> Backward:
    """That of a policy, normalised in float64."""

    @torch.no_grad()
    def distribution(states: GraphBatch) -> RaggedCategorical:
        found = policy.backward_distribution(environment.observe(states).graph, environment.backward_masks(states))
        return RaggedCategorical(found.logits.double(), found.segments)

    return distribution


@dataclass(frozen=True, eq=False)
class ExactFlows:
    """The flows that a reward and a backward policy make, and a policy that follows them.

    log_reward: from states [B] to log R [B] of the object that each would be, whatever has to be corrected.
    It is a `FlowPolicy` for all that objectives ask of one.
    """

    environment: Reversible
    space: StateSpace
    log_reward: Reward
    backward: Backward

    @cached_property
    def log_flow(self) -> Tensor:
        """[S] float64: log F(s), the sum of the rewards in proportion to which trajectories lead on from s."""
        space = self.space
        flow = torch.where(space.may_finish, self.log_reward(space.states).double(), -torch.inf).exp()
        after, reverse = self.environment.advance(
            space.states.select(space.source), space.move - space.candidates.ptr[space.source]
        )
        share = self.backward(after).log_prob(reverse).exp()
        level = torch.searchsorted(space.level_ptr, space.source, right=True) - 1
        for number in reversed(range(space.level_ptr.numel() - 1)):
            moves = (level == number).nonzero().squeeze(1)
            flow.index_add_(0, space.source[moves], flow[space.target[moves]] * share[moves])
        return flow.log()

    def flow_of(self, states: GraphBatch) -> Tensor:
        """[B] float64: log F of any states."""
        return self.log_flow[[self.space.keys[key] for key in self.environment.keys(states)]]

    # ---- a policy --------------------------------------------------------------------------------------------------

    def distribution(self, observation: Observation) -> RaggedCategorical:
        """Logits are the logarithms of the flows along actions; what is observed is the state."""
        states, masks = observation.graph, observation.masks
        environment, actions = self.environment, self.environment.actions
        segments = actions.segments(states)
        logits = torch.full((segments.num_rows,), -torch.inf, dtype=torch.float64)
        owner, action = legal_moves(actions, states, masks, but_first=environment.has_stop)
        after, reverse = environment.advance(states.select(owner), action)
        along = self.flow_of(after) + self.backward(after).log_prob(reverse)
        logits[segments.ptr[:-1][owner] + action] = along
        if environment.has_stop:
            stop = segments.ptr[:-1]
            may_stop = actions.arrange(states, masks)[stop]
            logits[stop[may_stop]] = self.log_reward(states.select(may_stop)).double()
        return RaggedCategorical(logits, segments)

    def __call__(self, states: GraphBatch, masks: Masks, backward_masks: Masks) -> FlowEstimate:
        return FlowEstimate(
            self.distribution(Observation(states, masks)),
            self.backward(states),
            self.flow_of(states),
            self.log_count(states),
        )

    def log_z_of(self, states: GraphBatch, rows: Tensor) -> Tensor:
        """log Z: the flow of the initial states at `rows`."""
        return self.flow_of(states.select(rows))

    def log_count(self, states: GraphBatch) -> Tensor:
        """[B] float64: log of the number of action sequences to each state, by counting on from the first."""
        return self.log_ways[[self.space.keys[key] for key in self.environment.keys(states)]]

    @cached_property
    def log_ways(self) -> Tensor:
        """[S] float64: the logarithm of the number of ways back from each state to the first."""
        return log_ways_back(self.environment, self.space)

    @property
    def backward_actions(self) -> ActionSpec:
        """What may be undone."""
        return self.environment.backward_actions

    def observe(self, state: GraphBatch) -> Observation:
        """All of a state, and what may be done."""
        return Observation(state, self.environment.observe(state).masks)


def ways_back(environment: Reversible, space: StateSpace) -> tuple[Tensor, Tensor, Tensor]:
    """For each legal backward action: its state, its place, and the state that it leads to, [P] int64 each."""
    masks = environment.backward_masks(space.states)
    owner, action = legal_moves(environment.backward_actions, space.states, masks, but_first=False)
    parents, _ = environment.undo(space.states.select(owner), action)
    reached = torch.tensor([space.keys[key] for key in environment.keys(parents)], dtype=torch.int64)
    return owner, action, reached


def log_ways_back(environment: Reversible, space: StateSpace) -> Tensor:
    """[S] float64: see `ExactFlows.log_ways`."""
    owner, _, parent = ways_back(environment, space)
    ways = torch.zeros(space.num_states, dtype=torch.float64)
    ways[0] = 1
    level = torch.searchsorted(space.level_ptr, owner, right=True) - 1
    for number in range(1, space.level_ptr.numel() - 1):
        moves = (level == number).nonzero().squeeze(1)
        ways.index_add_(0, owner[moves], ways[parent[moves]])
    return ways.log()
