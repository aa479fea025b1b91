"""A tree of XML elements that know their lines, so that what is wrong in a file can be pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from graphwright.core import GraphError

_DEEPEST = 1000


@dataclass(eq=False, slots=True)
class Element:
    """One element: its tag without prefix, its attributes, the line it begins on, its text and what is inside it."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of this element without that of its children."""
        return "".join(self.pieces)

    def size(self) -> int:
        """How many elements are inside this one, at any depth."""
        count, waiting = 0, list(self.children)
        while waiting:
            element = waiting.pop()
            count += 1
            waiting += element.children
        return count

    def all(self, tag: str) -> Iterator[Element]:
        """The children with this tag."""
        return (child for child in self.children if child.tag == tag)

    def get(self, attribute: str) -> str:
        """An attribute that must be there. Raises GraphError if it is not."""
        if attribute not in self.attributes:
            raise GraphError(f"line {self.line}: <{self.tag}> has no {attribute!r}; add it")
        return self.attributes[attribute]


def parse(text: str) -> Element:
    """The root of the document. Raises GraphError if it is not well-formed, or declares entities.

    Entities are how a small file grows to any size ("billion laughs"), and no graph needs them.
    """
    document = Element("", {}, 0)
    path = [document]
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(path) > _DEEPEST:
            raise GraphError(f"line {parser.CurrentLineNumber}: over {_DEEPEST} elements inside each other; flatten it")
        path.append(Element(tag.rpartition(":")[2], attributes, parser.CurrentLineNumber))
        path[-2].children.append(path[-1])

    def refuse(*_: object) -> None:
        raise GraphError(f"line {parser.CurrentLineNumber}: an XML entity is declared; write its text instead")

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = lambda text: path[-1].pieces.append(text)
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise GraphError(f"line {error.lineno}: malformed XML ({reason}); repair the file or fetch it again") from error
    return document.children[0]
