"""The same PPO on the same problem in every framework: steps a second and memory.

    python benchmarks/speed/frameworks.py [--sizes 15 100] [--repeats 3] [--out docs/tables]

Vertex cover on Watts-Strogatz graphs of one size, GraphConv of width 64 and depth 3, 64 episodes × 16 steps an update,
minibatches of 256, three passes; collection and update together. Each run is a process of its own with one thread, the
frameworks take turns, and the medians are compared. Memory is how far the process's peak grew over what it had before
the first step (imports, network and environments are not counted).
"""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

import torch
import tyro

from graphwright.frameworks.env_config import EnvConfig, make_env_config
from graphwright.nn import ActorCritic, EncoderConfig, HeadsConfig

NUM_ENVS, NUM_STEPS, MINIBATCH, EPOCHS = 64, 16, 256, 3
ENCODER, HEADS = EncoderConfig(), HeadsConfig()
STEPS_AN_UPDATE = NUM_ENVS * NUM_STEPS


def native(env_config: EnvConfig) -> Generator[None, None, None]:
    """Graphwright's own."""
    from graphwright.algorithms.ppo import PPO, PPOConfig
    from graphwright.envs.vector import VectorEnvironment
    from graphwright.training.collectors.steps import collect_steps

    config = PPOConfig(minibatch_size=MINIBATCH, epochs=EPOCHS, target_kl=None)
    policy = _policy(env_config)
    vector = VectorEnvironment(env_config.environment, env_config.source(0), NUM_ENVS)
    generator = torch.Generator().manual_seed(0)
    algorithm = PPO(policy, env_config.environment.observe, config, generator)
    while True:
        algorithm.update(collect_steps(vector, policy, NUM_STEPS, generator), 0.0)
        yield


def sb3_padded(env_config: EnvConfig) -> Generator[None, None, None]:
    """MaskablePPO on padded observations."""
    return _sb3(env_config, ragged=False)


def sb3_ragged(env_config: EnvConfig) -> Generator[None, None, None]:
    """MaskablePPO on packed observations."""
    return _sb3(env_config, ragged=True)


def _sb3(env_config: EnvConfig, ragged: bool) -> Generator[None, None, None]:
    from sb3_contrib import MaskablePPO

    from graphwright.frameworks.sb3 import GraphPolicy as SB3Policy
    from graphwright.frameworks.sb3 import GraphRolloutBuffer, GraphVecEnv

    buffer = {"rollout_buffer_class": GraphRolloutBuffer} if ragged else {}
    model = MaskablePPO(
        SB3Policy,
        GraphVecEnv(env_config, NUM_ENVS, ragged=ragged),
        n_steps=NUM_STEPS,
        batch_size=MINIBATCH,
        n_epochs=EPOCHS,
        policy_kwargs={"encoder": ENCODER, "heads": HEADS},
        device="cpu",
        **buffer,
    )
    while True:
        model.learn(STEPS_AN_UPDATE, reset_num_timesteps=False)
        yield


def torchrl_padded(env_config: EnvConfig) -> Generator[None, None, None]:
    """ClipPPOLoss with GraphGAE on padded observations."""
    from torchrl.collectors import Collector
    from torchrl.data import LazyTensorStorage, ReplayBuffer
    from torchrl.data.replay_buffers.samplers import SamplerWithoutReplacement
    from torchrl.objectives import ClipPPOLoss

    from graphwright.frameworks.torchrl import GraphActor, GraphCritic, GraphEnv, GraphGAE

    policy = _policy(env_config)
    actor, critic = GraphActor(policy), GraphCritic(policy)
    env = GraphEnv(env_config, num_envs=NUM_ENVS, seed=0)
    advantage = GraphGAE(gamma=1.0, lmbda=1.0, value_network=critic)
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.0)
    optimizer = torch.optim.Adam(loss.parameters(), 3e-3)
    buffer = ReplayBuffer(
        storage=LazyTensorStorage(STEPS_AN_UPDATE), sampler=SamplerWithoutReplacement(), batch_size=MINIBATCH
    )
    frames = Collector(
        env, actor, frames_per_batch=STEPS_AN_UPDATE, total_frames=-1, auto_register_policy_transforms=False
    )
    for data in frames:
        buffer.extend(advantage(data).reshape(-1))
        for _ in range(EPOCHS):
            for minibatch in buffer:
                losses = loss(minibatch)
                optimizer.zero_grad()
                (losses["loss_objective"] + losses["loss_critic"]).backward()
                optimizer.step()
        yield


def rllib_padded(env_config: EnvConfig) -> Generator[None, None, None]:
    """RLlib's PPO, one local environment runner."""
    import ray
    from ray.rllib.algorithms.ppo import PPOConfig

    from graphwright.frameworks.rllib import ConfiguredGraphEnv, module_spec

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    config = (
        PPOConfig()
        .environment(ConfiguredGraphEnv, env_config={"problem": "vertex-cover", "sizes": (env_config.limits.nodes,)})
        .env_runners(num_env_runners=0, num_envs_per_env_runner=NUM_ENVS, rollout_fragment_length=NUM_STEPS)
        .rl_module(rl_module_spec=module_spec(env_config, ENCODER, HEADS))
        .training(train_batch_size=STEPS_AN_UPDATE, minibatch_size=MINIBATCH, num_epochs=EPOCHS)
    )
    algorithm = config.build_algo()
    try:
        while True:
            algorithm.train()
            yield
    finally:  # otherwise Ray goes on for as long as this process
        algorithm.stop()
        ray.shutdown()


FRAMEWORKS: dict[str, Callable[[EnvConfig], Generator[None, None, None]]] = {
    "Graphwright": native,
    "Stable-Baselines3, ragged": sb3_ragged,
    "Stable-Baselines3, padded": sb3_padded,
    "TorchRL, padded": torchrl_padded,
    "RLlib, padded": rllib_padded,
}


def _policy(env_config: EnvConfig) -> ActorCritic:
    return ActorCritic(env_config.environment.features, env_config.environment.actions, ENCODER, HEADS)


@dataclass(frozen=True)
class Options:
    """What to measure."""

    sizes: tuple[int, ...] = (15, 100)
    """Numbers of nodes."""
    repeats: int = 3
    """Runs of each framework and size."""
    updates: int = 5
    """Updates of each run, after one that warms up."""
    frameworks: tuple[str, ...] = tuple(FRAMEWORKS)
    """Rows of the table."""
    only: str | None = None
    """Measure this framework in this process, and print JSON."""
    out: Path | None = None
    """Folder for the table, as frameworks.md."""


def measure(name: str, size: int, updates: int) -> tuple[float, float]:
    """Steps a second, and MiB over what there was before the first update."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with contextlib.closing(FRAMEWORKS[name](make_env_config("vertex-cover", sizes=(size,)))) as run:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        next(run)
        start = time.perf_counter()
        for _ in range(updates):
            next(run)
        speed = updates * STEPS_AN_UPDATE / (time.perf_counter() - start)
    return speed, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main(options: Options) -> None:
    if options.only is not None:
        warnings.simplefilter("ignore")
        print("RESULT", json.dumps([measure(options.only, size, options.updates) for size in options.sizes]))
        return
    results: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for _ in range(options.repeats):
        for name in options.frameworks:
            for size in options.sizes:
                found = _in_a_process(name, size, options.updates)
                results.setdefault((name, size), []).append(found)
    lines = [
        f"PPO on vertex cover, {NUM_ENVS} episodes × {NUM_STEPS} steps, collection and update; {date.today()}, one "
        f"thread, no GPU, medians of {options.repeats}. Memory: growth of the peak while training.",
        "",
        "| framework | " + " | ".join(f"n = {size}: steps/s | of the first | MiB" for size in options.sizes) + " |",
        "|---" + "|---:|---:|---:" * len(options.sizes) + "|",
    ]
    for name in options.frameworks:
        cells = [name]
        for size in options.sizes:
            speed = median(one[0] for one in results[name, size])
            own = median(one[0] for one in results[options.frameworks[0], size])
            memory = median(one[1] for one in results[name, size])
            cells += [f"{speed:,.0f}", f"{speed / own:.2f}", f"{memory:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    print("\n".join(lines))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "frameworks.md").write_text("\n".join(lines) + "\n")


def _in_a_process(name: str, size: int, updates: int) -> tuple[float, float]:
    command = [sys.executable, __file__, "--only", name, "--sizes", str(size), "--updates", str(updates)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in text.splitlines() if line.startswith("RESULT ")]
    ((speed, memory),) = json.loads(line.removeprefix("RESULT "))
    return speed, memory


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
