"""`toy-sequences`: words of three letters with as many double letters as possible."""

from __future__ import annotations

from graphwright.core import GraphBatch
from graphwright.envs.generation import Generation
from graphwright.envs.generative.context import TYPE
from graphwright.envs.generative.motifs import Motifs
from graphwright.envs.generative.sequences import Sequences
from graphwright.envs.problem import Problem
from graphwright.envs.reversible import Reversible

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def words(environment: Reversible, objects: GraphBatch) -> list[str]:
    """A word a line; tokens beyond 26 letters as numbers with blanks between."""
    assert isinstance(environment, Sequences)
    tokens = [part.tolist() for part in objects.nodes[TYPE].split(objects.node_segments.lengths.tolist())]
    if environment.vocabulary <= len(ALPHABET):
        return ["".join(ALPHABET[token] for token in word) for word in tokens]
    return [" ".join(map(str, word)) for word in tokens]


TOY_SEQUENCES = Problem(
    name="toy-sequences",
    summary="Write words of three letters in which letters come in pairs",
    environment=Sequences(),
    generation=Generation(
        reward=Motifs(floor=1e-3, beta=2.0),
        export=words,
        training={"encoder": {"kind": "mlp", "depth": 2, "width": 128, "walks": 0}},
    ),
)
