"""`Optimization`: instances from a user's graph, and solutions whose value the rewards add up to."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from graphwright.core import GraphBatch
from graphwright.envs.conformance.batching import check_company
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.compare import ConformanceError, ConformanceWarning, first_difference
from graphwright.envs.conformance.episodes import PlayedEpisodes
from graphwright.envs.conformance.forms import check_graph, check_numbers
from graphwright.envs.conformance.sizes import check_sizes
from graphwright.envs.conformance.units import check_units
from graphwright.envs.environment import Environment
from graphwright.envs.optimization import Optimization
from graphwright.envs.rollouts import has_choice

_WRONG, _DOUBTFUL = 0.25, 0.5  # share of pairs of episodes in which the larger return belongs to the better solution
_PAIRS = 10  # so many are needed to say anything


def check_optimization(
    watched: Watched,
    environment: Optimization,
    instances: GraphBatch,
    episodes: PlayedEpisodes,
    times: int,
    generator: torch.Generator,
) -> None:
    """Raise ConformanceError unless these rules hold of `instances` and of `episodes`, so many `times` of each.

    * `instance` leaves instances as they are, and treats the graphs of a batch independently.
    * `objective` [B] float64 and `is_complete` [B] bool are functions of each state alone; `cost` is the objective,
      turned so that less is better; `solution` names nodes and pairs of the graph.
    * An episode that is terminated while something is still to be done holds a solution, and some episodes do.
    * Of two episodes of an instance, mostly the one with the larger sum of rewards has the better objective.
    * What a network sees does not change with the unit of the numbers that the objective is in.
    """
    check_instance(watched, instances, generator)
    states = [episodes.final, *([episodes.visits.state] if episodes.visits is not None else [])]
    for state in states:
        found = {method: watched.call_again(method, state) for method in numbers_of(environment)}
        for method, dtype in numbers_of(environment).items():
            check_numbers(method, found[method], (state.num_graphs,), dtype)
        check_company(watched, state, found, lambda whole, index: whole[index], generator)
    _check_cost(watched, environment, episodes.final)
    _check_solutions(watched, episodes.final)
    _check_ends(watched, episodes)
    _check_sign(watched, environment, episodes, times)
    check_units(watched, environment, instances, generator)
    check_sizes(watched, environment, instances)


def numbers_of(environment: Environment) -> dict[str, torch.dtype]:
    """The methods from states [B] to tensors [B], and what these hold; `cost` is one where it is not the inherited one,
    which follows from the objective."""
    if not isinstance(environment, Optimization):
        return {}
    own = {} if type(environment).cost is Optimization.cost else {"cost": torch.float64}
    return {"objective": torch.float64, "is_complete": torch.bool, **own}


def check_instance(watched: Watched, instances: GraphBatch, generator: torch.Generator) -> None:
    """`instance` is a projection, of each graph on its own."""
    made: GraphBatch = watched.call_again("instance", instances)
    check_graph("instance", made, instances.num_graphs)
    where = first_difference(made, watched.call("instance", made))
    if where is not None:
        raise ConformanceError(
            f"instance: instances are instances already and stay as they are, but {where} the second time"
        )
    check_company(watched, instances, {"instance": made}, GraphBatch.select, generator)


def _check_cost(watched: Watched, environment: Optimization, final: GraphBatch) -> None:
    objective, cost = watched.call("objective", final), watched.call("cost", final)
    if not torch.equal(cost, -objective if environment.maximise else objective):
        raise ConformanceError("cost: it is the objective, turned so that less is better; leave it as it is inherited")


def _check_solutions(watched: Watched, final: GraphBatch) -> None:
    for place in range(min(final.num_graphs, 8)):
        state = final.select(torch.tensor([place]))
        nodes, links = watched.call_again("solution", state, of="a batch of its own")
        for name, numbers, dims in (("nodes", nodes, 1), ("links", links, 2)):
            inside = numbers.dtype == torch.int64 and numbers.dim() == dims and (dims == 1 or numbers.shape[0] == 2)
            if not inside or bool(((numbers < 0) | (numbers >= state.num_nodes)).any()):
                raise ConformanceError(
                    f"solution: {name} of graph {place} are {'[k]' if dims == 1 else '[2, m]'} int64 numbers of nodes "
                    f"below {state.num_nodes}; got {list(numbers.shape)} {numbers.dtype}"
                )


def _check_ends(watched: Watched, episodes: PlayedEpisodes) -> None:
    complete = watched.call("is_complete", episodes.final)
    idle = ~has_choice(watched.environment, watched.call("observe", episodes.final))
    early = (episodes.ended & ~complete & ~idle).nonzero()
    if early.numel():
        raise ConformanceError(
            f"step: the episode of graph {int(early[0])} is terminated though is_complete says that its state holds no "
            "solution, and legal actions are left. Terminate when the solution is complete; where an attempt has "
            "failed, leave nothing to do; where time is up, truncate."
        )
    if complete.numel() >= 24 and not bool(complete.any()):
        raise ConformanceError(
            f"is_complete: none of {complete.numel()} random episodes ended with a solution. Either episodes end too "
            "early, or is_complete is wrong, or these instances are too hard: check with easier ones."
        )


def _check_sign(watched: Watched, environment: Optimization, episodes: PlayedEpisodes, times: int) -> None:
    """Compare all pairs of episodes of an instance, which follow each other `times` by `times`."""
    cost, complete = watched.call("cost", episodes.final), watched.call("is_complete", episodes.final)
    better, more = _order(-cost, times), _order(episodes.total, times)
    both = complete.reshape(-1, times, 1) & complete.reshape(-1, 1, times)
    clear = (better != 0) & (more != 0)
    if int((clear & both).sum()) >= _PAIRS:
        clear &= both
    count = int(clear.sum())
    if count < _PAIRS:
        if int((better != 0).sum()) >= _PAIRS and not bool(episodes.total.any()):
            raise ConformanceError(
                "step: every reward is 0, while the objective of random episodes differs: nothing can be learned"
            )
        return
    share = float((better == more)[clear].double().mean())
    if share < _WRONG:
        raise ConformanceError(
            f"the sum of rewards falls when the objective gets better (they agree in {share:.0%} of {count} pairs of "
            f"random episodes, with maximise = {environment.maximise}): either the reward of step, the sign of "
            "objective, or maximise is the wrong way round."
        )
    if share < _DOUBTFUL:
        warnings.warn(
            f"rewards say little of the objective: of two random episodes of an instance, the one with more reward is "
            f"the better one in {share:.0%} of cases only",
            ConformanceWarning,
            stacklevel=4,
        )


def _order(values: Tensor, times: int) -> Tensor:
    """[instances, times, times]: 1 where the first of two episodes of an instance has more, -1 where the second has, 0
    where they are all but equal; each pair once."""
    rows = values.reshape(-1, times)
    apart = rows[:, :, None] - rows[:, None, :]
    least = 1e-5 * rows.abs().amax(1).clamp(min=1e-12)[:, None, None]
    return torch.where(apart.abs() > least, apart.sign(), 0).triu(1)
