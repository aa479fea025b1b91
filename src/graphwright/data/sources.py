"""Where instances come from. A source's whole memory is a few integers, so a run can go on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from graphwright.core import GraphBatch
from graphwright.core.memory import require_memory
from graphwright.core.seeds import derived_seed

Generate = Callable[[int, torch.Generator], GraphBatch]


class GeneratedInstances:
    """An endless stream of instances from a generator.

    The stream is cut into blocks, and block k is generated from a seed of its own: the position in the stream is all
    that has to be remembered.
    """

    def __init__(self, generate: Generate, seed: int, device: torch.device | str = "cpu", block: int = 1024) -> None:
        self.generate = generate
        self.seed = seed
        self.device = device
        self.block = block
        self.position = 0
        self._loaded: tuple[int, GraphBatch] | None = None

    def draw(self, count: int) -> GraphBatch:
        """The next `count` instances. Raises MemoryError where they are more than this machine holds."""
        parts = []
        while count:
            number, offset = divmod(self.position, self.block)
            taken = min(count, self.block - offset)
            block = self._block(number)
            parts.append(block.select(torch.arange(offset, offset + taken, device=self.device)))
            self.position += taken
            count -= taken
            require_memory(parts[0].num_bytes * (count // parts[0].num_graphs))
        if not parts:
            parts.append(self._block(self.position // self.block).select(torch.arange(0, device=self.device)))
        return GraphBatch.concat(parts)

    def largest(self) -> GraphBatch:
        """Of the instances that come next, one of the most nodes, which is drawn all the same."""
        block = self._block(self.position // self.block)
        return block.select(block.node_segments.lengths.argmax().view(1))

    def state_dict(self) -> dict[str, int]:
        """The position in the stream."""
        return {"position": self.position}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on from a position."""
        self.position = int(state["position"])

    def _block(self, number: int) -> GraphBatch:
        if self._loaded is None or self._loaded[0] != number:
            generator = torch.Generator().manual_seed(derived_seed(self.seed, number))
            self._loaded = (number, self.generate(self.block, generator).to(self.device))
        return self._loaded[1]


class RepeatedInstances:
    """The instances of a stream, each `copies` times in a row.

    Of a count that is no multiple of `copies` the rest are copies of one more: nothing is left over to be remembered.
    """

    def __init__(self, source: GeneratedInstances, copies: int) -> None:
        self.source = source
        self.copies = copies

    def draw(self, count: int) -> GraphBatch:
        """`count` instances, of as few different ones as may be."""
        different = -(-count // self.copies)
        return self.source.draw(different).select(torch.arange(count, device=self.source.device) // self.copies)


class FixedInstances:
    """The instances of a data set, in a new order each time round."""

    def __init__(self, instances: GraphBatch, seed: int) -> None:
        if not instances.num_graphs:
            raise ValueError("a data set without instances; give at least one")
        self.instances = instances
        self.stream = GeneratedInstances(self._shuffled, seed, instances.device, block=instances.num_graphs)

    def draw(self, count: int) -> GraphBatch:
        """The next `count` instances."""
        return self.stream.draw(count)

    def largest(self) -> GraphBatch:
        """One of those of the most nodes."""
        return self.stream.largest()

    def state_dict(self) -> dict[str, int]:
        """The position in the stream."""
        return self.stream.state_dict()

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on from a position."""
        self.stream.load_state_dict(state)

    def _shuffled(self, count: int, generator: torch.Generator) -> GraphBatch:
        return self.instances.select(torch.randperm(count, generator=generator).to(self.instances.device))
