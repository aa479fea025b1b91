"""Path finding: a planner imitated on random maps with at most 16 robots, on the maps of a benchmark with up to 64.

    python benchmarks/learning/path_finding.py --maps 01-random-maps.yaml 02-mazes-maps.yaml [--seconds 600]

Trained by DAgger (`imitation` of `pibt`) on random maps of 8 to 16 rows; with `--packed SECONDS`, on maps of 6 to 11
rows after that, in states that the policy comes to by itself; with `--reinforced SECONDS`, PPO goes on from there. Each
file of maps is a table: targets that a team reaches in a step, in 256 steps, beside scripted robots, and published
figures of all 128 maps of the benchmark (Skrynnik et al. 2025), from other starts and targets. With `--no-lifelong`
imitation goes on for `--one-shot SECONDS` with one target each, and success in 128 steps is measured.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tyro
from processor_time import ProcessorClock
from rich.console import Console

from graphwright.envs.registry import find_problem
from graphwright.training.agent import Agent, load
from graphwright.training.config import TrainConfig
from graphwright.training.evaluate_team import TeamOptions, evaluate_team, play_rule, require_team
from graphwright.training.train import train

SIZES = (8, 16, 24, 32, 48, 64)
PUBLISHED = {
    "IQL, published": (0.079, 0.172, 0.278, 0.339, 0.231, 0.161),
    "QMIX, published": (0.148, 0.336, 0.466, 0.523, 0.557, 0.493),
    "Follower, published": (0.600, 1.131, 1.536, 1.829, 2.261, 2.465),
    "RHCR (centralised), published": (0.625, 1.251, 1.798, 2.286, 3.203, 3.819),
}
"""Throughput on `01-random` with `SIZES` robots, lifelong."""
_STEPS = 64  # of an episode in training, of many at once
_PACKED_STEPS = 128  # in which packed robots come to jams, and learn from them
SCRIMP = {"SCRIMP, published": (1.0, 1.0, 0.953, 0.836, 0.562, 0.180)}
"""Success on `01-random` with `SIZES` robots, one target each, 128 steps."""


@dataclass(frozen=True)
class Options:
    """What is trained, and how long."""

    maps: tuple[Path, ...] = ()
    """Files of maps, a table each; without one, random maps."""
    seconds: float = 600.0
    """Of the processor, of imitation."""
    packed: float = 0.0
    """Seconds of imitation on packed maps after it, without the expert."""
    reinforced: float = 0.0
    """Seconds of PPO after it."""
    one_shot: float = 300.0
    """Seconds of imitation with one target each after that, where this is measured."""
    seed: int = 0
    """Of training."""
    most: int = 16
    """Robots of the larger teams in training; the others have half of that."""
    agents: tuple[int, ...] = SIZES
    """Robots in evaluation."""
    episodes: int = 128
    """Of each evaluation, the k-th on the k-th map."""
    lifelong: bool = True
    """Whether robots get one target after the other; otherwise one each, and 128 steps."""
    decode: tuple[Literal["greedy", "sample"], ...] = ("greedy", "sample")
    """How the policy acts."""
    beside: tuple[str, ...] = ("random", "shortest", "pibt", "planned")
    """Scripted robots."""
    steps: int | None = None
    """Of an episode; by default 256, or 128 with one target each."""
    watched: int = 64
    """Episodes of each validation."""
    threads: int = 1
    """CPU threads."""
    folder: Path | None = None
    """Where the runs are kept, and found again; by default nowhere."""
    json: bool = False
    """Write JSON."""

    @property
    def measure(self) -> str:
        """What is reported."""
        return "throughput" if self.lifelong else "success"


@dataclass(frozen=True)
class Row:
    """Of each number of robots, the measure with its 95 % interval over maps."""

    maps: str
    name: str
    values: list[list[float]]


def trained(options: Options, folder: Path) -> Agent:
    """The policy, trained if it is not there."""
    crowded = {"law": "crowded", "sizes": tuple(sorted({max(1, options.most // 2), options.most}))}
    packed = {"law": "packed", "sizes": (options.most,), "num_instances": 16, "expert_share": 0.0}
    imitated = {**crowded, "expert_share": 0.5, "final_expert_share": 0.0 if options.packed else 0.5}
    stages: list[tuple[str, str, float, int, dict[str, Any], dict[str, float]]] = [
        ("imitated", "imitation", options.seconds, _STEPS, imitated, {}),
        ("packed", "imitation", options.packed, _PACKED_STEPS, packed, {"learning_rate": 1.5e-3}),
        ("reinforced", "ppo", options.reinforced, _STEPS, crowded, {}),
        ("one-shot", "imitation", 0 if options.lifelong else options.one_shot, _STEPS, crowded, {}),
    ]
    before: Path | None = None
    for name, algorithm, seconds, steps, collection, settings in stages:
        if not seconds:
            continue
        config = TrainConfig.for_problem(
            "path-finding",
            algorithm,
            seconds=seconds,
            seed=options.seed,
            threads=options.threads,
            environment={"lifelong": name != "one-shot", "steps": min(steps, steps_of(options))},
            collection=collection,
            settings=settings,
            validation={"sizes": (options.most,), "graphs": options.watched, "every": 50},
            start=None if before is None else str(before),
        )
        before = folder / name
        if not before.exists():
            train("path-finding", config, before, Console(stderr=True), callbacks=(ProcessorClock(),))
    assert before is not None
    return load(before)


def steps_of(options: Options) -> int:
    """Of an episode."""
    return options.steps or (256 if options.lifelong else 128)


def rows_of(options: Options, agent: Agent, maps: Path | None) -> list[Row]:
    """All rows of one file of maps."""
    problem = find_problem("path-finding")
    environment = replace(require_team(problem, agent.config.environment), steps=steps_of(options))
    agent = replace(agent, config=replace(agent.config, environment=environment))
    playing = TeamOptions(agents=options.agents, episodes=options.episodes, maps=() if maps is None else (maps,))
    name = "random maps" if maps is None else maps.stem
    found = []
    for decode in options.decode:
        rows = evaluate_team(agent, replace(playing, decode=decode), baselines=False)
        found.append(Row(name, f"learned, {decode}", [interval(options, row.score) for row in rows]))
    for other in options.beside:
        played = play_rule(problem, environment, other, playing)
        found.append(Row(name, other, [interval(options, row.score) for row, _ in played]))
    return found


def interval(options: Options, score: dict[str, float]) -> list[float]:
    """[value, low, high]."""
    return [score[options.measure + end] for end in ("", "_low", "_high")]


def main(options: Options) -> None:
    """Measure all, and print tables."""
    with tempfile.TemporaryDirectory() as nowhere:
        agent = trained(options, options.folder or Path(nowhere))
        rows = [row for maps in options.maps or (None,) for row in rows_of(options, agent, maps)]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for maps in dict.fromkeys(row.maps for row in rows):
        print(f"{maps}: {options.measure}, {options.episodes} maps, {steps_of(options)} steps\n")
        print(f"| robots | {' | '.join(map(str, options.agents))} |")
        print("|---" * (1 + len(options.agents)) + "|")
        for row in rows:
            if row.maps == maps:
                cells = [f"{value:.3f} ({low:.2f} to {high:.2f})" for value, low, high in row.values]
                print(f"| {row.name} | {' | '.join(cells)} |")
        if "01-random" in maps:
            for name, values in (PUBLISHED if options.lifelong else SCRIMP).items():
                known = dict(zip(SIZES, values, strict=True))
                cells = [f"{known[each]:.3f}" if each in known else "" for each in options.agents]
                print(f"| {name} | {' | '.join(cells)} |")
        print()


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__.splitlines()[0]))
