"""`graphwright problems`."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from graphwright.cli.terminal import marked
from graphwright.core import ActionBlock
from graphwright.envs.registry import CONTROLLED, GAMES, PROBLEMS, SOLVED, TEAMS


@dataclass(frozen=True)
class Problems:
    """List the problems, with what an action is and how graphs become instances; then the tasks of flow networks.

    Last among the former are those that never end, those of teams, which are evaluated rather than solved, and games.
    """

    def run(self) -> None:
        """Print the list."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("problem", "what to do", "action", "laws of instances"):
            table.add_column(heading, overflow="fold")
        for problem in (*SOLVED.values(), *CONTROLLED.values(), *TEAMS.values(), *GAMES.values()):
            blocks = ", ".join(describe(block) for block in problem.environment.actions.blocks)
            table.add_row(f"[bold]{problem.name}", problem.summary, blocks, ", ".join(problem.laws))
        Console().print(table)
        tasks = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("task", "what to build", "action"):
            tasks.add_column(heading, overflow="fold")
        for name in PROBLEMS:
            try:
                task = PROBLEMS[name]
            except ImportError as error:
                tasks.add_row(f"[bold]{name}", marked(error), "")
                continue
            if task.generation is None:
                continue
            blocks = ", ".join(describe(block) for block in task.builder.actions.blocks)
            tasks.add_row(f"[bold]{task.name}", task.summary, blocks)
        Console().print()
        Console().print(tasks)


def describe(block: ActionBlock) -> str:
    """An action block in a few words: "select (1 a node)"."""
    numbers = " real number" + "s" * (block.columns > 1) if block.continuous else ""
    return f"{block.name} ({block.columns}{numbers} {block.rows.label})"
