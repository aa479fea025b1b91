"""Environments with one mistake each, as people make them: small subclasses of real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from graphwright.core import Features, GraphBatch, Observation, Step
from graphwright.core.segment import segment_max, segment_sum
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Solution
from graphwright.envs.problems.graph_robustness.environment import GRAPH_ROBUSTNESS, GraphRobustness
from graphwright.envs.problems.grid_navigation.environment import GRID_NAVIGATION, GridNavigation
from graphwright.envs.problems.independent_set.environment import INDEPENDENT_SET, IndependentSet
from graphwright.envs.problems.max_cut.environment import MaxCut
from graphwright.envs.problems.max_cut.problem import MAX_CUT
from graphwright.envs.problems.network_repair.environment import NETWORK_REPAIR, NetworkRepair
from graphwright.envs.problems.path_search.environment import PATH_SEARCH, PathSearch
from graphwright.envs.problems.steiner_tree.environment import STEINER_TREE, SteinerTree
from graphwright.envs.problems.tour.environment import TOUR, Tour
from graphwright.envs.problems.vertex_cover.environment import VERTEX_COVER, VertexCover

NAMED: dict[str, Environment] = {}
"""The twenty mistakes that the checker is measured by."""
OTHERS: dict[str, Environment] = {}
"""Further ones, such as nobody has asked about."""
BEYOND: dict[str, Environment] = {}
"""Such as no checker can find, since they are rules too, though not the ones that were meant."""

_PROBLEMS = {
    VertexCover: VERTEX_COVER,
    IndependentSet: INDEPENDENT_SET,
    MaxCut: MAX_CUT,
    Tour: TOUR,
    SteinerTree: STEINER_TREE,
    PathSearch: PATH_SEARCH,
    GridNavigation: GRID_NAVIGATION,
    NetworkRepair: NETWORK_REPAIR,
    GraphRobustness: GRAPH_ROBUSTNESS,
}
SIZES = {"vertex-cover": (5, 10), "independent-set": (12, 16), "grid-navigation": (9, 16)}


def instances_of(environment: Environment, count: int = 6) -> GraphBatch:
    """Instances such as the environment is made for, but small: a mistake shows in few steps too."""
    problem = next(problem for kind, problem in _PROBLEMS.items() if isinstance(environment, kind))
    return problem.generator(sizes=SIZES.get(problem.name, (9, 12)))(count, torch.Generator().manual_seed(3))


def named(name: str, **options: Any) -> Callable[[type], type]:
    return _kept(NAMED, name, options)


def other(name: str, **options: Any) -> Callable[[type], type]:
    return _kept(OTHERS, name, options)


def beyond(name: str, **options: Any) -> Callable[[type], type]:
    return _kept(BEYOND, name, options)


def _kept(table: dict[str, Environment], name: str, options: dict[str, Any]) -> Callable[[type], type]:
    def keep(kind: type) -> type:
        table[name] = kind(**options)
        return kind

    return keep


def shown(seen: Observation, **nodes: Tensor) -> Observation:
    return Observation(seen.graph.with_nodes(**nodes), seen.masks)


# ---- the graphs of a batch affect each other ------------------------------------------------------------------------


@named("batch leakage in observation")
class LargestOfTheBatch(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return shown(seen, relative_degree=seen.graph.in_degree / seen.graph.in_degree.max().clamp(min=1))


@named("batch leakage in mask")
class SparesTheLastNode(IndependentSet):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        mask = seen.masks[0].clone()
        if mask.numel() and segment_sum(mask, state.node_segments)[-1] > 1:
            mask[mask.nonzero()[-1]] = False
        return Observation(seen.graph, (mask,))


@named("batch leakage in reward")
class Baseline(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward - step.reward.mean())


@named("batch leakage in termination")
class TogetherOver(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, truncated=step.terminated.any() & ~step.terminated)


@named("batch leakage in objective")
class MeanOfTheBatch(IndependentSet):
    def objective(self, state: GraphBatch) -> Tensor:
        return super().objective(state) / state.num_graphs


@other("the largest time of the batch decides")
class TimeOfTheFirst(MaxCut):
    def _num_flips(self, state: GraphBatch) -> Tensor:
        left = super()._num_flips(state)
        return torch.where(state.graphs["time"].max() >= left.min(), 0, left) if left.numel() else left


@other("a statistic over all edges of the batch")
class MeanLength(Tour):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        distance = seen.graph.edges["distance"]
        return Observation(seen.graph.with_edges(distance=distance - distance.mean()), seen.masks)


@other("a batch of equal sizes is read as dense")
class DenseWhereEqual(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen, lengths = super().observe(state), state.node_segments.lengths
        if len(lengths) > 1 and bool((lengths == lengths[0]).all()):
            weight = seen.graph.nodes["weight"].view(len(lengths), -1)
            return shown(seen, weight=(weight / weight.sum(0)).reshape(-1))
        return seen


@other("instances are normalised together")
class ScaledTogether(VertexCover):
    def instance(self, graph: GraphBatch) -> GraphBatch:
        made = super().instance(graph)
        return made.with_graphs(scale=made.graphs["scale"].max().expand(made.num_graphs).clone())


@other("reset numbers the graphs of its batch")
class NumberedGraphs(VertexCover):
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return super().reset(instances).with_graphs(number=torch.arange(instances.num_graphs))


@other("a reward that depends on the batch size")
class SharedReward(IndependentSet):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward / len(action))


# ---- impure methods -------------------------------------------------------------------------------------------------


@named("objective in place")
class ObjectiveInPlace(VertexCover):
    def objective(self, state: GraphBatch) -> Tensor:
        value = super().objective(state)
        state.nodes["selected"].fill_(False)
        return value


@named("step in place")
class StepInPlace(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        state.nodes["selected"][state.node_ptr[:-1] + action] = True
        return super().step(state, action)


@named("observe in place")
class ObserveInPlace(MaxCut):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        state.graphs["cut"] /= 2
        return seen


@other("step writes into the action")
class ActionInPlace(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        action += state.node_ptr[:-1]
        return super().step(state, action - state.node_ptr[:-1])


@other("solution in place")
class SolutionInPlace(IndependentSet):
    def solution(self, state: GraphBatch) -> Solution:
        state.nodes["free"].logical_not_()
        return super().solution(state)


@other("observe adds a column to the state that it is given")
class ColumnAdded(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        state.nodes["degree"] = state.in_degree  # type: ignore[index]
        return super().observe(state)


@named("nondeterminism")
class Noise(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward + 0.01 * torch.randn_like(step.reward))


@other("noise in the observation, from a generator of its own")
class NoisyView(IndependentSet):
    def observe(self, state: GraphBatch) -> Observation:
        if not hasattr(self, "generator"):
            object.__setattr__(self, "generator", torch.Generator().manual_seed(0))
        seen = super().observe(state)
        drop = torch.rand(state.num_nodes, generator=self.generator) < 0.02  # type: ignore[attr-defined]
        return shown(seen, margin=seen.graph.nodes["margin"].masked_fill(drop, 0))


@named("reset keeps state between calls")
class Counts(VertexCover):
    def reset(self, instances: GraphBatch) -> GraphBatch:
        object.__setattr__(self, "resets", getattr(self, "resets", 0) + 1)
        return super().reset(instances)

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward * (1 + 0.01 * getattr(self, "resets", 0)))


@other("the environment holds the instances")
class HoldsWeights(VertexCover):
    def reset(self, instances: GraphBatch) -> GraphBatch:
        object.__setattr__(self, "weight", instances.nodes["weight"])
        return super().reset(instances)

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=-self.weight[state.node_ptr[:-1] + action])  # type: ignore[attr-defined]


@other("a buffer is filled again")
class Buffer(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen, rows = super().observe(state), state.num_nodes
        if not hasattr(self, "buffer"):
            object.__setattr__(self, "buffer", torch.zeros(100_000))
        kept: Tensor = self.buffer[:rows]  # type: ignore[attr-defined]
        return shown(seen, relative_degree=kept.copy_(seen.graph.nodes["relative_degree"]))


# ---- what is wrong in itself ----------------------------------------------------------------------------------------


@named("wrong sign of the reward")
class RewardsWeight(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=-step.reward)


@other("wrong sign of the objective")
class NegativeObjective(Tour):
    def objective(self, state: GraphBatch) -> Tensor:
        return -super().objective(state)


@other("maximise the wrong way round")
class Minimises(IndependentSet):
    maximise = False


@other("reward is the change of the objective, though less is better")
class Gain(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=(self.objective(step.state) - self.objective(state)).float())


@other("rewards are always 0")
class Worthless(IndependentSet):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=torch.zeros_like(step.reward))


@named("ending before complete")
class EndsEarly(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        chosen = segment_sum(step.state.nodes["selected"], state.node_segments)
        return replace(step, terminated=step.terminated | (2 * chosen >= state.node_segments.lengths - 1))


@other("ends before it is complete, and leaves nothing to do")
class ThreeStops(Tour):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        inside = segment_sum(seen.graph.nodes["visited"], state.node_segments)
        return Observation(seen.graph, (seen.masks[0] & (inside < 3)[state.node_graph],))

    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=~segment_sum(self.observe(step.state).masks[0], state.node_segments).bool())


@other("ends one step late, where nothing is left to do")
class Late(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=self.is_complete(state))


@named("an episode that never ends")
class Forever(MaxCut):
    def _num_flips(self, state: GraphBatch) -> Tensor:
        return super()._num_flips(state) + torch.inf


@named("masks allow chosen nodes again")
class ChosenAgain(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return Observation(seen.graph, ((seen.graph.edge_segments.lengths > 0)[state.node_graph],))


@named("masks allow all edges")
class AllEdges(SteinerTree):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        live = ~self.is_complete(state)
        return Observation(seen.graph, (live[state.edge_graph[state.links[0]]],))


@other("masks allow links that are closed already")
class SwitchesAgain(NetworkRepair):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        repair, switch, wait = seen.masks
        live = (seen.graph.graphs["dark"] > 0)[state.edge_graph[state.links[0]]]
        return Observation(seen.graph, (repair, live & torch.ones_like(switch), wait))


@other("a mask by order: only pairs u < v")
class OneWayRound(GraphRobustness):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        size = state.node_segments.lengths
        pairs = self.actions.blocks[0].row_segments(state)
        upper = pairs.position // size[pairs.index] < pairs.position % size[pairs.index]
        return Observation(seen.graph, (seen.masks[0] & upper,))


@other("a mask by order of the edges")
class OddEdges(NetworkRepair):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        repair, switch, wait = seen.masks
        first = state.links[1].position < 12
        return Observation(seen.graph, (repair, switch & first, wait | ~wait))


# ---- order ----------------------------------------------------------------------------------------------------------


@named("edge columns depend on order", view="all")
@dataclass(frozen=True)
class EdgeNumbers(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        upward = seen.graph.edge_index[0] < seen.graph.edge_index[1]
        return Observation(seen.graph.with_edges(covered=seen.graph.edges["covered"] & upward), seen.masks)


@named("graph columns depend on order")
class FirstOfTheGraph(MaxCut):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return Observation(seen.graph.with_graphs(uphill=seen.graph.nodes["gain"][state.node_ptr[:-1]]), seen.masks)


@other("node columns depend on order")
class NodeNumbers(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return shown(seen, log_degree=state.node_segments.position.float().log1p())


@other("order through reset")
class OrderFromReset(VertexCover):
    def reset(self, instances: GraphBatch) -> GraphBatch:
        return super().reset(instances).with_nodes(rank=instances.node_segments.position)

    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return shown(seen, relative_degree=state.nodes["rank"] / state.node_segments.lengths[state.node_graph])


@other("reward depends on order")
class FirstIsFree(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward.masked_fill(action == 0, 0))


@other("termination depends on order")
class FirstEnds(PathSearch):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, truncated=step.state.nodes["here"][state.node_ptr[:-1]] & ~step.terminated)


@other("objective depends on order")
class CountsFromTheFirst(IndependentSet):
    def objective(self, state: GraphBatch) -> Tensor:
        place = 1 + state.node_segments.position.double() / state.node_segments.lengths[state.node_graph]
        return segment_sum(state.nodes["selected"] * state.nodes["weight"] * place, state.node_segments)


# ---- units and forms ------------------------------------------------------------------------------------------------


@named("raw units")
class RawWeights(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        return shown(super().observe(state), weight=state.nodes["weight"])


@other("raw units after a while")
class RawGap(Tour):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        gap = seen.graph.nodes["gap"] * state.graphs["scale"].float()[state.node_graph]
        return shown(seen, gap=gap)


@other("raw units of edges")
class RawLengths(MaxCut):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return shown(seen, gain=seen.graph.nodes["gain"] * state.graphs["scale"][state.node_graph])


@named("wrong dtype of a mask")
class FloatMask(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return Observation(seen.graph, (seen.masks[0].float(),))


@named("wrong dtype of the reward")
class DoubleReward(IndependentSet):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward.double())


@other("wrong dtype of the objective")
class FloatObjective(VertexCover):
    def objective(self, state: GraphBatch) -> Tensor:
        return super().objective(state).float()


@other("wrong dtype of an end")
class NumberEnds(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, terminated=step.terminated.int())


@other("a column changes its dtype")
class Promoted(MaxCut):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, state=step.state.with_graphs(time=step.state.graphs["time"].long()))


@other("a mask of another shape")
class WideMask(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return Observation(seen.graph, (torch.stack([seen.masks[0]] * 2, dim=1),))


@other("rewards in a column")
class ColumnOfRewards(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward.unsqueeze(1))


@other("NaN in the observation")
class OverNothing(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        degree = seen.graph.in_degree.float()
        return shown(seen, relative_degree=degree / segment_max(degree, state.node_segments)[state.node_graph])


@other("features declares a column that is missing")
class Forgotten(VertexCover):
    features = Features(nodes={"weight": 1, "colour": 1})  # type: ignore[assignment]


@other("features declares another width")
class TooWide(VertexCover):
    features = Features(nodes={"weight": 2})  # type: ignore[assignment]


@other("rewards are infinite")
class Priceless(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward / 0)


@other("a step changes the instance")
class Spends(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        weight = state.nodes["weight"].index_fill(0, state.node_ptr[:-1] + action, 0)
        return replace(step, state=step.state.with_nodes(weight=weight))


@other("a step forgets a column")
class Loses(MaxCut):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step, nodes = super().step(state, action), list(state.nodes)
        nodes.remove("flipped")
        return replace(step, state=step.state.keep(nodes, list(state.edges), list(state.graphs)))


@other("instance is not done once")
class ScalesAgain(VertexCover):
    def instance(self, graph: GraphBatch) -> GraphBatch:
        made = super().instance(graph)
        return made.with_nodes(weight=made.nodes["weight"] / (1 + made.graphs["scale"])[made.node_graph])


@other("a solution names no node of its graph")
class OffByOne(VertexCover):
    def solution(self, state: GraphBatch) -> Solution:
        nodes, links = super().solution(state)
        return Solution(nodes + 1, links)


@other("cost is turned twice")
class Turned(IndependentSet):
    def cost(self, state: GraphBatch) -> Tensor:
        return self.objective(state)


@other("one graph alone is squeezed away")
class Squeezed(VertexCover):
    def step(self, state: GraphBatch, action: Tensor) -> Step:
        step = super().step(state, action)
        return replace(step, reward=step.reward.squeeze())


@other("raises for a batch of its own")
class NeedsTwo(VertexCover):
    def observe(self, state: GraphBatch) -> Observation:
        if state.num_graphs == 1:
            raise RuntimeError("expected a batch")
        return super().observe(state)


@beyond("the robot may drive into walls, which costs a step")
class ThroughWalls(GridNavigation):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        live = seen.masks[0].any(1, keepdim=True)
        return Observation(seen.graph, (live.expand(seen.masks[0].shape).clone(),))


@beyond("a set that is called independent, and is not")
class Joined(IndependentSet):
    def observe(self, state: GraphBatch) -> Observation:
        seen = super().observe(state)
        return Observation(seen.graph, (~state.nodes["selected"] & state.nodes["free"].any(),))


@beyond("every solution is called complete, and the first step ends the episode")
class OneStep(VertexCover):
    def is_complete(self, state: GraphBatch) -> Tensor:
        return segment_sum(state.nodes["selected"], state.node_segments) > 0
