"""A policy's forward pass as a program of torch alone, for graphs of any size: `torch.export` with dynamic sizes.

The program takes what `inputs_of` makes of an observation, in this order, each a tensor:

    edge_index  [2, E] int64    source and destination, numbered over all graphs, sorted by destination
    node_graph  [N] int64       the graph of each node, rising
    edge_graph  [E] int64       the graph of each edge, rising
    graphs      [B] int64       0 ... B - 1; only its length counts
    links       [2, L] int64    the columns of edge_index that are both directions of each undirected edge, of each
                                graph in turn; of a directed edge or a loop, the same one twice
    columns     then those of the nodes, edges and graphs that the policy reads, by name
    masks       one bool tensor a block of actions, as the observation has it

and gives one tensor of scores a block, -inf where the mask is false: the policy is the softmax of the scores of all
candidates of a decision, and its most probable action their argmax.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from graphwright.core import Observation
from graphwright.core.files import require_writable, write_atomically
from graphwright.core.graph import ACTS
from graphwright.core.plain_batch import plain_batch
from graphwright.core.rows import PAIRS, UNORDERED_PAIRS
from graphwright.nn import GraphPolicy
from graphwright.nn.actors import CategoricalActor
from graphwright.nn.heads.edge import both_directions
from graphwright.nn.individual import Individual
from graphwright.training.collectors.play import ConfigError

_TOPOLOGY = ("edge_index", "node_graph", "edge_graph", "graphs", "links")
_WHY = "somewhere the size of a tensor depends on values, as with all pairs of a graph, walks, or types of edges"
INPUTS_FILE = "inputs.json"
"""Of an exported program: the names of its inputs and of its outputs, in their order."""


class PlainForward(nn.Module):
    """The scores of a policy from plain tensors, with nothing whose size depends on their values."""

    def __init__(self, policy: GraphPolicy) -> None:
        super().__init__()
        self.encoder, self.heads = policy.encoder, cast(nn.ModuleList, policy.actor.heads)
        self.columns = columns_of(policy)

    @override
    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        number = len(_TOPOLOGY) + sum(map(len, self.columns.values()))
        columns, masks = list(inputs[len(_TOPOLOGY) : number]), inputs[number:]
        tables = {name: {key: columns.pop(0) for key in keys} for name, keys in self.columns.items()}
        graph = plain_batch(*inputs[: len(_TOPOLOGY)], tables=tables)
        embedding = self.encoder(graph)
        return tuple(
            head(embedding, graph, mask).reshape(mask.shape).masked_fill(~mask, -torch.inf)
            for head, mask in zip(self.heads, masks, strict=True)
        )


def columns_of(policy: GraphPolicy) -> dict[str, tuple[str, ...]]:
    """The columns that the policy reads: of nodes, edges and graphs."""
    features = policy.encoder.features
    nodes = (*features.nodes, *(["type"] if features.node_types else []))
    edges = (*features.edges, *(["type"] if features.edge_types else []))
    return {"nodes": nodes, "edges": edges, "graphs": tuple(features.graphs)}


def inputs_of(policy: GraphPolicy, observation: Observation) -> tuple[Tensor, ...]:
    """What the exported program takes, of an observation; see this module."""
    graph = observation.graph
    tables = {"nodes": graph.nodes, "edges": graph.edges, "graphs": graph.graphs}
    columns = [tables[table][name] for table, names in columns_of(policy).items() for name in names]
    ids = torch.arange(graph.num_graphs, device=graph.device)
    links = torch.stack(both_directions(graph))
    return (graph.edge_index, graph.node_graph, graph.edge_graph, ids, links, *columns, *observation.masks)


def input_names(policy: GraphPolicy) -> list[str]:
    """The names of what the exported program takes."""
    columns = [f"{table}.{name}" for table, names in columns_of(policy).items() for name in names]
    masks = [f"mask.{block.name}" for block in policy.actions.blocks]
    return [*_TOPOLOGY, *columns, *masks]


def export_policy(policy: Any, example: Observation) -> Any:
    """The policy's forward pass as a `torch.export.ExportedProgram`.

    example: an observation of at least two graphs, nodes and edges, such as `env.observe(env.reset(instances))`; its
    sizes do not matter. Raises ConfigError, with the reason, where the forward pass cannot be expressed.
    """
    _require_plain(policy)
    _require_all_decide(policy, example)
    inputs = inputs_of(policy, example)
    # How many rows there are is free; columns keep their widths.
    across = {"edge_index", "links"}
    free = [{int(name in across): torch.export.Dim.DYNAMIC} for name in input_names(policy)]
    forward = PlainForward(policy).eval()
    try:
        with torch.no_grad(), _without_noise():
            return torch.export.export(forward, inputs, dynamic_shapes=(tuple(free),), strict=False)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ConfigError(f"export: torch.export cannot express this policy ({_WHY}): {lines[0]}") from error


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """torch prints and logs the whole program where it cannot express it."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


def save_policy_program(policy: GraphPolicy, example: Observation, path: Path | str, compiled: bool = False) -> None:
    """Write `export_policy` to `path` (.pt2), which `torch.export.load(path).module()` reads without this library.

    compiled: machine code for processors like this one, by torch's AOTInductor and the C++ compiler of this machine,
    which `torch._inductor.aoti_load_package(path)` reads; the names of inputs and outputs are in its metadata.
    """
    path = Path(path)
    require_writable(path)
    names = {"inputs": input_names(policy), "outputs": [block.name for block in policy.actions.blocks]}
    program = export_policy(policy, example)
    if compiled:
        write_atomically(path, _machine_code(program, {name: json.dumps(each) for name, each in names.items()}))
        return
    written = io.BytesIO()
    torch.export.save(program, written, extra_files={INPUTS_FILE: json.dumps(names)})
    write_atomically(path, written.getvalue())


def _machine_code(program: Any, metadata: dict[str, str]) -> bytes:
    """The program, compiled. Raises ConfigError, with the reason, where this machine cannot compile it."""
    from torch import _inductor  # which is slow to import

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _without_noise():
        warnings.simplefilter("ignore")
        path, settings = f"{folder}/policy.pt2", {"aot_inductor.metadata": metadata}
        try:
            _inductor.aoti_compile_and_package(program, package_path=path, inductor_configs=settings)
        except Exception as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ConfigError(
                f"export --compile: torch cannot compile it with a C++ compiler here: {lines[0]}"
            ) from error
        return Path(path).read_bytes()


def _require_all_decide(policy: GraphPolicy, example: Observation) -> None:
    """Raise ConfigError where some nodes or edges decide and others do not: how many depends on values."""
    table = None if policy.actions.one_per_graph else policy.actions.decider.table
    if table is not None and ACTS in getattr(example.graph, table):
        raise ConfigError(
            f"export: not all {table} decide, as where agents of a team are nodes among others: how many do depends on "
            "values, and torch.export takes the sizes of tensors from those of its inputs"
        )


def _require_plain(policy: Any) -> None:
    """Raise ConfigError where the size of something between inputs and scores depends on values."""
    if isinstance(policy, GraphPolicy) and isinstance(policy.actor, Individual):
        raise ConfigError("export: which agents are there depends on values, and with it which networks are asked")
    if not isinstance(policy, GraphPolicy) or not isinstance(policy.actor, CategoricalActor):
        raise ConfigError("export: only policies that score candidates can be exported, not distributions of their own")
    blocks: Sequence[Any] = policy.actions.blocks
    for block in blocks:
        if block.rows in (PAIRS, UNORDERED_PAIRS):
            raise ConfigError(
                f"export: {block.name!r} is decided among pairs of nodes, of which there are Σ n² in a batch: how many "
                "depends on values, and torch.export takes the sizes of tensors from those of its inputs"
            )
