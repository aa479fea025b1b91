"""What networkx reads of others' formats, with its complaints as ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import networkx as nx

from graphwright.adapters.named_graph import NamedGraph
from graphwright.adapters.networkx import rows_of
from graphwright.core import GraphError


def through_networkx(form: str, read: Callable[[], nx.Graph], *, directed: bool | None = None) -> NamedGraph:
    """The graph that `read` gives, of the format called `form`; `directed` goes before what networkx says.

    Nodes are named by their text attribute `label` if all have one and no two the same. Raises GraphError, on one line,
    for whatever goes wrong inside.
    """
    try:
        graph = read()
    except GraphError:
        raise
    except RecursionError as error:
        raise GraphError(f"{form} with lists inside lists without end; repair the file or fetch it again") from error
    except Exception as error:  # networkx raises a dozen undocumented kinds on damaged files
        reason = (str(error) or type(error).__name__).splitlines()[0][:100]
        raise GraphError(f"not readable as {form} ({reason}); repair the file or fetch it again") from error
    labels = [data.get("label") for _, data in graph.nodes(data=True)]
    texts = [" ".join(str(label).split()) for label in labels if label is not None]
    if len(texts) == len(graph) and len(set(texts) - {""}) == len(graph):
        names = dict(zip(graph, texts, strict=True))
        for _, data in graph.nodes(data=True):
            del data["label"]
        graph = nx.relabel_nodes(graph, names)
    rows = rows_of(graph)
    return replace(rows, directed=rows.directed if directed is None else directed).to_named(form)
