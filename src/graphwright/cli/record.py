"""`graphwright record PROBLEM --expert NAME|--run RUN`: what somebody does, as a file to learn from."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro

from graphwright.adapters.reading import count
from graphwright.algorithms.registry import find_algorithm
from graphwright.cli.commands import Parsing, with_fields
from graphwright.cli.evaluate_policy import environment_options
from graphwright.cli.instances import FileOptions, read_all
from graphwright.cli.options import Threads, Trust, with_agents
from graphwright.cli.outputs import require_output
from graphwright.core import GraphBatch
from graphwright.data.recording import Recording
from graphwright.drawing.letters import printable
from graphwright.envs.endless import Endless
from graphwright.envs.experts import experts_of, find_expert
from graphwright.envs.problem import Problem
from graphwright.envs.readable import Readable
from graphwright.envs.registry import find_problem
from graphwright.training.agent import load
from graphwright.training.collectors.play import PlayConfig
from graphwright.training.columns import columns_of_agents, require_same_columns
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.record import Actor, ExpertActor, PolicyActor, RecordOptions, record


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record what an expert or a trained policy does, for `graphwright train PROBLEM --algorithm bc --bc.data FILE`."""

    problem: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROBLEM")]
    """Its name, as `graphwright problems` lists it, or your own as module:NAME."""
    out: Path
    """File to write, safetensors."""
    expert: str | None = None
    """Who is recorded: a heuristic or a baseline of the problem, or "solver"."""
    run_directory: Annotated[Path | None, tyro.conf.arg(name="run")] = None
    """Or the directory of a run, whose policy is recorded."""
    options: Annotated[RecordOptions, tyro.conf.arg(name="")] = field(default_factory=RecordOptions)
    instances: tuple[Path, ...] = ()
    """Files to play instead of random instances."""
    files: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)
    threads: Threads = 2
    trust: Trust = False

    def run(self) -> None:
        """Record, write the file, and say what is in it."""
        use_threads(self.threads)
        if self.out.suffix != ".safetensors":
            raise ConfigError(f"--out {self.out}: recordings are .safetensors; name it {self.out.stem}.safetensors")
        require_output("--out", self.out)
        problem = find_problem(self.problem)
        self.options.require(problem)
        generator = torch.Generator().manual_seed(self.options.seed)
        options, environment, actor = self._actor(problem, generator)
        by = self.expert or str(self.run_directory)
        header = {"problem": problem.name, "by": by, "seed": options.seed}
        found = record(environment, actor, self._instances(problem, environment, options), options.slots, header)
        found.save(self.out)
        print(printable(f"{self.out}: {_summary(found)} of {problem.name} by {by}"), file=sys.stderr)

    def _actor(self, problem: Problem, generator: torch.Generator) -> tuple[RecordOptions, Any, Actor]:
        environment = getattr(self, "environment", None) or problem.environment
        if (self.expert is None) == (self.run_directory is None):
            known = ", ".join(experts_of(problem, environment)) or "none that is an expert"
            raise ConfigError(f"say who is recorded, --expert NAME ({known}) or --run RUN, one of both")
        if self.run_directory is None:
            expert = find_expert(problem, environment, self.expert)
            return self.options, environment, ExpertActor(environment, expert, self.options.solver_seconds, generator)
        agent, option = load(self.run_directory, trust=self.trust), f"--run {self.run_directory}"
        if agent.samples:
            raise ConfigError(f"{option}: learned to sample, and plays nothing to record")
        options, collection = self.options, agent.config.collection
        if agent.problem.name == problem.name:
            if getattr(self, "environment", problem.environment) == problem.environment:
                environment = agent.config.environment
            assert isinstance(collection, PlayConfig)
            given = {
                name: getattr(options, name) or getattr(collection, name) for name in ("sizes", "generator", "law")
            }
            options = dataclasses.replace(options, **given)
        if beside := columns_of_agents(agent.config):
            raise ConfigError(f"{option}: a recording has no column for {next(iter(beside))}; record a run without it")
        require_same_columns(option, agent.config.played, environment)
        draws = find_algorithm(agent.config.algorithm).load().draws
        decode = agent.decoding(options.decode or ("sample" if draws else "greedy"))
        return options, environment, PolicyActor(environment, agent.policy, decode == "greedy", draws, generator)

    def _instances(self, problem: Problem, environment: Any, options: RecordOptions) -> GraphBatch:
        if self.instances and not isinstance(environment, Readable):
            raise ConfigError(f"--instances: {problem.name} reads no files; leave it out")
        files, _ = read_all(self.instances, self.files, self.options, environment)
        if not files:
            return options.instances(problem)
        read = GraphBatch.concat(list(files.values()))
        if isinstance(environment, Endless):
            read = environment.reseeded(read, options.seed)  # as `evaluate` does; random instances are drawn by it
        return read.select(torch.arange(options.episodes or read.num_graphs) % read.num_graphs)


def record_command(words: Sequence[str]) -> Parsing:
    """`Record` with the options of the environment of the problem that `words` name."""
    name = words[0] if words else ""
    try:
        problem = find_problem(name)
    except (ValueError, ImportError):
        return Parsing(Record, list(words))  # which says what is wrong with it
    command = environment_options(Record, name)
    if problem.is_team:
        options = with_agents(RecordOptions())
        types = {"options": Annotated[type(options), tyro.conf.arg(name="")]}
        command = with_fields(command, types, {"options": options})
    return Parsing(command, list(words))


def _summary(found: Recording) -> str:
    much = f"{count(found.num_states, 'step')} in {count(found.header['episodes'], 'episode')}"
    steps = f"{much}, mean reward {found.reward.mean():.4g}"
    return steps if found.probability is None else f"{steps}, with probabilities"
