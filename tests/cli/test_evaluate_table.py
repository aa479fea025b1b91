"""The table of `graphwright evaluate`."""

from __future__ import annotations

from dataclasses import replace

from graphwright.cli.tables import evaluation_table
from graphwright.training.evaluate_solutions import EvaluationOptions, evaluate_solutions
from graphwright.training.pretrained import pretrained


def test_a_row_without_an_optimum_leaves_its_cell_empty() -> None:
    """Two sizes, of which one was too large for the solver: each number stands below its heading."""
    agent = pretrained("vertex-cover")
    (row,) = evaluate_solutions(agent, EvaluationOptions(sizes=(6,), graphs=2))
    table = evaluation_table("", [row, replace(row, name="large", optimum=None, best=None)])
    cells = {str(column.header): list(map(str, column.cells)) for column in table.columns}
    assert cells["optimum"][1] == cells["best known"][1] == "–"
    assert cells["ratio"][0] == cells["ratio"][1]
    assert cells["time"][1].endswith(" s")


def test_finders_whose_names_have_commas_are_told_apart() -> None:
    agent = pretrained("vertex-cover")
    (row,) = evaluate_solutions(agent, EvaluationOptions(sizes=(6,), graphs=2))
    table = evaluation_table("", [replace(row, best_by={"policy": 4, "policy, improved": 1})])
    assert "policy 4; policy, improved 1" in str(table.caption)
