"""What a replay costs: adding and sampling transitions, over the update that learns from them.

    python benchmarks/speed/replay.py [--json] [--threads 1]

The default network plays vertex cover on 512 graphs at a time. Its transitions go into a replay that is full, so that
the oldest give way, and as many are drawn from it, uniformly and by priority. The update is one gradient step on 512
states: observation, forward, backward, Adam. All are timed in turn in one process; figures are medians.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
import tyro
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.data.replay import Replay, Transitions
from graphwright.data.sources import GeneratedInstances
from graphwright.data.stores import InstancesOnce, StateStore, WholeGraphs
from graphwright.envs.generators import InstanceGenerator, WattsStrogatz
from graphwright.envs.problems.vertex_cover.environment import VertexCover
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

STORES: dict[str, type[StateStore]] = {"instances once": InstancesOnce, "whole graphs": WholeGraphs}


@dataclass(frozen=True)
class Cost:
    """Of one way to store states. Times in milliseconds; share: of adding and sampling in the update.

    steady_bytes: memory of all tables over the transitions that they hold.
    """

    stored: str
    add_ms: float
    sample_ms: float
    by_priority_ms: float
    update_ms: float
    share: float
    steady_bytes: float


class Episodes:
    """`count` episodes side by side, whose transitions go into a replay; what ends begins anew on a fresh instance."""

    def __init__(self, replay: Replay, policy: ActorCritic, count: int, nodes: int) -> None:
        self.environment = VertexCover()
        self.source = GeneratedInstances(InstanceGenerator(WattsStrogatz(), (nodes,)), seed=0)
        self.policy = policy
        self.replay = replay
        instances = self.source.draw(count)
        self.state = self.environment.reset(instances)
        self.ids = replay.add_states(self.state, instances=instances)

    def step(self) -> float:
        """Play a step and add it; the milliseconds that adding took."""
        action = self.policy.act(self.environment.observe(self.state)).action
        step = self.environment.step(self.state, action)
        over = (step.terminated | step.truncated).nonzero().squeeze(1)
        fresh = self.source.draw(over.numel())
        begun = self.environment.reset(fresh)
        columns = {"action": action.int(), "reward": step.reward, "terminated": step.terminated}

        def add() -> None:
            following = self.replay.add_states(step.state, after=self.ids)
            self.replay.add(self.ids, following, columns)
            self.ids = following
            if over.numel():
                self.ids = following.index_copy(0, over, self.replay.add_states(begun, instances=fresh))

        spent = milliseconds(add)
        self.state = step.state.replace(over, begun) if over.numel() else step.state
        return spent


def measure(stored: str, options: Options) -> Cost:
    """Fill a replay, then alternate what is timed."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    environment = VertexCover()
    policy = ActorCritic(environment.features, environment.actions, EncoderConfig(), HeadsConfig())
    optimizer = torch.optim.Adam(policy.parameters(), 1e-4)
    replay = Replay(options.capacity, STORES[stored])
    episodes = Episodes(replay, policy, options.transitions, options.nodes)
    while len(replay) < options.capacity:
        episodes.step()

    times: dict[str, list[float]] = {"add": [], "sample": [], "by_priority": [], "update": []}
    for repeat in range(options.repeats + 1):
        found: dict[str, Any] = {}

        def sample(found: dict[str, Any] = found) -> None:
            found["batch"] = replay.sample(options.transitions, generator)

        def by_priority(found: dict[str, Any] = found) -> None:
            batch = replay.sample_by_priority(options.transitions, generator)
            replay.set_priority(batch.ids, batch.weight)
            found["batch"] = batch

        spent = {"add": episodes.step(), "sample": milliseconds(sample), "by_priority": milliseconds(by_priority)}
        spent["update"] = milliseconds(lambda batch=found["batch"]: update(policy, optimizer, environment, batch))
        if repeat:  # the first one compiles
            for name, value in spent.items():
                times[name].append(value)
    median = {name: statistics.median(values) for name, values in times.items()}
    share = (median["add"] + median["sample"]) / median["update"]
    held = replay.num_bytes / len(replay)
    return Cost(stored, median["add"], median["sample"], median["by_priority"], median["update"], share, held)


def update(policy: ActorCritic, optimizer: torch.optim.Optimizer, environment: VertexCover, batch: Transitions) -> None:
    """One gradient step of an actor and a critic on the states of `batch`."""
    state: GraphBatch = batch.state
    distribution, value = policy(environment.observe(state))
    target: Tensor = batch.columns["reward"]
    log_prob = distribution.log_prob(batch.columns["action"].long())
    loss = (value - target).square().mean() - (log_prob * (target - value.detach())).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def milliseconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


@dataclass(frozen=True)
class Options:
    """What to measure."""

    transitions: int = 512
    """Transitions that are added and drawn at a time."""
    nodes: int = 100
    """Nodes of each graph."""
    capacity: int = 20_480
    """Transitions that the replay holds."""
    repeats: int = 15
    """Timings of which the median is taken."""
    threads: int = 1
    """Threads of everything."""
    json: bool = False
    """Write one JSON document to stdout."""


def main(options: Options) -> None:
    torch.set_num_threads(options.threads)
    rows = [measure(stored, options) for stored in STORES]
    if options.json:
        machine = f"{platform.machine()}, torch {torch.__version__}"
        print(json.dumps({"machine": machine, "options": asdict(options), "rows": [asdict(r) for r in rows]}, indent=2))
        return
    print("| states | add: ms | sample: ms | by priority: ms | update: ms | add + sample, of the update | bytes held |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row.stored} | {row.add_ms:.1f} | {row.sample_ms:.1f} | {row.by_priority_ms:.1f} | {row.update_ms:.0f} "
            f"| {row.share:.1%} | {row.steady_bytes:,.0f} |"
        )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
