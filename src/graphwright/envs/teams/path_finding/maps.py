"""Maps: from text, at random, and robots placed on them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from graphwright.core import GraphBatch, GraphError
from graphwright.core.kernels.jit import jit_as_written
from graphwright.envs.generators import DrawColumns

_SPARSEST, _DENSEST = 0.1, 0.3
_FREE, _WALL = ".G", "#@OTW"
_MOST_DRAWS, _MOST_CELLS = 100, 1 << 20


def parse_maps(text: str, file: str) -> dict[str, np.ndarray]:
    """Name → map [rows, columns] uint8, of a text with a line for each row: `.` is free, `#` (or `@`, `T`) an obstacle.

    A line that ends with a colon, or with `|-` as in YAML, names the map below it; without one there is a single map,
    by the name of the file. The header of a Moving AI file has to say how large it is; spaces around a row are passed
    over. Raises GraphError, naming the line.
    """
    maps: dict[str, list[str]] = {}
    name, header = file, dict[str, str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line == "map":
            continue
        word, value = [*line.split(), ""][:2]
        if word in ("type", "height", "width"):
            header[word] = value
            continue
        if line.endswith((":", "|-", "|")):
            name = line.rstrip("|-").rstrip().rstrip(":").strip("\"' ")
            if name in maps:
                raise GraphError(f"{file}: line {number} names map {name!r} again; give each its own name")
            maps[name] = []
            continue
        odd = sorted(set(line) - set(_FREE + _WALL))
        if odd:
            raise GraphError(f"{file}: line {number} holds {odd[0]!r}; a map has . where it is free, # where it is not")
        rows = maps.setdefault(name, [])
        if rows and len(rows[0]) != len(line):
            raise GraphError(f"{file}: line {number} has {len(line)} cells, the first row of {name!r} {len(rows[0])}")
        rows.append(line)
    found = {each: np.array([[mark in _WALL for mark in row] for row in rows], np.uint8) for each, rows in maps.items()}
    empty = [each for each, grid in found.items() if not grid.size]
    if empty or not found:
        raise GraphError(f"{file}: holds no map" + (f" of the name {empty[0]!r}" if empty else ""))
    for said, number in zip(("height", "width"), found[name].shape, strict=True):
        if header.get(said, str(number)) != str(number):
            raise GraphError(f"{file}: says {said} {header[said]} and has {number}; is a part of it missing?")
    return found


def maps_of(texts: Mapping[str, str]) -> DrawColumns:
    """The law that takes the maps of some files, name → text, one after the other."""
    found = {(file, name): grid for file, text in texts.items() for name, grid in parse_maps(text, file).items()}
    side = max(max(grid.shape) for grid in found.values())
    if side * side * len(found) > _MOST_CELLS << 4:
        raise GraphError(f"{next(iter(texts))}: maps of {side} rows or columns are too large")
    stack = np.ones((len(found), side, side), np.uint8)
    for place, grid in enumerate(found.values()):
        stack[place, : grid.shape[0], : grid.shape[1]] = grid
    names = [name for _, name in found]

    def law(graph: GraphBatch, generator: torch.Generator) -> GraphBatch:
        which = torch.arange(graph.num_graphs) % len(names)
        maps = torch.from_numpy(stack)[which].to(generator.device)
        instances, room = _placed(graph, maps, generator)
        if not bool(room.all()):
            place = int((~room).nonzero()[0])
            raise GraphError(
                f"map {names[int(which[place])]!r} has no room for {int(graph.node_segments.lengths[place])} agents "
                "and their targets; give fewer"
            )
        return instances

    return law


def random_maps(graph: GraphBatch, generator: torch.Generator, smallest: int = 17, largest: int = 21) -> GraphBatch:
    """As many robots as `graph` has nodes on random square maps, of whose cells 10 to 30 % are obstacles.

    smallest, largest: rows of the smallest and of the largest map.
    """
    count, device = graph.num_graphs, generator.device

    def draw() -> Tensor:
        side = torch.randint(smallest, largest + 1, (count, 1), generator=generator, device=device)
        density = _SPARSEST + (_DENSEST - _SPARSEST) * torch.rand(count, 1, 1, generator=generator, device=device)
        walls = torch.rand(count, largest, largest, generator=generator, device=device) < density
        outside = torch.arange(largest, device=device) >= side
        return (walls | outside[:, :, None] | outside[:, None, :]).to(torch.uint8)

    instances, room = _placed(graph, draw(), generator)
    for _ in range(_MOST_DRAWS):
        if bool(room.all()):
            return instances
        others, more = _placed(graph, draw(), generator)
        rows = (~room & more).nonzero().squeeze(1)
        instances, room = instances.replace(rows, others.select(rows)), room | more
    most = int(graph.node_segments.lengths.max())
    raise ValueError(f"random maps of {largest} x {largest} cells have no room for {most} agents and their targets")


def _placed(graph: GraphBatch, maps: Tensor, generator: torch.Generator) -> tuple[GraphBatch, Tensor]:
    """The robots of `graph` on `maps` [B, S, S], different cells for all starts and goals; [B] bool: where they fit."""
    device, nodes = generator.device, graph.num_nodes
    noise = torch.rand(maps.flatten(1).shape, generator=generator, device=device)
    start, goal = (np.zeros((nodes, 2), np.int64) for _ in range(2))
    room = np.zeros(graph.num_graphs, np.bool_)
    order = noise.argsort(1).cpu().numpy()
    _place(maps.cpu().numpy(), order, graph.node_ptr.cpu().numpy(), start, goal, room)
    seed = torch.randint(2**62, (graph.num_graphs,), generator=generator, device=device)
    placed = graph.keep().with_nodes(
        start=torch.from_numpy(start).to(device),
        goal=torch.from_numpy(goal).to(device),
        number=graph.node_segments.position,
    )
    return placed.with_graphs(map=maps, seed=seed), torch.from_numpy(room).to(device)


@jit_as_written
def _place(maps, order, node_ptr, start, goal, room):  # type: ignore[no-untyped-def]
    """Deal out free cells in a random `order`: to who waits for a goal in the same component, else as a start."""
    height, width = maps.shape[1], maps.shape[2]
    queue = np.empty(height * width, np.int64)
    for graph in range(maps.shape[0]):
        label = np.full(height * width, -1, np.int64)
        grid = maps[graph]
        count = 0
        sizes = np.zeros(height * width, np.int64)
        for cell in range(height * width):
            if grid[cell // width, cell % width] != 0 or label[cell] >= 0:
                continue
            label[cell] = count
            queue[0] = cell
            first, last = 0, 1
            while first < last:
                row, column = queue[first] // width, queue[first] % width
                first += 1
                for direction in range(4):
                    r = row + (direction == 1) - (direction == 0)
                    c = column + (direction == 3) - (direction == 2)
                    if 0 <= r < height and 0 <= c < width and grid[r, c] == 0 and label[r * width + c] < 0:
                        label[r * width + c] = count
                        queue[last] = r * width + c
                        last += 1
            sizes[count] = last
            count += 1
        waiting = np.full(max(count, 1), -1, np.int64)
        placed, finished, wanted = 0, 0, node_ptr[graph + 1] - node_ptr[graph]
        for place in range(height * width):
            cell = order[graph, place]
            component = label[cell]
            if component < 0 or finished == wanted:
                continue
            if waiting[component] >= 0:
                robot = waiting[component]
                goal[robot, 0], goal[robot, 1] = cell // width, cell % width
                waiting[component] = -1
                finished += 1
            elif placed < wanted and sizes[component] >= 2:
                sizes[component] -= 2
                robot = node_ptr[graph] + placed
                start[robot, 0], start[robot, 1] = cell // width, cell % width
                waiting[component] = robot
                placed += 1
        room[graph] = finished == wanted
