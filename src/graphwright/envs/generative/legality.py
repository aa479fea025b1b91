"""Whether a sampler can learn here at all: no dead ends, a beginning, and objects that can be built."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.core.segment import segment_sum
from graphwright.envs.generative.exports import described
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import has_choice, uniform_choice, until_done


def check_states(environment: Reversible, states: GraphBatch, legal: Tensor) -> None:
    """Raise ValueError, naming the state, where nothing is legal in one of `states`, though objects end by stop.

    legal: [B] bool, whether anything may be done.
    """
    stuck = (~legal).nonzero()
    if environment.has_stop and stuck.numel():
        raise ValueError(
            "a dead end, where objects may neither be finished nor grow; let it stop, or forbid what leads there: "
            f"{described(environment, states, int(stuck[0]))}"
        )


def check_playable(environment: Reversible, instances: GraphBatch, generator: torch.Generator) -> None:
    """Raise ValueError, naming the state, where a random episode cannot begin, or comes to a dead end.

    instances: what some episodes begin from, drawn at random.
    """
    start = environment.reset(instances)
    begins = has_choice(environment, environment.observe(start))
    if not bool(begins.all()):
        raise ValueError(f"can never begin: nothing is legal in the initial state {described(environment, start)}")
    choose = uniform_choice(environment.actions, generator)
    first_move = int(environment.has_stop)

    def act(_: Tensor, state: GraphBatch) -> Tensor:
        observation = environment.observe(state)
        check_states(environment, state, has_choice(environment, observation))
        return choose(observation)

    for _ in until_done(start, act, environment.advance, finishes=lambda action: action < first_move):
        pass


def check_objects(
    environment: Reversible, instance: GraphBatch, objects: GraphBatch, names: Sequence[str], generator: torch.Generator
) -> None:
    """Raise ValueError, naming the first of `objects` that cannot be built, and why. names: what to call each."""
    legal = environment.actions.arrange(objects, environment.observe(objects).masks)
    candidates = environment.actions.segments(objects)
    able = segment_sum(legal, candidates) > 0
    done = legal[candidates.ptr[:-1]] & able if environment.has_stop else ~able
    for place in (~done).nonzero().flatten().tolist():
        raise ValueError(f"{names[place]}: may not be finished as it is: {described(environment, objects, place)}")
    start = environment.keys(environment.reset(instance))[0]
    choose = uniform_choice(environment.backward_actions, generator)

    def undo(_: Tensor, state: GraphBatch) -> Tensor:
        return choose(environment.observe_backward(state))

    for step in until_done(objects, undo, environment.undo, finishes=lambda action: action < 0):
        over = (step.action < 0).nonzero().flatten()
        keys = environment.keys(step.state.select(over)) if over.numel() else []
        for place, key in zip(over.tolist(), keys, strict=True):
            if key != start:
                name, left = names[int(step.episode[place])], described(environment, step.state, place)
                raise ValueError(f"{name}: cannot be built: no step leads to {left}")
        if step.step is None:
            return
        before, action = step.step
        masks = environment.actions.arrange(before, environment.observe(before).masks)
        allowed = masks[environment.actions.segments(before).ptr[:-1] + action]
        for place in (~allowed).nonzero().flatten().tolist():
            episode = int(step.episode[(step.action >= 0).nonzero().flatten()[place]])
            name = environment.actions.blocks[int(environment.actions.locate(before, action).block[place])].name
            raise ValueError(
                f"{names[episode]}: is illegal: {name!r} is not allowed in {described(environment, before, place)}"
            )
