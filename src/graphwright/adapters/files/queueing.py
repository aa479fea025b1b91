"""Queueing networks in JSON: what node-link JSON says of them, and the form of a published set of networks.

The latter is an object with `nodes`, a number; `link_info`, a list of {"start", "end", "rate"}; and `class_info`,
{destination: {source: packets a slot}}. It is read as the node-link document that says the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphwright.core import GraphError
from graphwright.core.counts import COUNT_LAWS

Document = dict[str, object]
_LAW = "distribution"


def is_published(document: Mapping[str, object]) -> bool:
    """Whether `document` has the form of the published networks."""
    return "link_info" in document and "class_info" in document


def as_node_link(document: Mapping[str, object]) -> Document:
    """A published network as a node-link document. Raises GraphError, naming the link or class, for a malformed one."""
    count, links, classes = document.get("nodes"), document["link_info"], document["class_info"]
    if type(count) is not int or count < 1 or not isinstance(links, list) or not isinstance(classes, dict):
        raise GraphError("'nodes' is a number, 'link_info' a list of links, 'class_info' an object; correct them")
    for law in ("link_distribution", "arrival_distribution"):
        if document.get(law, "fixed" if law == "link_distribution" else "poisson") not in ("fixed", "poisson"):
            raise GraphError(f"{law!r}: {document[law]!r} is none that is known; give fixed links, poisson arrivals")
    if document.get("link_distribution", "fixed") != "fixed":
        raise GraphError("'link_distribution': links have fixed rates; say fixed, or leave it out")
    arrivals: list[Document] = [{} for _ in range(count)]
    order: list[Document] = [{} for _ in range(count)]
    for place, (destination, sources) in enumerate(classes.items()):
        order[_node(destination, count, f"class {destination}")]["class"] = place
        if not isinstance(sources, dict):
            raise GraphError(f"class {destination}: not an object of sources and their rates; correct it")
        for source, rate in sources.items():
            arrivals[_node(source, count, f"class {destination}")][destination] = rate
    return {
        "directed": True,
        "multigraph": False,
        "graph": {_LAW: document.get("arrival_distribution", "poisson")},
        "nodes": [
            {"id": str(node), **order[node], **({"arrivals": own} if (own := arrivals[node]) else {})}
            for node in range(count)
        ],
        "edges": [_link(link, place, count) for place, link in enumerate(links)],
    }


def _link(link: object, place: int, count: int) -> Document:
    if not isinstance(link, dict) or not {"start", "end", "rate"} <= link.keys():
        raise GraphError(f"link {place}: give it 'start', 'end' and 'rate'")
    sides = (("source", "start"), ("target", "end"))
    ends = {side: str(_node(link[name], count, f"link {place}")) for side, name in sides}
    return {**ends, **{name: value for name, value in link.items() if name not in ("start", "end", *ends)}}


def _node(name: object, count: int, where: str) -> int:
    """The node that a number, or a text of digits, names."""
    text = str(name)
    if not text.isdecimal() or int(text) >= count:
        raise GraphError(f"{where}: {name!r} is no node; they are 0 to {count - 1}")
    return int(text)


def with_law(graph: Document) -> Document:
    """The graph attributes with the number of the distribution that they name. Raises GraphError for an unknown one."""
    named = graph.get(_LAW)
    if not isinstance(named, str):
        return graph
    if named not in COUNT_LAWS:
        raise GraphError(f"graph attribute {_LAW!r}: {named!r} is none of {', '.join(COUNT_LAWS)}")
    return {**graph, _LAW: COUNT_LAWS.index(named)}


def with_chances(nodes: list[Document], graph: Mapping[str, object]) -> list[Document]:
    """The attributes of nodes, where counts are categorical with 0 after the chances of all that have fewer of them."""
    if graph.get(_LAW) != "categorical":
        return nodes
    for name in ("arrival", "service"):
        lists = [chances for node in nodes if isinstance(chances := node.get(name), list)]
        most = max(map(len, lists), default=0)
        if len({len(chances) for chances in lists}) > 1:
            nodes = [{**node, name: _filled(node.get(name), most)} for node in nodes]
    return nodes


def _filled(chances: object, most: int) -> object:
    return [*chances, *[0.0] * (most - len(chances))] if isinstance(chances, list) else chances


def with_arrivals(nodes: list[Document], names: Mapping[str, int]) -> list[Document]:
    """The attributes of nodes, `arrivals` as a list with a place for each node instead of an object of some of them.

    names: of all nodes, in order. Raises GraphError, naming the node, for a destination that is none, and a rate that
    is no number.
    """
    if not any(isinstance(node.get("arrivals"), dict) for node in nodes):
        return nodes
    rows = [_row(node.get("arrivals"), name, names) for node, name in zip(nodes, names, strict=True)]
    return [{**node, "arrivals": row} for node, row in zip(nodes, rows, strict=True)]


def _row(arrivals: object, node: str, names: Mapping[str, int]) -> list[float]:
    row = [0.0] * len(names)
    if arrivals is None:
        return row
    if not isinstance(arrivals, dict):
        raise GraphError(f"node {node!r}: 'arrivals' is an object {{destination: packets a slot}} or left out")
    for destination, rate in arrivals.items():
        if destination not in names:
            raise GraphError(f"node {node!r}: packets arrive for {destination!r}, which is no node; correct 'arrivals'")
        if isinstance(rate, bool) or not isinstance(rate, int | float):
            raise GraphError(f"node {node!r}: {rate!r} packets a slot for {destination!r}; give a number")
        row[names[destination]] = float(rate)
    return row
