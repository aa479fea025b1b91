"""`GraphGAE`: generalised advantages of a whole rollout from one forward of the critic, without vmap."""

from __future__ import annotations

from typing import Any

import torch
from tensordict import LazyStackedTensorDict, NestedKey, TensorDictBase
from tensordict.nn import TensorDictModuleBase
from torch import Tensor
from torchrl.objectives.value import GAE

AGENTS_VALUE, SUCCESSOR = ("agents", "state_value"), ("agents", "successor")


class GraphGAE(GAE):
    """TorchRL's GAE, but for where values come from: it writes `advantage`, `value_target` and both `state_value`s.

    The critic sees current and next states [*, T] in one batch, which any network bears whose work depends on its data.
    A next state that is the following current state is not computed again, and one that terminated has value 0; so the
    T · B + B states and those where episodes were truncated are all that is computed.

    Of a critic of agents, ("agents", "state_value") [*, T, d, 1], it writes ("agents", "advantage") and ("agents",
    "value_target"): each agent's own, whatever its place is at the next step, which ("next", "agents", "successor")
    says, from ("next", "agents", "reward").

    value_network: any tensordict module that writes the value. max_states: how many states one forward may hold, which
    bounds memory. options: those of `GAE`. No gradient reaches the critic, as in `GAE`.
    """

    def __init__(
        self,
        *,
        gamma: float | Tensor,
        lmbda: float | Tensor,
        value_network: TensorDictModuleBase,
        max_states: int = 8192,
        **options: Any,
    ) -> None:
        super().__init__(gamma=gamma, lmbda=lmbda, value_network=None, **options)
        self.__dict__["critic"] = value_network  # its parameters belong to the loss, not to this module
        self.max_states = max_states
        if AGENTS_VALUE in value_network.out_keys:
            if self.average_gae:
                raise ValueError("average_gae=True: of agents that come and go there is no average; leave it out")
            own = ("advantage", "value_target", "reward")
            self.set_keys(value=AGENTS_VALUE, **{name: ("agents", name) for name in own})

    @property
    def in_keys(self) -> list[NestedKey]:
        """What the critic reads, now and next, and what the transition was."""
        signals = [self.tensor_keys.reward, self.tensor_keys.done, self.tensor_keys.terminated]
        signals += [SUCCESSOR] if self.tensor_keys.value == AGENTS_VALUE else []
        return [*self.critic.in_keys, *(("next", key) for key in [*signals, *self.critic.in_keys])]

    def forward(self, tensordict: TensorDictBase, *, time_dim: int | None = None) -> TensorDictBase:
        """Adds to `tensordict` [*, T]; time_dim: where T stands, if not last."""
        self._write_values(tensordict, time_dim)
        if self.tensor_keys.value != AGENTS_VALUE:
            return super().forward(tensordict, time_dim=time_dim)
        return self._of_agents(tensordict, tensordict.ndim - 1 if time_dim is None else time_dim % tensordict.ndim)

    @torch.no_grad()
    def _of_agents(self, tensordict: TensorDictBase, time_dim: int) -> TensorDictBase:
        """Advantages along the successors of agents, backwards in time."""
        step, value = tensordict.get("next"), tensordict.get(AGENTS_VALUE)
        reward = step.get(self.tensor_keys.reward, None)
        if reward is None:
            raise KeyError(
                "agents have no rewards of their own here; take a policy whose graphs have values, not agents"
            )
        following, done, successor = (step.get(key) for key in (AGENTS_VALUE, self.tensor_keys.done, SUCCESSOR))
        value, following, reward, done, successor = (
            each.movedim(time_dim, 0) for each in (value, following, reward, done, successor)
        )
        place, exists = successor.clamp(min=0).unsqueeze(-1), (successor >= 0).unsqueeze(-1)
        error = reward + self.gamma * following.gather(-2, place) * exists - value  # 0 where one terminated
        advantage, later = torch.empty_like(value), torch.zeros_like(value[0])
        for time in reversed(range(value.shape[0])):
            carried = later.gather(-2, place[time]) * (exists[time] & ~done[time].unsqueeze(-1))
            later = advantage[time] = error[time] + self.gamma * self.lmbda * carried
        tensordict.set(self.tensor_keys.advantage, advantage.movedim(0, time_dim))
        return tensordict.set(self.tensor_keys.value_target, (advantage + value).movedim(0, time_dim))

    @torch.no_grad()
    def _write_values(self, tensordict: TensorDictBase, time_dim: int | None) -> None:
        """`state_value` now and next, from one batch of all states that differ."""
        key, shape, following = self.tensor_keys.value, tensordict.batch_size, tensordict.get("next")
        time_dim = len(shape) - 1 if time_dim is None else time_dim % len(shape)
        terminated = following.get(self.tensor_keys.terminated, following.get(self.tensor_keys.done)).view(shape)
        now, following = (states.select(*self.critic.in_keys, strict=False) for states in (tensordict, following))
        new = _differs_from_following(now, following, time_dim) & ~terminated
        states = torch.cat([now.reshape(-1), following.reshape(-1)[new.reshape(-1)]])
        value = torch.cat([self.critic(chunk).get(key) for chunk in states.split(self.max_states)])

        now_value = value[: shape.numel()].view(*shape, *value.shape[1:])
        next_value = now_value.roll(-1, time_dim)
        next_value[new] = value[shape.numel() :]
        next_value[terminated] = 0
        tensordict.set(key, now_value)
        tensordict.set(("next", key), next_value)


def _differs_from_following(now: TensorDictBase, following: TensorDictBase, time_dim: int) -> Tensor:
    """[*, T] bool: whether a next state is anything but the current state of one step later.

    Ragged states, which have no common shape, are not compared.
    """
    differs = torch.ones(now.batch_size, dtype=torch.bool, device=now.device)
    if isinstance(now, LazyStackedTensorDict):
        return differs
    steps = now.batch_size[time_dim]
    earlier = (slice(None),) * time_dim + (slice(0, steps - 1),)
    later = (slice(None),) * time_dim + (slice(1, steps),)
    changed = (following[earlier] != now[later]).apply(lambda column: column.unsqueeze(-1).flatten(now.ndim).any(-1))
    differs[earlier] = torch.stack(list(changed.values(True, True))).any(0)
    return differs
