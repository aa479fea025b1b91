"""Decisions a second of a policy that decides for one graph, as online: a batch of one, no gradient, one thread.

    python benchmarks/speed/online.py [--nodes 20] [--seconds 2] [--compiled] [--profile]

For each problem: how often the policy decides in a state as it is observed, and how often a step as a whole is played
(observe, decide, step). --compiled: how often the exported, compiled policy does, from the same observation to the
action, where there is one decision and it can be exported. --profile says where the time of deciding goes.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from graphwright.core import GraphBatch, Observation
from graphwright.envs.registry import find_problem
from graphwright.nn import GraphPolicy
from graphwright.training.config import TrainConfig, make_generator
from graphwright.training.export import inputs_of, save_policy_program

_BLOCK = 20
PROBLEMS = ("single-hop", "conflict-graph", "multi-hop-links", "vertex-cover", "tour")


def policy_and_state(name: str, nodes: int) -> tuple[GraphPolicy, object, GraphBatch]:
    """An untrained policy of the problem's own network, its environment, and a state of one instance."""
    problem = find_problem(name)
    config = TrainConfig.for_problem(problem, "ppo")
    environment = config.environment
    torch.manual_seed(0)
    policy = GraphPolicy(environment.features, environment.actions, config.encoder, config.heads).eval()
    instance = make_generator(problem, None, (nodes,), None)(1, torch.Generator().manual_seed(0))
    return policy, environment, environment.reset(instance)


def rate(act: Callable[[], object], seconds: float) -> float:
    """How often `act` can be called in a second of this process, whatever else the machine does."""
    for _ in range(20):
        act()
    start, count = time.process_time(), 0
    while time.process_time() - start < seconds:
        for _ in range(_BLOCK):  # to ask for the time takes a while itself
            act()
        count += _BLOCK
    return count / (time.process_time() - start)


def compiled(name: str, policy: GraphPolicy) -> Callable[[Observation], Tensor]:
    """What takes an observation of one graph to the best candidate of each block, by the compiled policy."""
    problem = find_problem(name)
    environment = problem.environment
    instances = make_generator(problem, None, problem.sizes, None)(3, torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.pt2"
        save_policy_program(policy, environment.observe(environment.reset(instances)), path, compiled=True)
        program = torch._inductor.aoti_load_package(str(path))
    return lambda observation: program(*inputs_of(policy, observation))[0].argmax(-1)


def main() -> None:
    """A line for each problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--problems", nargs="+", default=PROBLEMS)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| problem | decisions a second | whole steps a second | compiled decisions |\n|---|---:|---:|---:|")
    for name in options.problems:
        policy, environment, state = policy_and_state(name, options.nodes)
        observation = environment.observe(state)  # type: ignore[attr-defined]
        program = compiled(name, policy) if options.compiled else None
        deciding = rate(lambda: policy.best(observation), options.seconds)  # noqa: B023

        def play() -> None:
            nonlocal state
            step = environment.step(state, policy.best(environment.observe(state)))  # type: ignore[attr-defined]  # noqa: B023
            if not bool(step.terminated | step.truncated):
                state = step.state

        fast = "" if program is None else f"{rate(lambda: program(observation), options.seconds):,.0f}"  # noqa: B023
        print(f"| `{name}` | {deciding:,.0f} | {rate(play, options.seconds):,.0f} | {fast} |", flush=True)
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(rate, lambda: policy.best(observation), options.seconds)  # noqa: B023
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
