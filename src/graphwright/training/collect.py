"""Collection: a policy plays, and what it did becomes one complete table."""

from __future__ import annotations

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.rollout import Episodes, Rollout
from graphwright.data.states import StateTable
from graphwright.envs.environment import Environment
from graphwright.envs.episodes import repeat_each, unroll
from graphwright.envs.vector import VectorEnvironment
from graphwright.nn import GraphPolicy


def collect_steps(
    vector: VectorEnvironment, policy: GraphPolicy, num_steps: int, generator: torch.Generator
) -> Rollout:
    """`num_steps` steps of every live episode, going on from where they are."""
    num_envs = vector.num_envs
    row = torch.arange(num_envs, device=vector.state.device)  # of each live episode's instance
    instances, rows, states = [vector.instances], [], []
    final_rows: list[Tensor] = []
    final_states: list[GraphBatch] = []
    decisions, steps = [], []
    num_instances = num_envs
    for _ in range(num_steps):
        rows.append(row)
        states.append(vector.state)
        decisions.append(policy.act(vector.observe(), generator))
        step = vector.step(decisions[-1].action)
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
    return Rollout(
        states=StateTable.of(
            GraphBatch.concat(instances), [*rows, row, *final_rows], [*states, vector.state, *final_states]
        ),
        action=torch.stack([decision.action for decision in decisions]).to(torch.int32),
        log_prob=torch.stack([decision.log_prob for decision in decisions]),
        reward=torch.stack([step.reward for step in steps]),
        terminated=torch.stack([step.terminated for step in steps]),
        truncated=truncated,
        next_row=_next_rows(truncated),
    )


def collect_episodes(
    environment: Environment, instances: GraphBatch, repeats: int, policy: GraphPolicy, generator: torch.Generator
) -> Episodes:
    """`repeats` whole episodes of each of `instances`."""
    start = environment.reset(repeat_each(instances, repeats))
    returns = torch.zeros(start.num_graphs, device=start.device)
    episodes, states, actions = [], [], []
    for moment in unroll(environment, start, lambda observation: policy.act(observation, generator).action):
        episodes.append(moment.episode)
        states.append(moment.state)
        actions.append(moment.action)
        returns[moment.episode] += moment.step.reward
    if not states:
        raise ValueError("none of the instances leaves anything to decide; give the generator larger or denser graphs")
    return Episodes(
        states=StateTable.of(instances, [episode // repeats for episode in episodes], states),
        action=torch.cat(actions).to(torch.int32),
        episode=torch.cat(episodes).to(torch.int32),
        returns=returns.view(-1, repeats),
    )


def _next_rows(truncated: Tensor) -> Tensor:
    """[T, B] int32: one step on, or among the final states, which follow the T · B + B others."""
    num_steps, num_envs = truncated.shape
    following = torch.arange(num_envs, (num_steps + 1) * num_envs, device=truncated.device).view_as(truncated)
    final = (num_steps + 1) * num_envs + truncated.flatten().cumsum(0).view_as(truncated) - 1
    return torch.where(truncated, final, following).to(torch.int32)
