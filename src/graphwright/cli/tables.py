"""Tables of what `graphwright evaluate` measures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from graphwright.cli.terminal import empty_table, marked
from graphwright.training.control import ControlRow
from graphwright.training.evaluate_heuristic import HeuristicRow
from graphwright.training.evaluate_solutions import EvaluationRow
from graphwright.training.gflownet.evaluate_sampling import ParetoEvaluation, SamplingEvaluation
from graphwright.training.statistics import Interval


def evaluation_table(title: str, rows: Sequence[EvaluationRow]) -> Table:
    """Mean objectives, a row for each size or file."""
    heuristics = list(dict.fromkeys(name for row in rows for name in row.heuristics))
    solved = any(row.optimum is not None for row in rows)
    known = any(row.best is not None for row in rows)
    headings = ["graphs", "random", *heuristics, "policy", *(["best known"] if known else [])]
    headings += [*(["optimum"] if solved else []), "ratio", "95 % interval", "time"]
    table = empty_table(title, [heading.replace("-", " ") for heading in headings])
    for row in rows:
        optimum = _cell(row.optimum) + (" *" if row.optimum is not None and row.proven < row.graphs else "")
        table.add_row(
            marked(row.name),
            _cell(row.random),
            *(_cell(row.heuristics.get(name)) for name in heuristics),
            f"[bold]{row.policy:.3f}",
            *([_cell(row.best)] if known else []),
            *([optimum] if solved else []),
            f"[bold]{row.ratio:.4f}",
            Interval(row.ratio, row.ratio_low, row.ratio_high).span(),
            f"{row.seconds:.1f} s",
        )
    table.caption = "\n".join(_remarks(rows)) or None
    return table


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def control_table(title: str, rows: Sequence[ControlRow]) -> Table:
    """Mean backlogs, a row for each size or file."""
    table = empty_table(title, ("instance", "backlog", "95 % interval", "throughput", "slots"), left="instance")
    for row in rows:
        interval = Interval(row.backlog, row.backlog_low, row.backlog_high)
        table.add_row(
            marked(row.instance),
            f"[bold]{row.backlog:,.3f}",
            interval.span(),
            "" if math.isnan(row.throughput) else f"{row.throughput:.4f}",  # where nothing arrived
            f"{row.slots:,}",
        )
    return table


def heuristic_table(title: str, objective: str, rows: Sequence[HeuristicRow]) -> Table:
    """Mean objectives of one heuristic, a row for each size or file."""
    table = empty_table(title, ("instance", f"mean {objective}", "complete", "graphs", "time"), left="instance")
    for row in rows:
        table.add_row(
            marked(row.instance),
            f"[bold]{row.objective:.6g}",
            str(row.complete),
            str(row.graphs),
            f"{row.seconds:.1f} s",
        )
    return table


def _remarks(rows: Sequence[EvaluationRow]) -> list[str]:
    """What a reader must know beside the numbers."""
    remarks = []
    unproven = sum(row.graphs - row.proven for row in rows if row.optimum is not None and row.bound_by is None)
    if unproven:
        remarks.append(f"* a bound: {unproven} optima are not proven; a longer --time-limit may prove them")
    remarks += sorted({f"no optimum: {marked(row.unproven)}" for row in rows if row.unproven is not None})
    for row in rows:
        if row.bound_by:
            remarks.append(f"* of {marked(row.name)}: a bound by {row.bound_by}")
        if row.improved:
            words = ", ".join(f"from {name} {value:.3f}" for name, value in row.improved.items())
            remarks.append(f"local search of {marked(row.name)}: {words}")
        if row.best_by:
            finders = "; ".join(f"{name} {number}" for name, number in row.best_by.items())
            remarks.append(f"best known of {marked(row.name)}: {finders}")
    others = {row.reference for row in rows} - {"optimum"}
    if others:
        remarks.append(f"the ratio is to {' and '.join(sorted(others))}")
    incomplete = sum(row.graphs - row.complete for row in rows)
    if incomplete:
        remarks.append(f"{incomplete} of the policy's solutions are NOT COMPLETE")
    return remarks


def sampling_table(title: str, found: SamplingEvaluation) -> Table:
    """The sampler beside random building."""
    exact = found.log_z_exact is not None
    table = empty_table(title, ("", "sampler", "random", *(["exact"] if exact else [])), left="")
    if found.log_z is not None or exact:
        table.add_row("log Z", _number(found.log_z), "", _number(found.log_z_exact))
    if found.total_variation is not None:
        table.add_row("total variation from R / Z", _number(found.total_variation), "", "0")
    table.add_row("mean reward", _number(found.mean_reward), _number(found.mean_reward_random))
    table.add_row("mean log reward", _number(found.mean_log_reward), _number(found.mean_log_reward_random))
    table.add_row(f"mean of the {found.top} best", _number(found.top_reward), _number(found.top_reward_random))
    table.add_row("different objects", str(found.different), str(found.different_random))
    if found.modes is not None:
        table.add_row("modes", str(found.modes), str(found.modes_random))
        spread = (_number(found.top_diversity), _number(found.top_diversity_random))
        table.add_row(f"diversity of the {found.top} best", *spread)
    if found.pareto is not None:
        _add_fronts(table, found.pareto)
    if found.mean_log_likelihood is not None:
        table.add_row("mean log-likelihood of the data", _number(found.mean_log_likelihood))
        table.add_row("rank correlation with the reward", _number(found.likelihood_rank_correlation))
    for goal in found.goals:
        weights = goal.preference or goal.focus
        name = f"β {goal.beta:g}" + ("" if weights is None else f", weights {' '.join(f'{w:.2g}' for w in weights)}")
        table.add_row(f"{name}: mean log reward", _number(goal.mean_log_reward))
    return table


def _add_fronts(table: Table, found: ParetoEvaluation) -> None:
    for name, better in (("hypervolume", "more"), ("r2", "less"), ("igd", "less")):
        row = (_number(getattr(found, name)), _number(getattr(found, f"{name}_random")))
        table.add_row(f"{name.upper() if len(name) < 4 else name} ({better} is better)", *row)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}" if abs(value) < 1e6 else f"{value:.4g}"
