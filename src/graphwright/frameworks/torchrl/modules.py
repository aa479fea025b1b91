"""`GraphActor`, `GraphCritic` and `GraphActorCritic`: one `ActorCritic` as TorchRL modules."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from tensordict import NestedKey, TensorDictBase
from tensordict.nn import TensorDictModuleBase
from torch import Tensor
from torch.distributions import Categorical
from torchrl.modules import OneHotCategorical, ProbabilisticActor
from typing_extensions import override

from graphwright.core import ActionSpec, Features
from graphwright.distributions import Distribution, RaggedCategorical
from graphwright.frameworks.q_values import IMPOSSIBLE, dueling
from graphwright.frameworks.torchrl.conversion import fill
from graphwright.frameworks.torchrl.distributions import (
    AgentTanhNormal,
    JointCategorical,
    NodeTanhNormal,
    decision_logits,
    dense_parameters,
)
from graphwright.frameworks.torchrl.graph_readers import EnvGraphs, GraphReader, PaddedObservation
from graphwright.nn import ActorCritic
from graphwright.nn.actors import DirectActor

MakeReader = Callable[[Features, ActionSpec], GraphReader]


def values_agents(policy: ActorCritic) -> bool:
    """Whether each of several decisions has a value of its own, and with it an advantage and a ratio."""
    return policy.values == "decisions" and not policy.actions.one_per_graph


class GraphModule(TensorDictModuleBase):
    """Graphs of a tensordict of any batch size [*], none included, in one ragged forward; results are [*, ...].

    policy: its parameters are this module's; several modules may share one; `env.env_config.policy()` makes one as the
    problem has it by default. graphs: where graphs are found:
    `EnvGraphs` (the keys of `GraphEnv`) or `DenseGraphs` (a user's own tensors), or a `partial` of it with other keys.
    """

    def __init__(self, policy: ActorCritic, graphs: MakeReader = EnvGraphs) -> None:
        super().__init__()
        self.policy = policy
        self.graphs = graphs(policy.encoder.features, policy.actions)
        self.in_keys = list(self.graphs.in_keys)
        self.out_keys = self.written(policy)

    @override
    def forward(self, tensordict: TensorDictBase) -> TensorDictBase:
        shape = tensordict.batch_size
        flat = tensordict if len(shape) == 1 else tensordict.reshape(-1) if shape else tensordict.unsqueeze(0)
        results = self.compute(self.graphs.read(flat))
        for key, result in zip(self.out_keys, results, strict=True):
            tensordict.set(key, result.view(*shape, *result.shape[1:]))
        return tensordict

    def _dense_parameters(self, read: PaddedObservation, distribution: Distribution) -> list[Tensor]:
        """Those of the distribution, dense."""
        actions, graph = self.policy.actions, read.observation.graph
        if actions.one_per_graph or actions.continuous:
            return list(dense_parameters(distribution, actions.deciders(graph), read.width).values())
        return [decision_logits(actions, read.observation, distribution, read.shape)]

    def dense_value(self, read: PaddedObservation, value: Tensor) -> Tensor:
        """[B, 1] of values [B], [B, d, 1] of those of decisions [D], 0 where there is none."""
        if not values_agents(self.policy):
            return value.unsqueeze(1)
        deciders = self.policy.actions.deciders(read.observation.graph)
        return fill(value, deciders, read.width if self.policy.actions.continuous else read.shape[0]).unsqueeze(2)

    @staticmethod
    @abstractmethod
    def written(policy: ActorCritic) -> list[NestedKey]:
        """The keys of the results."""

    @abstractmethod
    def compute(self, read: PaddedObservation) -> list[Tensor]:
        """The results, [B, ...] each."""


class GraphCritic(GraphModule):
    """Writes `state_value` [*, 1]; of a policy whose decisions have values ("agents", "state_value") [*, d, 1]."""

    @staticmethod
    def written(policy: ActorCritic) -> list[NestedKey]:
        """One key."""
        return [("agents", "state_value") if values_agents(policy) else "state_value"]

    def compute(self, read: PaddedObservation) -> list[Tensor]:
        """[B, 1], or [B, d, 1]."""
        return [self.dense_value(read, self.policy.value(read.observation))]


class GraphLogits(GraphModule):
    """Writes `logits` [*, k], or [*, d, c] of several decisions; `loc` and `scale` [*, d, D] of continuous ones."""

    @staticmethod
    def written(policy: ActorCritic) -> list[NestedKey]:
        """Raises ValueError for an actor that never scores all of its candidates."""
        if policy.actions.continuous:
            return ["loc", "scale"]
        if isinstance(policy.actor, DirectActor):
            raise ValueError(
                "two-stage pairs have no logits of all pairs; make the policy with HeadsConfig(pairs='ends')"
            )
        return ["logits"]

    @override
    def compute(self, read: PaddedObservation) -> list[Tensor]:
        return self._dense_parameters(read, self.policy.distribution(read.observation))


class GraphQValues(GraphModule):
    """Writes `action_value` [*, k]: Q(s, a) = V(s) + A(s, a) − mean A(s, ·) over the legal candidates.

    The critic and the actor's scores (Wang et al. 2016, "Dueling network architectures", eq. 9). Illegal candidates and
    padding have `IMPOSSIBLE`, which is finite, since losses multiply it by 0.
    """

    @staticmethod
    def written(policy: ActorCritic) -> list[NestedKey]:
        """Raises ValueError where graphs have several decisions, or the actor no scores."""
        if not policy.actions.one_per_graph:
            raise ValueError("Q-values are of one choice a graph; for several decisions take a loss of policies")
        GraphLogits.written(policy)
        return ["action_value"]

    @override
    def compute(self, read: PaddedObservation) -> list[Tensor]:
        distribution, value = self.policy(read.observation)
        assert isinstance(distribution, RaggedCategorical)
        return [fill(dueling(distribution, value), distribution.segments, read.width, IMPOSSIBLE)]


class GraphLogitsValue(GraphModule):
    """Writes what `GraphLogits` and `GraphCritic` write, from one pass of the encoder."""

    @staticmethod
    def written(policy: ActorCritic) -> list[NestedKey]:
        """The keys of both."""
        return [*GraphLogits.written(policy), *GraphCritic.written(policy)]

    def compute(self, read: PaddedObservation) -> list[Tensor]:
        """The results of both."""
        distribution, value = self.policy(read.observation)
        return [*self._dense_parameters(read, distribution), self.dense_value(read, value)]


class GraphActor(ProbabilisticActor):
    """Draws `action` and writes `action_log_prob`; of several decisions ("agents", "action"), and of all the joint one.

    Of a policy whose decisions have values it writes ("agents", "action_log_prob") [*, d], of each decision.

    policy, graphs: as for `GraphModule`. one_hot: whether actions are one-hot. options: those of `ProbabilisticActor`.
    """

    parameters_module: type[GraphModule] = GraphLogits

    def __init__(
        self, policy: ActorCritic, graphs: MakeReader = EnvGraphs, *, one_hot: bool = False, **options: Any
    ) -> None:
        defaults: dict[str, Any] = {"distribution_class": OneHotCategorical if one_hot else Categorical}
        if not policy.actions.one_per_graph:
            each, continuous = values_agents(policy), policy.actions.continuous
            joint: Any = NodeTanhNormal if continuous else JointCategorical
            single: Any = AgentTanhNormal if continuous else Categorical
            defaults = {
                "distribution_class": single if each else joint,
                "out_keys": [("agents", "action")],
                "log_prob_key": ("agents", "action_log_prob") if each else "action_log_prob",
            }
        defaults["return_log_prob"] = True
        super().__init__(
            self.parameters_module(policy, graphs), in_keys=GraphLogits.written(policy), **{**defaults, **options}
        )
        self._options = {"graphs": graphs, "one_hot": one_hot, **options}


class GraphActorCritic(GraphActor):
    """A `GraphActor` that writes `state_value` too, from one pass of the encoder."""

    parameters_module = GraphLogitsValue

    def get_policy_operator(self) -> GraphActor:
        """The actor alone, around the same policy."""
        return GraphActor(self.module[0].policy, **self._options)

    def get_value_operator(self) -> GraphCritic:
        """The critic alone, around the same policy."""
        return GraphCritic(self.module[0].policy, self._options["graphs"])
