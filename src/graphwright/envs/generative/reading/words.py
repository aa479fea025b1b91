"""Sequences: a word a line, or numbers with blanks between where there are more tokens than letters."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from graphwright.core import GraphBatch
from graphwright.envs.generative.environment import blank
from graphwright.envs.generative.reading.lines import Made, of_lines
from graphwright.envs.generative.sequences import Sequences


def words(environment: Sequences, start: GraphBatch, path: Path, data: bytes) -> Made:
    """A sequence a line."""
    return of_lines(data, partial(_word, environment))


def _word(environment: Sequences, word: str) -> GraphBatch:
    tokens = [int(part) for part in word.split()] if environment.vocabulary > 26 else [ord(c) - 97 for c in word]
    if len(tokens) > environment.max_length:
        raise ValueError(f"has {len(tokens)} tokens; at most {environment.max_length} are written")
    state = environment.reset(blank(1))
    for token in tokens:
        if not 0 <= token < environment.vocabulary:
            raise ValueError(f"has an unknown token in {word!r}; there are {environment.vocabulary}")
        state = environment.advance(state, torch.tensor([token + 1])).state
    return state
