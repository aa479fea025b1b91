"""`check_environment`: the sections of the conformance test, one for each capability that an environment has."""

from __future__ import annotations

import torch

from graphwright.core import ActionSpec, Features, GraphBatch
from graphwright.envs.conformance.batching import check_company, check_visits_in_company
from graphwright.envs.conformance.calls import Watched
from graphwright.envs.conformance.candidates import check_candidates
from graphwright.envs.conformance.compare import ConformanceError
from graphwright.envs.conformance.endless import check_endless
from graphwright.envs.conformance.episodes import check_episodes
from graphwright.envs.conformance.game import check_game
from graphwright.envs.conformance.optimization import check_optimization, numbers_of
from graphwright.envs.conformance.renumbering import check_renumbering
from graphwright.envs.conformance.reversible import check_reversible
from graphwright.envs.conformance.team import check_team
from graphwright.envs.endless import Endless
from graphwright.envs.environment import Environment
from graphwright.envs.game import Game
from graphwright.envs.optimization import Optimization
from graphwright.envs.reversible import Reversible
from graphwright.envs.rollouts import repeat_each
from graphwright.envs.team import Team

_INSTANCES, _EPISODES = 8, 32


def check_environment(
    environment: Environment, instances: GraphBatch, *, seed: int = 0, max_steps: int = 3_000
) -> None:
    """Play random episodes of `instances` and raise ConformanceError, naming rule, method and place, where one breaks.

    instances: some that are typical, of different sizes, best between four and eight; of more, eight are played.

    Of every environment:

    * Methods are pure: they leave their arguments as they were, and the same arguments give the same result, whatever
      was called in between.
    * States and observations are valid graph batches; columns have the widths that `features` declares and are finite;
      masks, rewards and ends have their shapes and dtypes; a state keeps the columns of `reset` and, unless
      `edits_graph`, its instance.
    * A legal action exists until an episode is over, has an effect, and leads to the end within `max_steps`
      (but where the environment is `Endless`).
    * The graphs of a batch do not affect each other, whatever the others are and however far they have come.
    * Renumbering the nodes of an instance renumbers what is seen and done, and changes nothing else.

    Of those that can do more, see the module of each capability in this folder.
    """
    if not isinstance(environment.features, Features) or not isinstance(environment.actions, ActionSpec):
        raise ConformanceError("`features` is a Features and `actions` an ActionSpec")
    generator = torch.Generator().manual_seed(seed)
    watched = Watched(environment)
    start = watched.call("reset", instances)
    check_company(watched, instances, {"reset": start}, GraphBatch.select, generator)
    place = torch.linspace(0, max(instances.num_graphs - 1, 0), min(instances.num_graphs, _INSTANCES)).long()
    some, times = instances.select(place), max(4, _EPISODES // max(place.numel(), 1))
    episodes = check_episodes(watched, repeat_each(some, times), place.repeat_interleave(times), generator, max_steps)
    if episodes.visits is not None:
        check_visits_in_company(watched, episodes.visits, generator)
        check_candidates(watched, episodes.visits, generator)
    check_renumbering(watched, some, numbers_of(environment), generator)
    if isinstance(environment, Optimization):
        check_optimization(watched, environment, some, episodes, times, generator)
    if isinstance(environment, Reversible):
        check_reversible(watched, environment, episodes, generator, max_steps)
    if isinstance(environment, Game):
        check_game(watched, environment, episodes, generator)
    if isinstance(environment, Endless):
        check_endless(watched, episodes, generator)
    if isinstance(environment, Team):
        check_team(watched, episodes, generator)
