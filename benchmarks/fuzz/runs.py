"""Altered run directories: one line says what is wrong, nothing hangs, memory stays bounded, no code of theirs runs.

    python benchmarks/fuzz/runs.py [--inputs 10000] [--seed 0]

Each input is a run whose files are altered, byte by byte or where they mean something, half of them with checksums and
fingerprints made right again, as someone who means harm would. It is loaded and used, and resumed for one more update.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from rich.console import Console

from graphwright.cli.main import bad_input
from graphwright.core.files import write_atomically
from graphwright.training.agent import load
from graphwright.training.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from graphwright.training.config import TrainConfig
from graphwright.training.evaluators import GapEvaluator
from graphwright.training.gflownet.evaluator import DistributionEvaluator
from graphwright.training.train import resume, train

QUIET = Console(quiet=True)
MOST_MIB = 200
MOST_SECONDS = 20
STRANGER = "graphwright_stranger"
SMALL = {"encoder": {"width": 4, "depth": 1}, "threads": 1, "checkpoint_seconds": 60.0}
RUNS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ppo": ("vertex-cover", "ppo", {"collection": {"sizes": (5,), "num_envs": 4, "num_steps": 2}}),
    "replay": (
        "independent-set",
        "dqn",
        {
            "collection": {
                "sizes": (5,),
                "num_envs": 4,
                "num_steps": 2,
                "warm_up": 8,
                "capacity": 16,
                "minibatch_size": 4,
            }
        },
    ),
    "game": (
        "tic-tac-toe",
        "ppo",
        {"collection": {"num_envs": 4, "num_steps": 4}, "validation": {"games": 2, "opponents": ("random",)}},
    ),
    "flow": ("hyper-grid", "tb", {"validation": {"objects": 4, "max_states": 1}}),
}
NAMES = (f"{STRANGER}:OWN", f"{STRANGER}.OWN", f".{STRANGER}:OWN", "os:system", "torch_geometric.nn:GCNConv")
ODD = (None, True, -1, 0, 0.5, float("nan"), float("inf"), "", "x" * 5000, "\x1b[2J", [], {}, [[[]]], {"a": {}}, *NAMES)
HUGE = (10**9, 10**30, -(10**18), 1e300)
"""Of settings that are not those of the checkpoint: nothing may be made of them."""


class Hang(Exception):
    """An input takes too long."""


class Fuzzer:
    """Alters the files of one run."""

    def __init__(self, files: dict[str, bytes], draws: random.Random) -> None:
        self.files = files
        self.draws = draws

    def alter(self, directory: Path) -> str:
        """Write an altered run; what was done to it."""
        kind = self.draws.choice(
            ("bytes", "bytes", "settings", "sealed settings", "sealed tensors", "missing", "nested")
        )
        files = dict(self.files)
        if kind == "bytes":
            name = self.draws.choice(sorted(files))
            files[name] = self._bytes(files[name])
            kind = f"bytes of {name}"
        elif kind == "missing":
            del files[self.draws.choice(sorted(files))]
        elif kind.endswith("settings"):
            document = json.loads(files["config.json"])
            values = ODD if kind.startswith("sealed") else ODD + HUGE
            for _ in range(self.draws.randint(1, 3)):
                self._value(document, values)
            files["config.json"] = json.dumps(document).encode()
        elif kind == "nested":
            files["config.json"] = b"[" * self.draws.choice((10, 1_000, 100_000))
        for name, data in files.items():
            (directory / name).write_bytes(data)
        if kind == "sealed settings":
            self._seal(directory, json.loads(files["config.json"]))
        elif kind == "sealed tensors":
            self._tensors(directory / self.draws.choice(("policy.safetensors", "trainer.safetensors")))
        return kind

    def _bytes(self, data: bytes) -> bytes:
        changed, draws = bytearray(data), self.draws
        for _ in range(draws.choice((1, 1, 2, 8))):
            place = draws.randrange(len(changed) + 1)
            how = draws.randrange(5)
            if how == 0:
                del changed[place:]
            elif how == 1:
                changed[place : place + draws.randrange(40)] = b""
            elif how == 2:
                changed[place:place] = draws.randbytes(draws.randrange(1, 40))
            elif how == 3:
                begin = draws.randrange(len(changed) + 1)
                changed[place:place] = changed[begin : begin + draws.randrange(200)]
            elif place < len(changed):
                changed[place] ^= 1 << draws.randrange(8)
        return bytes(changed)

    def _value(self, document: Any, values: tuple[Any, ...]) -> None:
        """Put an odd value in the place of some value, however deep, or drop or add one."""
        place, key = document, self.draws.choice(sorted(document))
        while isinstance(place[key], dict) and place[key] and self.draws.random() < 0.8:
            place, key = place[key], self.draws.choice(sorted(place[key]))
        how = self.draws.random()
        if how < 0.1:
            del place[key]
            place["" if not place else "unknown"] = 0
        elif how < 0.2:
            place[key] = [place[key]]
        else:
            place[key] = copy.deepcopy(self.draws.choice(values))  # or the next change is made inside all of its kind

    def _seal(self, directory: Path, document: dict[str, Any]) -> None:
        """Make checksums and fingerprints fit altered settings, as far as anything of them can."""
        may_change = ("seconds", "steps", "threads", "device", "checkpoint_seconds")
        fixed = {name: value for name, value in document.items() if name not in may_change}
        if isinstance(fixed.get("collection"), dict):
            fixed["collection"].pop("reward_workers", None)
        for name, key, value in (
            ("policy.safetensors", "run", fingerprint(fixed)),
            ("trainer.safetensors", "settings", fixed),
        ):
            tensors, info = load_checkpoint(directory / name)
            save_checkpoint(directory / name, tensors, info | {key: value})

    def _tensors(self, path: Path) -> None:
        """Alter tensors and counters, with a checksum that fits."""
        tensors, info = load_checkpoint(path)
        name = self.draws.choice(sorted(tensors))
        tensor, draws = tensors.pop(name), self.draws
        changes: tuple[Callable[[], torch.Tensor], ...] = (
            lambda: tensor.new_zeros(()),
            lambda: tensor.double(),
            lambda: torch.full_like(tensor, -1 if tensor.dtype != torch.uint8 else 255),
            lambda: torch.full_like(tensor.float(), float("nan")),
            lambda: tensor.flatten()[: draws.randrange(1 + tensor.numel())],
            lambda: torch.cat([tensor.flatten(), tensor.flatten()]),
            lambda: torch.randint_like(tensor, -(2**15), 2**15) if tensor.dtype == torch.int64 else tensor + 1,
        )
        if draws.random() < 0.85:
            tensors[name if draws.random() < 0.9 else f"{name}.x"] = draws.choice(changes)()
        if draws.random() < 0.2 and "counters" in info:
            self._value(info, (*ODD, 10**30))
        save_checkpoint(path, tensors, info)


def use(directory: Path) -> None:
    """What people do with a run."""
    agent = load(directory, "cpu")
    if agent.samples:
        agent.sample(2)
    else:
        problem = agent.problem
        if problem.is_game:
            return
        agent.solve(problem.generator(sizes=(6,))(1, torch.Generator().manual_seed(0)))


def go_on(directory: Path) -> None:
    """One more update, at most."""
    resume(directory, steps=24, threads=1, console=QUIET)


def _plot(self: object, rows: object, path: Path) -> None:
    write_atomically(path, b"a curve")


def base_runs(folder: Path) -> dict[str, dict[str, bytes]]:
    """The files of small runs."""
    found = {}
    for name, (problem, algorithm, options) in RUNS.items():
        if algorithm in ("ppo", "dqn") and "validation" not in options:
            options = options | {"validation": {"sizes": (5,), "graphs": 1}}
        config = TrainConfig.for_problem(problem, algorithm, steps=16, **SMALL, **options)
        train(problem, config, folder / name, QUIET)
        names = ("config.json", "metrics.csv", "policy.safetensors", "trainer.safetensors")
        found[name] = {file: (folder / name / file).read_bytes() for file in names}
    return found


def try_one(directory: Path, work: Callable[[Path], None]) -> str:
    """How `work` ends: "used", or the kind of a one-line error. Raises whatever else comes."""
    signal.alarm(MOST_SECONDS)
    try:
        work(directory)
    except bad_input() as error:
        return type(error).__name__
    finally:
        signal.alarm(0)
    return "used"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    draws, faults, ends = random.Random(options.seed), 0, Counter[str]()

    def hang(*_: object) -> None:
        raise Hang(f"after {MOST_SECONDS} s")

    with contextlib.ExitStack() as stack:
        for evaluator in (GapEvaluator, DistributionEvaluator):  # drawing takes longer than all the rest
            stack.enter_context(mock.patch.object(evaluator, "plot", _plot))
        name = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(mock.patch.object(sys, "path", [*sys.path, name]))
        stack.callback(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, hang))
        folder = Path(name)
        mark = folder / "code-has-run"
        (folder / f"{STRANGER}.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
        bases = base_runs(folder)
        directory = folder / "altered"
        for warm in bases:
            use(folder / warm)
            go_on(folder / warm)
        least = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.perf_counter()
        for number in range(options.inputs):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            base = draws.choice(sorted(bases))
            kind = Fuzzer(bases[base], draws).alter(directory)
            for work in (use, go_on) if number % 2 == 0 else (use,):
                torch.manual_seed(0)
                try:
                    ends[try_one(directory, work)] += 1
                except Exception as error:  # a fault of ours, which is to be seen
                    faults += 1
                    kept = Path(tempfile.gettempdir()) / f"fuzzed-run-{options.seed}-{number}"
                    shutil.copytree(directory, kept, dirs_exist_ok=True)
                    print(f"{number}: {work.__name__} of {base}, {kind}: {type(error).__name__}: {error}; see {kept}")
            if mark.exists():
                print(f"{number}: {base}, {kind}: CODE OF THE RUN HAS RUN")
                return 1
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - least) / 1024
        seconds = time.perf_counter() - begin
        print(
            f"{options.inputs} altered runs in {seconds:.0f} s: {dict(ends.most_common())}, "
            f"{faults} faults, +{more:.0f} MiB"
        )
        return int(faults > 0 or more > MOST_MIB)


if __name__ == "__main__":
    code = main()
    if code:
        sys.exit(code)
