"""Power grid operation: a policy on grid2op's five-substation grid, against doing nothing and random actions.

    python examples/grid2op_topology.py [--seconds 180] [--out grid2op.png]

The observation is the graph of buses, which an action may split or join: nodes and edges change as the grid is
switched. Actions are a fixed list: do nothing, or connect a substation to its two buses in one of so many ways.
Generators are left as they are: of this grid's two only one can be redispatched, and it does not move when it is told
to. An episode lasts until the grid fails or `--horizon` steps have passed; each step pays 1. Needs no download, but the
extra `examples`; pandapower 3.1, which grid2op computes with, needs pandas below 3.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grid2op
import gymnasium
import numpy as np
import torch
import tyro
from grid2op.Action import BaseAction
from grid2op.Backend import PandaPowerBackend
from gymnasium import spaces

from graphwright.algorithms.optimizer import require, require_each
from graphwright.algorithms.ppo import PPOConfig
from graphwright.cli.main import one_line_errors
from graphwright.cli.outputs import require_picture
from graphwright.core import ActionSpec, Observation, per_graph
from graphwright.drawing.curves import plot_returns
from graphwright.envs.problem import random_choice
from graphwright.frameworks.foreign import ForeignTraining, from_gymnasium, play_episodes, train_foreign
from graphwright.nn import EncoderConfig

NODES = {"p": 100.0, "q": 100.0, "v": 100.0, "theta": 10.0, "cooldown": 10.0}
EDGES = {"rho": 1.0, "p": 100.0, "timestep_overflow": 3.0, "cooldown": 10.0}
CHRONICS, NUM_TRAINING = 20, 16


class Grid(gymnasium.Env):
    """`rte_case5_example` as a graph of buses; an episode is a time series of injections, drawn from `chronics`."""

    observation_space = spaces.Graph(
        node_space=spaces.Box(-np.inf, np.inf, (len(NODES),)), edge_space=spaces.Box(-np.inf, np.inf, (len(EDGES),))
    )

    def __init__(self, chronics: range, horizon: int, num_topologies: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            backend = PandaPowerBackend(with_numba=False)  # five substations are computed before it has compiled
            self.env = grid2op.make("rte_case5_example", test=True, backend=backend)
        self.chronics, self.horizon = chronics, horizon
        self.choices = action_list(self.env, num_topologies)
        self.action_space = spaces.Discrete(len(self.choices))

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[spaces.GraphInstance, dict]:
        """The beginning of a time series."""
        super().reset(seed=seed)
        series = int(self.np_random.choice(np.array(self.chronics)))
        observation = self.env.reset(seed=int(self.np_random.integers(2**31)), options={"time serie id": series})
        self.time = 0
        return bus_graph(observation), {}

    def step(self, action: int) -> tuple[spaces.GraphInstance | None, float, bool, bool, dict]:
        """One action of the list; after a failure there is nothing to see."""
        observation, _, failed, _ = self.env.step(self.choices[action])
        self.time += 1
        shown = None if failed else bus_graph(observation)
        return shown, float(not failed), failed, self.time >= self.horizon, {}

    def close(self) -> None:
        """Let go of the grid."""
        self.env.close()


def action_list(env: grid2op.Environment, num_topologies: int) -> list[BaseAction]:
    """Do nothing; so many ways to connect substations."""
    space = env.action_space
    topologies = space.get_all_unitary_topologies_set(space)
    places = np.linspace(0, len(topologies) - 1, num=min(num_topologies, len(topologies))).astype(int)
    return [space({}), *(topologies[place] for place in places)]


def bus_graph(observation: grid2op.Observation.BaseObservation) -> spaces.GraphInstance:
    """Energised buses and the lines between them, each both ways."""
    graph = observation.as_networkx()
    place = {bus: number for number, bus in enumerate(graph)}
    nodes = [[data[name] / unit for name, unit in NODES.items()] for _, data in graph.nodes(data=True)]
    ends = [(place[one], place[other]) for one, other in graph.edges]
    edges = [[data[name] / unit for name, unit in EDGES.items()] for *_, data in graph.edges(data=True)]
    return spaces.GraphInstance(
        np.array(nodes, np.float32),
        np.array(edges, np.float32).reshape(-1, len(EDGES)),
        np.array(ends, np.int64).reshape(-1, 2),
    )


@dataclass(frozen=True)
class Options:
    """What to train on and for how long."""

    seconds: float = 180.0
    """Training time."""
    horizon: int = 200
    """Steps after which an episode is over; there are 288 a day."""
    topologies: int = 12
    """Ways to connect a substation among the actions."""
    num_envs: int = 4
    """Environments side by side."""
    workers: int = 0
    """Processes that play them."""
    test: int = 4
    """Held-out time series, at most 4."""
    seed: int = 0
    """Of weights, draws and time series."""
    out: Path = Path("grid2op.png")
    """Where the learning curve goes."""
    run: Path = Path("grid2op-run")
    """Directory to make for the run."""


def do_nothing(observation: Observation) -> torch.Tensor:
    """[B] int64: the first action."""
    return torch.zeros(observation.graph.num_graphs, dtype=torch.int64)


def main(options: Options) -> dict[str, float]:
    """Mean number of steps survived on held-out time series, by method."""
    require_each(options, "", ("horizon", "topologies", "num_envs"))
    require("test", options.test, most=CHRONICS - NUM_TRAINING)
    require_picture("--out", options.out)
    warnings.filterwarnings("ignore", category=FutureWarning, module="grid2op")  # of pandas 3, which is not used
    make = partial(Grid, range(NUM_TRAINING), options.horizon, options.topologies)
    example = make()
    actions = ActionSpec(per_graph("act", int(example.action_space.n)))
    example.close()
    ppo = PPOConfig(minibatch_size=64, learning_rate=2e-3, discount=0.99, gae_lambda=0.95)
    config = ForeignTraining(
        seconds=options.seconds, seed=options.seed, num_steps=32, settings=ppo, encoder=EncoderConfig(kind="gin")
    )
    with from_gymnasium(
        make, options.num_envs, options.workers, actions=actions, undirected=True, seed=options.seed
    ) as vector:
        trained = train_foreign(vector, config, options.run)
    held_out = range(NUM_TRAINING, NUM_TRAINING + options.test)
    makes = [partial(Grid, range(series, series + 1), options.horizon, options.topologies) for series in held_out]
    random = random_choice(vector.environment, torch.Generator().manual_seed(options.seed))
    survived = {}
    for name, choose in {"policy": trained.learned().best, "do nothing": do_nothing, "random": random}.items():
        with from_gymnasium(makes, options.test, actions=actions, undirected=True) as test:
            survived[name] = float(play_episodes(test, choose).mean())
    steps = int(trained.rows[-1]["steps"])
    print(f"{options.test} held-out time series; {steps} training steps\n")
    print(f"| method | steps survived of {options.horizon} |\n|---|---:|")
    for name, value in survived.items():
        print(f"| {name} | {value:.1f} |")
    plot_returns(trained.rows, options.out, {name: survived[name] for name in ("do nothing", "random")})
    return survived


if __name__ == "__main__":
    arguments = tyro.cli(Options, description=__doc__.splitlines()[0])
    with one_line_errors():
        main(arguments)
