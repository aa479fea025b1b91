"""`graphwright solve RUN FILE...`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.reading import count
from graphwright.cli.answers import options_of
from graphwright.cli.instances import FileOptions, dropped_loops, say_reading, say_slowness
from graphwright.cli.options import AsJson, OnDevice, Threads, Trust
from graphwright.cli.outputs import require_picture
from graphwright.cli.policies import policy_of, problem_by_name
from graphwright.cli.terminal import marked
from graphwright.core import GraphBatch
from graphwright.core.numbers import require, shown, to_plain_json
from graphwright.drawing.letters import printable
from graphwright.envs.optimization import Optimization
from graphwright.envs.problem import Problem
from graphwright.training.agent import Agent
from graphwright.training.config import ConfigError, use_threads
from graphwright.training.decode import SAMPLES, Decoding, require_samples
from graphwright.training.solve import NamedSolution, NamedStep, require_method, solve, solve_without_policy


@dataclass(frozen=True)
class Solve:
    """Solve graphs from files with a trained policy."""

    directory: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Directory of the run; or the name of a problem, for the policy that comes with it, or for that of --policy."""
    files: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE...")]
    """Graphs, in any format of docs/files.md: text tables, GraphML, JSON, DIMACS, TSPLIB, SteinLib, rudy and others."""
    reading: Annotated[FileOptions, tyro.conf.arg(name="")] = field(default_factory=FileOptions)
    decode: Decoding = "greedy"
    """greedy takes the likeliest action, sample draws, best-of keeps the cheapest of --samples draws; parallel takes
    many actions at once, for graphs of 10,000 nodes and more."""
    samples: int = SAMPLES
    """Solutions of each graph for best-of."""
    seed: int = 0
    """Seed of sampled decoding."""
    time_limit: float = 10.0
    """Seconds for proving a lower bound, each graph; 0 for none."""
    improve: float = 0.0
    """Seconds of local search from the solution of the policy, and as many from that of the first heuristic."""
    threads: Threads = 2
    device: OnDevice = "auto"
    json: AsJson = False
    trust: Trust = False
    policy: str | None = None
    """Solve without a run, by a heuristic of this name, or by the solver."""
    policy_only: bool = False
    """Give the policy's own solution, though a heuristic or the solver may know a better one."""
    picture: Path | None = None
    """Draw the solution of one FILE: .png, .svg or .pdf, or .gif for how the policy comes to it, step by step."""

    def run(self) -> None:
        """Solve all files, then print the solutions or JSON."""
        use_threads(self.threads)
        if not self.files:
            if self.directory.is_file():
                raise ConfigError(f"solve: {self.directory} is a file; name a problem or a run before it")
            raise ConfigError("solve: name at least one FILE")
        require_samples(self.samples, self.decode)
        require("time-limit", self.time_limit, 0)
        require("improve", self.improve, 0)
        if self.picture is not None:
            if len(self.files) > 1:
                raise ConfigError("--picture draws one FILE; solve the others without it")
            require_picture("--picture", self.picture, moving=self.policy is None)
        problem, environment, solve_one, agent = self._solver()
        graphs = [self.reading.read(path, environment) for path in self.files]
        for path, (named, _) in zip(self.files, graphs, strict=True):
            say_reading(path, named)
        if agent is not None:
            say_slowness(agent, (instance for _, instance in graphs))
        solutions = [solve_one(instance, named.names) for named, instance in graphs]
        if self.picture is not None:
            _draw(self.picture, self.files[0], problem, environment, graphs[0][0], solutions[0], agent)
        if self.json:
            results = [
                {"file": str(path), "read": named.reading.document(), **asdict(solution)}
                for path, (named, _), solution in zip(self.files, graphs, solutions, strict=True)
            ]
            solved = problem.optimization  # a sampler may build in another environment
            document = {
                "problem": problem.name,
                "objective": problem.objective,
                "environment": options_of(environment if isinstance(environment, type(solved)) else solved),
                "run": str(self.directory),
            }
            print(to_plain_json(document | {"results": results}, indent=2))
            return
        for path, (named, instance), solution in zip(self.files, graphs, solutions, strict=True):
            _print(problem, path, solution, dropped_loops(named, instance))

    def _solver(
        self,
    ) -> tuple[Problem, Optimization, Callable[[GraphBatch, Sequence[str]], NamedSolution], Agent | None]:
        """The problem, the environment that reads its instances, what solves one of them, and whose policy that is."""
        if self.policy is not None:
            problem = problem_by_name(str(self.directory))
            require_method(problem, self.policy, self.time_limit)
            if self.policy_only or self.decode != "greedy":
                raise ConfigError("--policy: solves without a run, which --policy-only and --decode are about")
            by_name = partial(
                solve_without_policy, problem, method=self.policy, time_limit=self.time_limit, improve=self.improve
            )
            return problem, problem.optimization, by_name, None
        agent = policy_of(self.directory, self.device, self.trust)
        if not isinstance(agent.config.played, Optimization):
            other = "builds objects; see `graphwright sample`" if agent.samples else "has no objective"
            other = "never ends; see `graphwright evaluate`" if agent.problem.is_endless else other
            other = "is a game; see `graphwright match` and `graphwright play`" if agent.problem.is_game else other
            raise ConfigError(f"{self.directory}: {agent.problem.name} solves no files: it {other}")
        by_policy = partial(
            solve,
            agent,
            decoding=self.decode,
            samples=self.samples,
            seed=self.seed,
            time_limit=self.time_limit,
            improve=self.improve,
            policy_only=self.policy_only,
        )
        return agent.problem, agent.config.environment, by_policy, agent


def _print(problem: Problem, path: Path, solution: NamedSolution, loops: int) -> None:
    facts = [
        *([count(len(solution.nodes), "node")] if solution.nodes else []),
        *([count(len(solution.links), "link")] if solution.links else []),
        f"{problem.objective} {shown(solution.objective)}{_whose(solution)}",
        "complete" if solution.complete else "NOT COMPLETE",
        *_gap(solution),
        *([f"{count(loops, 'loop')} dropped"] if loops else []),
        f"{solution.seconds:.2f} s",
    ]
    console = Console(highlight=False)
    console.print(f"[bold]{marked(path.name)}[/]: {marked(', '.join(facts))}", soft_wrap=True)
    if solution.plan:
        lines = plan_lines(solution.plan, problem.objective)
    else:
        links = ", ".join(f"{one} – {other}" for one, other in solution.links)
        nodes = ", ".join(solution.nodes)
        lines = [f"nodes: {nodes}", f"links: {links}"] if nodes and links else [nodes or links]
    for line in lines:
        console.print("  " + printable(line), markup=False, soft_wrap=True)


def plan_lines(plan: Sequence[NamedStep], objective: str) -> list[str]:
    """A line for each step: when it is over, what is done, and what the objective is by then."""
    numbers = [(shown(step.time), shown(step.total)) for step in plan]
    same = all(time == total for time, total in numbers)
    heading = ("" if same else "time", objective)
    wide = [max(map(len, column)) for column in zip(heading, *numbers, strict=True)]
    lines = [] if same else [f"{heading[0]:>{wide[0]}}  {heading[1]:>{wide[1]}}"]
    for (time, total), step in zip(numbers, plan, strict=True):
        what = step.node if step.link is None else " – ".join(step.link)
        numbered = f"{total:>{wide[1]}}" if same else f"{time:>{wide[0]}}  {total:>{wide[1]}}"
        lines.append(f"{numbered}  {step.do}" + ("" if what is None else f" {what}"))
    return lines


_WRITTEN = 1e-12  # of an objective: more digits are not written


def _whose(solution: NamedSolution) -> str:
    """Who found it, where that is not the policy."""
    if solution.found_by == "policy":
        return ""
    others = {} if solution.policy is None else {"policy": solution.policy}
    others |= {f"{name}, improved": objective for name, objective in solution.improved.items()}
    words = [f"{name} {shown(objective)}" for name, objective in others.items() if name != solution.found_by]
    return f" by {solution.found_by}" + (f" ({'; '.join(words)})" if words else "")


def _gap(solution: NamedSolution) -> list[str]:
    """What is proven of the solution, in words."""
    if solution.bound is None:
        return [f"unproven: {solution.unproven}"] if solution.unproven else []
    if solution.optimal:
        doubt = solution.doubt / abs(solution.objective) if solution.objective else 0.0
        return ["optimal" if doubt < _WRITTEN else f"optimal to {doubt:.0e} of it"]
    gap = abs(solution.objective - solution.bound)
    if solution.bound <= 0:
        return ["no bound proven in time"]
    by = f" ({solution.bound_by})" if solution.bound_by else ""
    return [f"at most {100 * gap / solution.bound:.3g} % from the optimum{by}"]


def _draw(
    picture: Path,
    path: Path,
    problem: Problem,
    environment: Optimization,
    named: NamedGraph,
    solution: NamedSolution,
    agent: Agent | None,
) -> None:
    from graphwright.drawing.style import save_animation, save_figure
    from graphwright.training.picture import draw, episode

    if picture.suffix.lower() == ".gif":
        assert agent is not None
        save_animation(episode(agent, named.graph, f"{_title(path)}, {problem.name}"), picture, 250)
        return
    title = f"{_title(path)}: {problem.name}, {problem.objective} {solution.objective:g}"
    save_figure(draw(environment, named.graph, named.names, solution, title), picture)


def _title(path: Path) -> str:
    """The name of a file as a picture may show it: no dollar begins a formula."""
    return printable(path.stem).replace("$", r"\$")
