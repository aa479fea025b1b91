"""`DuelingValues`: what each candidate is worth, as the value of the state and what it is better than the others."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from graphwright.core import Observation
from graphwright.core.sequence import Sequence
from graphwright.distributions import Distribution, RaggedCategorical
from graphwright.functional.q_learning import centred
from graphwright.nn.policies import ActorCritic


class DuelingValues(ActorCritic):
    """Q as logits: the critic's value and the head's scores, centred over what is legal (Wang et al. 2016).

    Costs add up over nodes, and so does what the critic pools, where a head sees a mean of them: scores alone cannot
    say what a large graph costs. Decisions of a graph that have one value together, V, have an equal share of it each,
    so that all add up to V + Σ_d A_d (Sunehag et al. 2018, "Value-decomposition networks"), but where there are
    none. The head gives free scores.
    """

    @override
    def read(self, observation: Observation, sequence: Sequence | None = None) -> tuple[Distribution, Tensor | None]:
        embedding = self.embed(observation, sequence)
        scores, value = self.actor(embedding, observation), self.critic(embedding, observation.graph)
        if self.values == "graphs":
            graphs = self.actions.deciders(observation.graph)
            value = (value / graphs.lengths.clamp(min=1)).index_select(0, graphs.index)
        candidates = scores.segments
        advantage = centred(scores.logits, candidates)
        return RaggedCategorical(advantage + value.index_select(0, candidates.index), candidates), embedding.memory
