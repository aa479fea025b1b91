"""The laws of random counts: arrivals and services of a slot."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.counts import COUNT_LAWS
from graphwright.envs.randomness import poisson
from graphwright.envs.weights import require_nodes

POISSON, BERNOULLI, UNIFORM, CATEGORICAL, FIXED = range(len(COUNT_LAWS))
MOST = 500.0
"""The largest mean of a slot: a Poisson number is found by counting up to it."""
_SHOWN = 6  # numbers of a list that is refused
_OUTCOMES = 2  # dimensions of a column that holds the chances of 0, 1, 2, ...


def draw_counts(state: GraphBatch, column: str, uniforms: Tensor) -> Tensor:
    """[N] int64: the counts at `uniforms` [N] float64, by inversion.

    The means are the node column `column` [N] float64, the law of each graph its column `law`; of categorical counts
    the chances of 0, 1, ... are the node column `{column}_chances` [N, V].
    """
    mean = state.nodes[column]
    counts = poisson(uniforms, mean)
    law = state.graphs["law"]
    if not bool(law.any()):
        return counts
    law = law[state.node_graph]
    counts = torch.where(law == BERNOULLI, (uniforms < mean).long(), counts)
    counts = torch.where(law == UNIFORM, (uniforms * (2 * mean + 1)).long(), counts)
    counts = torch.where(law == FIXED, mean.round().long(), counts)
    if (chances := state.nodes.get(f"{column}_chances")) is not None:
        beyond = uniforms.unsqueeze(1) >= chances.cumsum(1)[:, :-1]
        counts = torch.where(law == CATEGORICAL, beyond.sum(1), counts)
    return counts


def law_of(graph: GraphBatch) -> Tensor:
    """[B] int64: the graph column `law`, or what a file calls `distribution`; Poisson where there is none.

    Raises GraphError for what names no law.
    """
    for name in ("law", "distribution"):
        if name in graph.graphs:
            return _numbered(graph.graphs[name])
    return torch.zeros(graph.num_graphs, dtype=torch.int64, device=graph.device)


def _numbered(given: Tensor) -> Tensor:
    """[B] int64: `given`, places in `COUNT_LAWS` of whatever type."""
    if given.dtype != torch.bool and given.dim() == 1:
        law = given.nan_to_num(-1).long()
        if bool(((law == given) & (law >= 0) & (law < len(COUNT_LAWS))).all()):
            return law
    raise GraphError(f"graph column 'distribution': give one of {', '.join(COUNT_LAWS)}")


def means_of(graph: GraphBatch, column: str, law: Tensor) -> dict[str, Tensor]:
    """The node columns that hold the law of `column`: its means [N] float64, and its chances where it is categorical.

    Raises GraphError, naming the node, for numbers that the law of its graph does not have.
    """
    if column not in graph.nodes:
        raise GraphError(
            f"the nodes have no {column!r}, or not all as numbers; give each its mean a slot in the node attribute "
            f"{column!r}, or, of categorical counts, each a list of chances"
        )
    if graph.nodes[column].dtype == torch.bool:
        raise GraphError(f"node column {column!r}: true and false are no numbers; give means or chances")
    given = graph.nodes[column].double()
    if f"{column}_chances" in graph.nodes:
        return {column: given, f"{column}_chances": graph.nodes[f"{column}_chances"].double()}
    categorical = bool((law == CATEGORICAL).any())
    if categorical != (given.dim() == _OUTCOMES):
        form = "a list, the chances of 0, 1, 2, ..." if categorical else "one number, the mean a slot"
        raise GraphError(f"node column {column!r}: where the distribution is {_names(law)}, each node has {form}")
    if not categorical:
        require_rates(graph, column, given)
        for wrong, rule in broken_rules(given, law[graph.node_graph]):
            _refuse(graph, column, wrong, rule)
        return {column: given}
    wrong = (given < 0) | ~given.isfinite()
    _refuse(graph, column, wrong.any(1) | ((given.sum(1) - 1).abs() > 1e-6), "chances are at least 0 and add up to 1")
    outcomes = torch.arange(given.shape[1], dtype=torch.float64, device=given.device)
    return {column: given @ outcomes, f"{column}_chances": given}


def require_rates(graph: GraphBatch, column: str, given: Tensor) -> None:
    """Raise GraphError, naming the node, where `given` [N], its `column`, is not a rate: finite and at least 0."""
    _refuse(graph, column, ~given.isfinite() | (given < 0), "a rate is a finite number of at least 0")


def broken_rules(mean: Tensor, law: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Where means, which are rates, break a rule of their law, and the rule; mean, law: of shapes that go together."""
    whole, half = mean == mean.round(), 2 * mean == (2 * mean).round()
    yield mean > MOST, f"at most {MOST:g} a slot; count in larger units"
    yield (law == BERNOULLI) & (mean > 1), "a Bernoulli mean is a chance, at most 1"
    yield (law == FIXED) & ~whole, "a fixed count is a whole number"
    yield (law == UNIFORM) & ~half, "uniform counts are 0 to twice the mean: make that whole"


def _refuse(graph: GraphBatch, column: str, wrong: Tensor, rule: str) -> None:
    values = graph.nodes[column]
    require_nodes(graph, ~wrong, lambda node: f"node column {column!r} is {_shown(values[node])} at node {{}}; {rule}")


def _names(law: Tensor) -> str:
    return " or ".join(sorted({COUNT_LAWS[int(each)] for each in law}))


def _shown(value: Tensor) -> str:
    """A number, or a list of which the first are enough to know it by."""
    if value.numel() <= _SHOWN:
        return str(value.tolist())
    return f"[{', '.join(map(str, value[:_SHOWN].tolist()))}, ...], {value.numel():,} numbers,"
