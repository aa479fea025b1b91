"""Train the policies that come with the package, measure them, and write both where the package has them.

    python benchmarks/learning/pretrained.py [--only vertex-cover tour] [--seconds 60] [--seed 0] [--out FOLDER]

Each is trained with the defaults of its problem on one thread, then evaluated on twice and five times the largest size.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from graphwright.core.files import write_atomically
from graphwright.envs.optimization import Optimization
from graphwright.envs.registry import SOLVED, find_problem
from graphwright.training.agent import POLICY_FILE, PRETRAINED, Agent
from graphwright.training.config import TrainConfig
from graphwright.training.evaluate import EvaluationOptions, evaluate
from graphwright.training.pretrained import ABOUT_FILE
from graphwright.training.train import train

MOST_BYTES = 200_000
CHOSEN: dict[str, dict[str, Any]] = {
    "grid-navigation": {"algorithm": "imitation"},  # in 60 s, times the optimum on 180 cells: 2.65, ppo 4.90
    "network-repair": {"algorithm": "imitation"},  # the same, on 150 nodes: 1.343, reinforce 1.359
}
"""What is not as the problem has it by default."""


def optimised() -> list[str]:
    """The problems that are solved for an objective."""
    return [name for name, problem in SOLVED.items() if isinstance(problem.environment, Optimization)]


def make(name: str, options: argparse.Namespace, folder: Path) -> str:
    """Train, measure and write the one of a problem; its lines of the table."""
    changes = CHOSEN.get(name, {}) | json.loads(options.options)
    config = TrainConfig.for_problem(name, seconds=options.seconds, seed=options.seed, threads=1, **changes)
    run = train(name, config, folder / name, Console(quiet=True))
    agent = run.agent()
    measured = EvaluationOptions(graphs=options.graphs, time_limit=options.time_limit, policy_only=True)
    rows = [_row(agent, row) for row in evaluate(agent, measured)]
    place = options.out / name
    agent.save(place)
    size = (place / POLICY_FILE).stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{name}: {size:,} bytes, more than {MOST_BYTES:,}; narrow its encoder")
    sizes = config.completed(find_problem(name)).collection.sizes
    about = {
        "algorithm": config.algorithm,
        "seed": options.seed,
        "seconds": round(run.counters.seconds, 1),
        "steps": run.counters.steps,
        "sizes": f"{min(sizes)} to {max(sizes)}" if len(sizes) > 1 else str(sizes[0]),
        "date": time.strftime("%Y-%m-%d"),
        "bytes": size,
        "graphs": options.graphs,
        "rows": rows,
    }
    write_atomically(place / ABOUT_FILE, (json.dumps(about, indent=2) + "\n").encode())
    begin = f"| {name} | {config.algorithm} | {run.counters.steps:,} | {size / 1000:.0f} |"
    return "\n".join(f"{begin} {_cells(row)} |" for row in rows)


def _cells(row: dict[str, Any]) -> str:
    rule = "–" if row["rule_ratio"] is None else f"{row['rule_ratio']:.4f} ({row['rule']})"
    return f"{row['name']} | {row['random_ratio']:.4f} | {rule} | {row['ratio']:.4f} | {row['reference']}"


def _named(row: Any) -> str:
    """What `ratio` is of: an optimum is one where all are proven."""
    if row.reference != "optimum" or row.proven == row.graphs:
        return str(row.reference)
    return f"bound ({row.proven} of {row.graphs} proven)"


def _row(agent: Agent, row: Any) -> dict[str, Any]:
    """What is kept of an evaluation: ratios to one reference, so that 1 is best."""
    maximise = agent.config.environment.maximise
    rule = next(iter(row.heuristics), None)
    reference = row.optimum if row.reference == "optimum" else row.heuristics[row.reference]

    def ratio(value: float | None) -> float | None:
        if value is None or not reference or not value:
            return None
        return round(reference / value if maximise else value / reference, 4)

    return {
        "name": row.name,
        "reference": _named(row),
        "ratio": round(row.ratio, 4),
        "rule": rule,
        "rule_ratio": ratio(None if rule is None else row.heuristics[rule]),
        "random_ratio": ratio(row.random) or 0.0,
        "policy": row.policy,
        "complete": row.complete,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=None)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--graphs", type=int, default=20)
    parser.add_argument("--time-limit", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    parser.add_argument("--options", default="{}", help="JSON of other settings, as TrainConfig.for_problem takes them")
    options = parser.parse_args()
    print("| problem | algorithm | steps | KB | nodes | random | simple rule | policy | ratio to |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---|")
    folder = Path(tempfile.mkdtemp())
    try:
        for name in options.only or optimised():
            print(make(name, options, folder), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
