"""Collection: a policy plays, and what it did becomes one complete table."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphwright.core import ActionSpec, GraphBatch
from graphwright.core.segment import Segments
from graphwright.data.actions import ActionTable
from graphwright.data.demonstrations import Demonstrations
from graphwright.data.rollout import Episodes, Rollout
from graphwright.data.states import States, StateTable, WholeStates
from graphwright.distributions import RaggedCategorical
from graphwright.envs.environment import Environment
from graphwright.envs.problem import Expert
from graphwright.envs.rollouts import has_choice, is_over, repeat_each, unroll, until_done
from graphwright.envs.team import graph_reward, has_own_reward
from graphwright.envs.vector import VectorEnv
from graphwright.nn import GraphPolicy


def collect_steps(vector: VectorEnv, policy: GraphPolicy, num_steps: int, generator: torch.Generator) -> Rollout:
    """`num_steps` steps of every live episode, going on from where they are."""
    num_envs = vector.num_envs
    row = torch.arange(num_envs, device=vector.state.device)  # of each live episode's instance
    instances, rows, states = [vector.instances], [], []
    final_rows: list[Tensor] = []
    final_states: list[GraphBatch] = []
    chosen, steps = [], []
    num_instances = num_envs
    for _ in range(num_steps):
        rows.append(row)
        states.append(vector.state)
        chosen.append(policy.act(vector.observe(), generator))
        step = vector.step(chosen[-1].action)
        steps.append(step)
        if step.final.num_graphs:
            final_rows.append(row[step.truncated])
            final_states.append(step.final)
        if step.fresh.num_graphs:
            row = row.clone()
            row[step.terminated | step.truncated] = num_instances + torch.arange(
                step.fresh.num_graphs, device=row.device
            )
            num_instances += step.fresh.num_graphs
            instances.append(step.fresh)
    truncated = torch.stack([step.truncated for step in steps])
    environment, graphs = vector.environment, [choice.graphs for choice in chosen]
    rewards = [graph_reward(environment, step.reward, own) for step, own in zip(steps, graphs, strict=True)]
    return Rollout(
        states=_store(
            environment,
            GraphBatch.concat(instances),
            [*rows, row, *final_rows],
            [*states, vector.state, *final_states],
        ),
        action=_table(environment.actions, [choice.action for choice in chosen], graphs),
        log_prob=torch.cat([choice.log_prob for choice in chosen]),
        reward=torch.stack(rewards),
        terminated=torch.stack([step.terminated for step in steps]),
        truncated=truncated,
        next_row=_next_rows(truncated),
        lost=torch.stack([torch.zeros_like(step.truncated) if step.lost is None else step.lost for step in steps]),
        own_reward=torch.cat([step.reward for step in steps]) if has_own_reward(environment) else None,
        successor=_successors([step.successor for step in steps], graphs),
    )


def collect_episodes(
    environment: Environment, instances: GraphBatch, num_samples: int, policy: GraphPolicy, generator: torch.Generator
) -> Episodes:
    """`num_samples` whole episodes of each of `instances`."""
    start = environment.reset(repeat_each(instances, num_samples))
    returns = torch.zeros(start.num_graphs, device=start.device)
    episodes, states, actions, graphs = [], [], [], []
    for transition in unroll(environment, start, lambda observation: policy.act(observation, generator).action):
        episodes.append(transition.episode)
        states.append(transition.state)
        actions.append(transition.action)
        graphs.append(transition.graphs)
        returns[transition.episode] += transition.reward
    _require_steps(states)
    return Episodes(
        states=_store(environment, instances, [episode // num_samples for episode in episodes], states),
        action=_table(environment.actions, actions, graphs),
        episode=torch.cat(episodes).to(torch.int32),
        returns=returns.view(-1, num_samples),
    )


@torch.no_grad()
def collect_demonstrations(
    environment: Environment,
    instances: GraphBatch,
    solutions: GraphBatch,
    expert: Expert,
    policy: GraphPolicy,
    generator: torch.Generator,
    *,
    num_samples: int,
    expert_share: float,
) -> Demonstrations:
    """`num_samples` whole episodes of each of `instances`, in which the expert takes a share of the steps.

    solutions: a final state of each instance, at which the expert aims. Where it takes a step, it is the policy that
    draws among what the expert approves of; where the expert approves of nothing, the policy goes on alone.
    """
    start, goal = environment.reset(repeat_each(instances, num_samples)), repeat_each(solutions, num_samples)
    returns = torch.zeros(start.num_graphs, device=start.device)
    begun = has_choice(environment, environment.observe(start)).nonzero().squeeze(1)
    aim = goal.select(begun)
    approved, lengths = [], []
    graphs: Segments

    def act(episode: Tensor, state: GraphBatch) -> Tensor:
        nonlocal aim, graphs
        if aim.num_graphs > episode.numel():  # some are over
            aim = goal.select(begun[episode])
        observation = environment.observe(state)
        distribution, graphs = policy.distribution(observation), environment.actions.deciders(observation.graph)
        assert isinstance(distribution, RaggedCategorical)
        approved.append(expert(state, aim))
        lengths.append(environment.actions.joint(observation.graph, distribution.segments.lengths))
        return _guided(distribution, approved[-1], graphs, expert_share, generator)

    episodes, states = [], []
    for transition in until_done(start.select(begun), act, environment.step, ends=is_over):
        assert transition.step is not None
        episodes.append(begun[transition.episode])
        states.append(transition.state)
        returns[episodes[-1]] += graph_reward(environment, transition.step.reward, graphs)
    _require_steps(states)
    return Demonstrations(
        states=_store(environment, instances, [episode // num_samples for episode in episodes], states),
        approved=torch.cat(approved),
        candidates=Segments.from_lengths(torch.cat(lengths)),
        returns=returns,
    )


def _guided(
    distribution: RaggedCategorical,
    approved: Tensor,
    graphs: Segments,
    expert_share: float,
    generator: torch.Generator,
) -> Tensor:
    """[D] int64: a draw among what is `approved` [K] bool in a share of the graphs, and among everything elsewhere."""
    right = RaggedCategorical(distribution.logits, distribution.segments, approved).sample(generator)
    guided = torch.rand(graphs.num_groups, generator=generator, device=right.device) < expert_share
    return torch.where(guided[graphs.index] & (right >= 0), right, distribution.sample(generator))


def _table(spec: ActionSpec, actions: Sequence[Tensor], graphs: Sequence[Segments]) -> ActionTable:
    return ActionTable.of(actions, None if spec.one_per_graph else graphs)


def _successors(successors: Sequence[Tensor | None], graphs: Sequence[Segments]) -> Tensor | None:
    """[Q] int32, see `Rollout`."""
    if all(successor is None for successor in successors):
        return None
    places = [own.position if given is None else given for given, own in zip(successors, graphs, strict=True)]
    return torch.cat(places).to(torch.int32)


def _require_steps(states: Sequence[GraphBatch]) -> None:
    if not states:
        raise ValueError("none of the instances leaves anything to decide; give the generator larger or denser graphs")


def _store(
    environment: Environment, instances: GraphBatch, instance_rows: Sequence[Tensor], states: Sequence[GraphBatch]
) -> States:
    """`states`, batches of states of the instances at `instance_rows`, each thing once where that can be."""
    if environment.edits_graph:
        return WholeStates(GraphBatch.concat(states))
    return StateTable.of(instances, instance_rows, states)


def _next_rows(truncated: Tensor) -> Tensor:
    """[T, B] int32: one step on, or among the final states, which follow the T · B + B others."""
    num_steps, num_envs = truncated.shape
    following = torch.arange(num_envs, (num_steps + 1) * num_envs, device=truncated.device).view_as(truncated)
    final = (num_steps + 1) * num_envs + truncated.flatten().cumsum(0).view_as(truncated) - 1
    return torch.where(truncated, final, following).to(torch.int32)
