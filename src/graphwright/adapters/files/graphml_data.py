"""The typed data of GraphML: what its <key> elements declare, and values as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

import torch

from graphwright.adapters.columns import Row
from graphwright.adapters.files.xml import Element
from graphwright.adapters.numbers import number
from graphwright.core import GraphError

_INTEGERS = ("int", "integer", "long")
_FLOATS = ("float", "double")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NOT_FINITE = ("nan", "inf", "-inf", "infinity", "-infinity")


@dataclass(frozen=True)
class Key:
    """What a <key> declares: the name, type and table (node, edge, graph or all) of some data, and its default."""

    name: str
    kind: str
    table: str
    default: object

    @staticmethod
    def of(element: Element) -> Key:
        """The key that `element` declares. Raises GraphError for a default that is not of its type."""
        kind = element.attributes.get("attr.type", "string")
        default = next((_value(inner, kind) for inner in element.all("default")), None)
        name = element.attributes.get("attr.name", element.get("id"))
        return Key(name, kind, element.attributes.get("for", "all"), default)


def attributes(element: Element, keys: Mapping[str, Key]) -> Row:
    """The data of a graph, node or edge, and the defaults of `keys` (by id) for what it leaves out.

    Raises GraphError, naming the line, for data of no key and for text that is not of its key's type.
    """
    own = [key for key in keys.values() if key.table in (element.tag, "all") and key.default is not None]
    row = {key.name: key.default for key in own}
    for data in element.all("data"):
        key = keys.get(data.get("key"))
        if key is None:
            raise GraphError(f"line {data.line}: data of key {data.get('key')!r}, which no <key> declares; declare it")
        if not data.children:
            row[key.name] = _value(data, key.kind)
    return row


def _value(element: Element, kind: str) -> object:
    """The text of `element` as a value of the type `kind`; None, which is a missing value, for an empty number."""
    text = element.text.strip().lower()
    if kind not in (*_INTEGERS, *_FLOATS, "boolean"):
        return element.text
    if not text:
        return None
    try:
        if kind == "boolean":
            return _BOOLEANS[text]
        if kind in _FLOATS:
            return float(text if text in _NOT_FINITE else number(text))
        value = number(text)
        if isinstance(value, int):
            return value
    except (KeyError, GraphError):
        pass
    told = f"line {element.line}: {text[:40]!r} is not of type {kind}"
    raise GraphError(f"{told}; correct it, or the attr.type of its key")


def kind_of(dtype: torch.dtype) -> str:
    """The GraphML type that holds every value of `dtype`."""
    if dtype == torch.bool:
        return "boolean"
    return "double" if dtype.is_floating_point else "long"


def spell(value: object) -> str:
    """A value as GraphML, and so Java, spells it."""
    text = str(value)
    if isinstance(value, bool):
        return text.lower()
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, escape(text))
