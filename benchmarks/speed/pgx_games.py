"""Hex of pgx and the searches of mctx, for `games.py` and `search.py` to run beside this library's.

pgx 2.6 plays Hex on 11 rows only. Both compile for one thread, and compiling is not measured.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import mctx
import pgx

ROWS = 11
"""Of the only board."""
_STEPS = 16
"""Of all games between two looks at the clock."""


def random_games(batch: int) -> Callable[[float], float]:
    """A round of so many seconds of processor time → steps a second: random moves, a new game where one is over."""
    game = pgx.make("hex")
    begin = jax.vmap(game.init)(jax.random.split(jax.random.PRNGKey(0), batch))

    def step(carry: Any, _: None) -> tuple[Any, None]:
        state, key = carry
        key, draw, fresh = jax.random.split(key, 3)
        move = jax.random.categorical(draw, jnp.where(state.legal_action_mask, 0.0, -jnp.inf))
        state = jax.vmap(game.step)(state, move)
        over = state.terminated
        again = jax.vmap(game.init)(jax.random.split(fresh, batch))
        state = jax.tree.map(
            lambda new, old: jnp.where(over.reshape(-1, *[1] * (old.ndim - 1)), new, old), again, state
        )
        return (state, key), None

    steps = jax.jit(lambda carry: jax.lax.scan(step, carry, length=_STEPS)[0])
    carry = jax.block_until_ready(steps((begin, jax.random.PRNGKey(1))))

    def play(seconds: float) -> float:
        nonlocal carry
        count, start = 0, time.process_time()
        while time.process_time() - start < seconds:
            carry = jax.block_until_ready(steps(carry))
            count += batch * _STEPS
        return count / (time.process_time() - start)

    return play


def searches(games: int, simulations: int, kind: str) -> Callable[[], float]:
    """A search of all games → its seconds of processor time where a network costs nothing (equal priors, value 0).

    Three random moves have been made. kind: puct or gumbel.
    """
    game = pgx.make("hex")
    state = jax.vmap(game.init)(jax.random.split(jax.random.PRNGKey(0), games))
    for seed in range(3):
        moves = jax.random.categorical(jax.random.PRNGKey(seed), jnp.where(state.legal_action_mask, 0.0, -jnp.inf))
        state = jax.vmap(game.step)(state, moves)

    def expand(_: None, __: Any, action: Any, state: Any) -> tuple[Any, Any]:
        player = state.current_player
        state = jax.vmap(game.step)(state, action)
        reward = jnp.take_along_axis(state.rewards, player[:, None], 1)[:, 0]
        return mctx.RecurrentFnOutput(
            reward=reward,
            discount=jnp.where(state.terminated, 0.0, -1.0),
            prior_logits=_equal(state.legal_action_mask),
            value=jnp.zeros_like(reward),
        ), state

    @jax.jit
    def found(state: Any, key: Any) -> Any:
        root = mctx.RootFnOutput(prior_logits=_equal(state.legal_action_mask), value=jnp.zeros(games), embedding=state)
        rules: dict[str, Any] = {
            "invalid_actions": ~state.legal_action_mask,
            "qtransform": mctx.qtransform_by_parent_and_siblings,
        }
        if kind == "puct":
            return mctx.muzero_policy(None, key, root, expand, simulations, **rules).action_weights
        rules["qtransform"] = mctx.qtransform_completed_by_mix_value
        return mctx.gumbel_muzero_policy(None, key, root, expand, simulations, **rules).action_weights

    jax.block_until_ready(found(state, jax.random.PRNGKey(0)))

    def measure() -> float:
        start = time.process_time()
        jax.block_until_ready(found(state, jax.random.PRNGKey(1)))
        return time.process_time() - start

    return measure


def _equal(legal: Any) -> Any:
    """The same logit for all legal moves, the lowest for others."""
    return jnp.where(legal, 0.0, jnp.finfo(jnp.float32).min)
