"""Job shop scheduling: a policy on job-shop-lib's graph environment, its dispatching rules, and the optimum.

    python examples/job_shop.py [--seconds 60] [--jobs 6] [--machines 6] [--out job_shop.png]

The graph is the residual resource-task graph: operations, machines, jobs and one node for all; operations that are done
leave it. An action is the node of a job whose next operation is dispatched. All methods choose among the same
operations (job-shop-lib's default filter of its dispatching rules). Needs the extra `examples`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import tyro
from gymnasium import spaces
from job_shop_lib import JobShopInstance
from job_shop_lib.constraint_programming import ORToolsSolver
from job_shop_lib.dispatching import ReadyOperationsFilterType, create_composite_operation_filter
from job_shop_lib.dispatching.feature_observers import FeatureObserverType
from job_shop_lib.dispatching.rules import DispatchingRuleSolver
from job_shop_lib.generation import GeneralInstanceGenerator
from job_shop_lib.graphs import build_complete_resource_task_graph
from job_shop_lib.reinforcement_learning import SingleJobShopGraphEnv

from graphwright.algorithms.optimizer import require_each
from graphwright.algorithms.ppo import PPOConfig
from graphwright.cli.main import one_line_errors
from graphwright.cli.outputs import require_picture
from graphwright.core import ActionSpec, per_node
from graphwright.drawing.curves import plot_returns
from graphwright.frameworks.foreign import ForeignTraining, from_gymnasium, play_episodes, train_foreign

OBSERVERS = [
    FeatureObserverType.DURATION,
    FeatureObserverType.EARLIEST_START_TIME,
    FeatureObserverType.IS_READY,
    FeatureObserverType.REMAINING_OPERATIONS,
    FeatureObserverType.POSITION_IN_JOB,
    FeatureObserverType.IS_SCHEDULED,
]
FEATURES, KINDS = 5, 4  # of operations the position in the job, of machines and jobs how many operations remain
RULES = ("most_work_remaining", "shortest_processing_time", "random")
DISPATCHABLE = create_composite_operation_filter(
    [ReadyOperationsFilterType.DOMINATED_OPERATIONS, ReadyOperationsFilterType.NON_IMMEDIATE_OPERATIONS]
)


class JobShop(gymnasium.Env):
    """A new instance each episode, or always the same; times are in units of a lower bound on the makespan."""

    observation_space = spaces.Graph(node_space=spaces.Box(-np.inf, np.inf, (FEATURES + KINDS,)), edge_space=None)

    def __init__(self, jobs: int, machines: int, instance: JobShopInstance | None = None) -> None:
        self.size, self.instance = (jobs, machines), instance
        self.action_space = spaces.Discrete(jobs * machines + jobs + machines + 1)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        """Nothing is scheduled."""
        super().reset(seed=seed)
        instance = self.instance or draw(*self.size, int(self.np_random.integers(2**31)))
        self.scale = lower_bound(instance)
        graph = build_complete_resource_task_graph(instance)
        self.env = SingleJobShopGraphEnv(graph, OBSERVERS, ready_operations_filter=DISPATCHABLE, use_padding=False)
        self.kind = np.array([node.node_type.value - 1 for node in graph.nodes])
        return self._observe(*self.env.reset())

    def step(self, action: int) -> tuple[spaces.GraphInstance, float, bool, bool, dict]:
        """Dispatch the next operation of the job at the node `action`; pays the makespan that it adds, negated."""
        job = self.kept[action] - self.env.instance.num_operations - self.env.instance.num_machines
        observation, reward, done, _, info = self.env.step((job, -1))
        if done:
            return self.shown, reward / self.scale, True, False, {}
        self.shown, info = self._observe(observation, info)
        return self.shown, reward / self.scale, False, False, info

    def _observe(self, observation: dict, info: dict) -> tuple[spaces.GraphInstance, dict]:
        self.kept = np.flatnonzero(~observation["removed_nodes"])
        place = np.zeros(len(self.kind), np.int64)
        place[self.kept] = np.arange(len(self.kept))
        tables = [observation[name] for name in ("operations", "machines", "jobs")]
        columns = np.concatenate([*tables, np.zeros((1, FEATURES), np.float32)])
        columns[:, 1] -= self.env.dispatcher.current_time()
        columns[:, :2] /= self.scale
        columns[:, 3] /= self.env.instance.num_machines
        nodes = np.concatenate([columns, np.eye(KINDS, dtype=np.float32)[self.kind]], axis=1)[self.kept]
        first_job = self.env.instance.num_operations + self.env.instance.num_machines
        ready = [first_job + job for _, _, job in info["available_operations_with_ids"]]
        self.shown = spaces.GraphInstance(nodes, None, place[observation["edge_index"].T])
        return self.shown, {"action_mask": np.isin(self.kept, ready)}


def draw(jobs: int, machines: int, seed: int) -> JobShopInstance:
    """A random instance in which every job visits every machine once."""
    generator = GeneralInstanceGenerator(num_jobs=jobs, num_machines=machines, duration_range=(1, 99), seed=seed)
    return generator.generate(jobs, machines)


def lower_bound(instance: JobShopInstance) -> float:
    """The longest job or the busiest machine."""
    return float(max(*instance.job_durations, *instance.machine_loads))


@dataclass(frozen=True)
class Options:
    """What to train on and for how long."""

    seconds: float = 60.0
    """Training time."""
    jobs: int = 6
    """Jobs of each instance."""
    machines: int = 6
    """Machines of each instance; every job visits each once."""
    test: int = 20
    """Held-out instances."""
    num_envs: int = 16
    """Environments side by side."""
    workers: int = 0
    """Processes that play them."""
    seed: int = 0
    """Of weights and instances."""
    out: Path = Path("job_shop.png")
    """Where the learning curve goes."""
    run: Path = Path("job-shop-run")
    """Directory to make for the run."""


def main(options: Options) -> dict[str, float]:
    """Mean makespan over that of the optimum, by method."""
    require_each(options, "", ("jobs", "machines", "test", "num_envs"))
    require_picture("--out", options.out)
    actions = ActionSpec(per_node("dispatch"))
    make = partial(JobShop, options.jobs, options.machines)
    config = ForeignTraining(
        seconds=options.seconds,
        seed=options.seed,
        num_steps=options.jobs * options.machines,
        settings=PPOConfig(learning_rate=2e-3, minibatch_size=256),
    )
    with from_gymnasium(make, options.num_envs, options.workers, actions=actions, seed=options.seed) as vector:
        trained = train_foreign(vector, config, options.run)
    tests = [draw(options.jobs, options.machines, 10_000 + number) for number in range(options.test)]
    optimum = np.array([ORToolsSolver(max_time_in_seconds=10)(instance).makespan() for instance in tests])
    makes = [partial(JobShop, options.jobs, options.machines, instance) for instance in tests]
    with from_gymnasium(makes, options.test, actions=actions) as held_out:
        returns = play_episodes(held_out, trained.learned().best)[:, 0].numpy()
    ratios = {"policy": float(np.mean(-returns * [lower_bound(instance) for instance in tests] / optimum))}
    for rule in RULES:
        solver = DispatchingRuleSolver(rule, ready_operations_filter=DISPATCHABLE)
        ratios[rule] = float(np.mean([solver.solve(instance).makespan() for instance in tests] / optimum))
    steps = int(trained.rows[-1]["steps"])
    print(f"{options.test} instances of {options.jobs} jobs × {options.machines} machines; {steps} training steps\n")
    print("| method | makespan / optimum |\n|---|---:|")
    for name, ratio in sorted(ratios.items(), key=lambda item: item[1]):
        print(f"| {name.replace('_', ' ')} | {ratio:.3f} |")
    plot_returns(trained.rows, options.out)
    return ratios


if __name__ == "__main__":
    arguments = tyro.cli(Options, description=__doc__.splitlines()[0])
    with one_line_errors():
        main(arguments)
