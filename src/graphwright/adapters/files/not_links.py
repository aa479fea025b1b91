"""Text tables that could be read as lists of links, and are something else."""

from __future__ import annotations

from graphwright.adapters.files.table import is_number
from graphwright.adapters.files.table_rows import TableRows
from graphwright.core import GraphError

_SURE = 5  # cells in a row from which on zeros along the diagonal are no chance


def refuse_arrows(rows: TableRows) -> None:
    """Raise GraphError where "->" or another sign without a letter or digit stands between all names."""
    if not rows.is_even or rows.width < 3:
        return
    sign = rows[0][1]
    if not any(map(str.isalnum, sign)) and set(rows.column(1)) == {sign}:
        raise GraphError(f"line {rows.lines[0]}: {sign!r} stands where a name is expected; write the two names alone")


def refuse_matrix(rows: TableRows) -> None:
    """Raise GraphError where `rows` are as many as their cells, all numbers, with zeros along the diagonal.

    Of so few rows that this may be chance, where they are symmetric too.
    """
    size = len(rows)
    if size < 3 or not rows.is_even or rows.width != size or not all(map(is_number, set(rows.cells))):
        return
    if any(float(rows[row][row].replace(",", ".")) for row in range(size)):
        return
    symmetric = all(rows[row][other] == rows[other][row] for row in range(size) for other in range(row))
    if symmetric or size >= _SURE:
        raise GraphError(
            f"may be a matrix of {size} nodes, which is read as Matrix Market (.mtx) only; "
            "if each line is a link, say --header no"
        )
