"""torchgfn's own training of `ring-edges` and `hyper-grid`, for `flow.py` to run beside this library's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from gfn.actions import GraphActionType
from gfn.estimators import DiscreteGraphPolicyEstimator, DiscretePolicyEstimator
from gfn.gflownet.trajectory_balance import TBGFlowNet
from gfn.gym.graph_building import GraphBuildingOnEdges
from gfn.gym.hypergrid import HyperGrid
from gfn.preprocessors import KHotPreprocessor
from gfn.states import GraphStates
from gfn.utils.modules import MLP, DiscreteUniform, GraphActionGNN, GraphActionUniform
from torch import Tensor


class Ring:
    """100 for a single directed cycle through all nodes, 1e-6 for everything else, without a loop over graphs."""

    def __init__(self, nodes: int) -> None:
        self.nodes = nodes

    def __call__(self, states: GraphStates) -> Tensor:
        """Of the shape of `states`."""
        batch = states.tensor
        graphs = batch.batch.numel() // self.nodes
        source, destination = batch.edge_index % self.nodes
        adjacency = torch.zeros(graphs, self.nodes, self.nodes)
        adjacency[batch.edge_index[0] // self.nodes, source, destination] = 1
        regular = (adjacency.sum(1) == 1).all(1) & (adjacency.sum(2) == 1).all(1)
        power, home = adjacency, torch.zeros(graphs, dtype=torch.bool)
        for _ in range(self.nodes - 1):
            home |= power.diagonal(dim1=1, dim2=2).any(1)
            power = power @ adjacency
        return torch.where(regular & ~home, 100.0, 1e-6).view(states.batch_shape)


class Trained(NamedTuple):
    """iterate: one iteration, which returns how many states were visited; parameters: of its networks."""

    iterate: Callable[[], int]
    parameters: int


def make(nodes: int, batch: int, width: int, depth: int, learned: bool, rate: float, stop: float) -> Trained:
    """As in the examples of torchgfn (`train_graph_ring.py`), but for what is only there to watch it.

    Its checks are off, and the log-probabilities of sampling are not computed again for the loss. learned: whether the
    backward policy is, by a network of its own. stop: the probability to stop that training begins with.
    """
    torch.manual_seed(0)
    environment = GraphBuildingOnEdges(nodes, Ring(nodes), directed=True, device="cpu", debug=False)

    def network(is_backward: bool) -> GraphActionGNN:
        return GraphActionGNN(nodes, 1, True, width, depth, is_backward)

    forward = network(False)
    with torch.no_grad():
        kind = forward.action_type_mlp.last_layer
        kind.weight.zero_()
        kind.bias.zero_()[GraphActionType.EXIT] = math.log(stop / (1 - stop))
    backward = network(True) if learned else GraphActionUniform(environment.n_possible_edges, 1, nodes)
    flow_network = TBGFlowNet(
        DiscreteGraphPolicyEstimator(module=forward), DiscreteGraphPolicyEstimator(module=backward, is_backward=True)
    )
    return _trained(flow_network, environment, batch, rate)


def make_grid(side: int, batch: int, width: int, depth: int, rate: float, stop: float) -> Trained:
    """Two axes, an MLP on one-hot coordinates, a uniform backward policy (`train_hypergrid_simple.py`).

    stop: what is added to the score of stopping in a first policy that is otherwise uniform.
    """
    torch.manual_seed(0)
    environment = HyperGrid(2, side, debug=False)
    columns = KHotPreprocessor(side, 2)
    module = MLP(columns.output_dim, environment.n_actions, hidden_dim=width, n_hidden_layers=depth)
    with torch.no_grad():
        module.last_layer.weight.zero_()
        module.last_layer.bias.zero_()[-1] = stop
    backward = DiscreteUniform(environment.n_actions - 1)
    flow_network = TBGFlowNet(
        DiscretePolicyEstimator(module, environment.n_actions, columns),
        DiscretePolicyEstimator(backward, environment.n_actions, columns, is_backward=True),
    )
    return _trained(flow_network, environment, batch, rate)


def _trained(flow_network: TBGFlowNet, environment: Any, batch: int, rate: float) -> Trained:
    parameters = list(flow_network.parameters())
    optimizer = torch.optim.Adam(parameters, rate)

    def iterate() -> int:
        trajectories = flow_network.sample_trajectories(environment, n=batch, save_logprobs=True)
        optimizer.zero_grad()
        loss = flow_network.loss(environment, trajectories, recalculate_all_logprobs=False)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 10.0)
        optimizer.step()
        return int(trajectories.terminating_idx.sum())  # of the state after the last, so that it counts them

    return Trained(iterate, sum(parameter.numel() for parameter in parameters))
