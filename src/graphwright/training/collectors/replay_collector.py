"""`ReplayCollector`: steps of live episodes are remembered, and drawn again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from typing_extensions import override

from graphwright.core.segment import Segments
from graphwright.core.timestep import remembered
from graphwright.data.recording import Recording
from graphwright.data.replay import Replay
from graphwright.data.ring import Group
from graphwright.data.samples import DECISIONS, InARow, ReplaySamples
from graphwright.data.sources import GeneratedInstances
from graphwright.data.stores import InstancesOnce, WholeGraphs
from graphwright.envs.team import graph_reward, has_own_reward
from graphwright.envs.vector import VectorEnv
from graphwright.training.collectors.collector import Collected
from graphwright.training.collectors.live import LiveCollector
from graphwright.training.collectors.n_step import ahead, select_graphs, window
from graphwright.training.collectors.possible import require_live, require_possible
from graphwright.training.collectors.recorded_replay import remember

if TYPE_CHECKING:
    from graphwright.training.collectors.replay import ReplayConfig


class ReplayCollector(LiveCollector):
    """`num_steps` steps of every live episode into a replay, and minibatches of it."""

    def __init__(
        self,
        vector: VectorEnv,
        config: ReplayConfig,
        n_step: int,
        generator: torch.Generator,
        source: GeneratedInstances | None = None,
        recording: Recording | None = None,
    ) -> None:
        super().__init__(vector, source)
        self.config = config
        self.offline = torch.tensor(config.offline_updates)  # updates to come before anything is played
        self.n_step = n_step
        self.generator = generator
        self.behaviour = config.behaviour
        self.in_a_row = InARow(config.sequence, vector.num_envs) if config.memory else None
        self.sampling = torch.Generator().manual_seed(generator.initial_seed())  # of the CPU, as a replay wants it
        store = WholeGraphs if vector.environment.edits_graph else InstancesOnce
        self.replay = Replay(config.capacity, store, config.megabytes << 20)
        if recording is not None:
            remember(recording, self.replay, n_step)
        self.here = self.replay.add_states(vector.state, instances=vector.instances)  # [B]: the ids of the live states
        self._declare()

    @property
    @override
    def steps_before_learning(self) -> int:
        return max(self.config.warm_up - self.replay.num_added, 0)  # of which memory may have room for fewer

    @override
    def collect(self, policy: Any) -> Collected:
        config, num_steps, ended = self.config, 0, []
        samples = ReplaySamples(
            self.replay, config.num_minibatches, config.minibatch_size, config.priority, self.sampling, self.in_a_row
        )
        if self.offline > 0:
            self.offline = self.offline - 1
            return Collected(samples, 0, {})
        while num_steps == 0 or self.steps_before_learning:
            ended.append(self._steps(policy))
            num_steps += config.num_steps * config.num_envs
        metrics = {name: torch.stack([of[name] for of in ended]).nanmean() for name in ended[0]}
        return Collected(samples, num_steps, metrics)

    def _steps(self, policy: Any) -> dict[str, Tensor]:
        """Remember `num_steps` steps of every live episode; the mean return and length of those that ended."""
        vector, environment = self.vector, self.vector.environment
        before, after, decisions, rewards, terminated, truncated, lost = ([] for _ in range(7))
        for _ in range(self.config.num_steps):
            observation = vector.observe()
            graphs = environment.actions.deciders(observation.graph)
            action, memory = self.behaviour(policy, observation, self.generator)
            vector.state = remembered(vector.state, memory)
            step = vector.step(action)
            before.append(self.here)
            after.append(self._store(step))
            columns = {"action": action}
            if not environment.actions.one_per_graph:
                successor = graphs.position if step.successor is None else step.successor
                columns["successor"] = successor.long()
            if has_own_reward(environment):
                columns["reward"] = step.reward
            decisions.append(Group(graphs, columns))
            rewards.append(graph_reward(environment, step.reward, graphs))
            terminated.append(step.terminated)
            truncated.append(step.truncated)
            lost.append(torch.zeros_like(step.truncated) if step.lost is None else step.lost)
        table = [torch.stack(column) for column in (rewards, terminated, truncated, lost)]
        self._remember(before, torch.stack(after), decisions, *table)
        return self.of_ended(table[0], table[1] | table[2], table[3])

    def _store(self, step: Any) -> Tensor:
        """[B] int64: the ids of the states that a step led to; `here` goes on from what is live now."""
        done = step.terminated | step.truncated
        after, here = self.here.clone(), self.here.clone()
        if step.truncated.any():
            after[step.truncated] = self.replay.add_states(step.final, after=self.here[step.truncated])
        if not done.all():
            state = self.vector.state.select(~done) if done.any() else self.vector.state
            here[~done] = after[~done] = self.replay.add_states(state, after=self.here[~done])
        if done.any():
            here[done] = self.replay.add_states(self.vector.state.select(done), instances=step.fresh)
        self.here = here
        return after

    def _remember(
        self,
        before: Sequence[Tensor],
        after: Tensor,
        decisions: Sequence[Group],
        reward: Tensor,
        terminated: Tensor,
        truncated: Tensor,
        lost: Tensor,
    ) -> None:
        """Add the transitions of [T, B] steps, over up to `n_step` of them."""
        done = terminated | truncated
        for row, (state, group) in enumerate(zip(before, decisions, strict=True)):
            steps, length = window(row, done, self.n_step)
            last = (row + length - 1, torch.arange(state.numel(), device=state.device))
            counts = torch.arange(steps.stop - row, device=state.device)[:, None] < length
            kept = ~(lost[steps] & counts).any(0)
            rewards = reward.new_zeros(self.n_step, state.numel())
            rewards[: len(counts)] = reward[steps] * counts
            columns = {"reward": rewards.T.contiguous(), "length": length, "terminated": terminated[last]}
            if "successor" in group.columns:
                group = Group(group.segments, {**group.columns, **ahead(decisions[steps], length, self.n_step)})
            if not kept.all():
                columns = {name: column[kept] for name, column in columns.items()}
                group = select_graphs(group, kept)
            self.replay.add(state[kept], after[last][kept], columns, {DECISIONS: group})

    def _declare(self) -> None:
        """Say what transitions are made of before there are any: what a file holds has to be the same."""
        actions, device = self.vector.environment.actions, self.here.device
        integers, numbers = (torch.empty(0, dtype=kind, device=device) for kind in (torch.int64, torch.float32))
        columns = {"action": numbers.view(0, actions.blocks[0].columns) if actions.continuous else integers}
        columns |= {} if actions.one_per_graph else {"successor": integers}
        columns |= {"reward": numbers.view(0, self.n_step)} if has_own_reward(self.vector.environment) else {}
        own = {"reward": numbers.view(0, self.n_step), "length": integers, "terminated": integers.bool()}
        self.replay.add(integers, integers, own, {DECISIONS: Group(Segments(integers.new_zeros(1)), columns)})

    @override
    def state_dict(self) -> dict[str, Tensor]:
        replay = {f"replay.{name}": tensor for name, tensor in self.replay.state_dict().items()}
        own = {"here": self.here, "sampling": self.sampling.get_state(), "offline": self.offline}
        return {**own, **replay, **super().state_dict()}

    @override
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        replay = {key.removeprefix("replay."): tensor for key, tensor in state.items() if key.startswith("replay.")}
        self.replay.load_state_dict(replay)
        self.here = state["here"].to(self.here.device)
        self.sampling.set_state(state["sampling"])
        self.offline = state["offline"].clone()
        if len(self.replay) > self.config.capacity:
            raise ValueError("a replay of another size")
        require_live(self.replay, self.here, self.vector.state)
        require_possible(self.replay, self.vector.environment, self.n_step)
