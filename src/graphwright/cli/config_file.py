"""Files of settings for `train`: a run's `config.json`, or a TOML of options as the command line has them.

problem = "vertex-cover"
sizes = [5, 10, 15]
ppo.learning-rate = 1e-3

[encoder]
depth = 4
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any

from graphwright.algorithms.registry import find_algorithm
from graphwright.cli.arguments import is_given, is_on, option_of
from graphwright.core.files import read_whole
from graphwright.drawing.letters import printable
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.nn.pyg import is_of_pyg
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.config_json import flat, from_json, parse_json, require_trust, to_json

_LARGEST = 1 << 20  # bytes
_SHOWN = 4  # settings
_TRUST = ("--trust", "--no-trust")
_ENDS = ("--seconds", "--steps")


def with_config_file(words: Sequence[str]) -> tuple[list[str], TrainConfig | None]:
    """`words` of `train` with what the file after `--config` says before them, or the settings that it holds.

    What stands in `words` counts more. Raises ConfigError naming the file.
    """
    given = option_of(words, "--config")
    if given is None:
        return list(words), None
    words = _problem_first(_with_file_last(words, given))
    path = Path(given) / "config.json" if Path(given).is_dir() else Path(given)
    trust = is_on(words, "--trust")
    try:
        text = read_whole(path, _LARGEST).decode()
        if path.suffix == ".toml":
            return _with_options(tomllib.loads(text), words, trust), None
        if path.suffix != ".json":
            raise ConfigError("is neither a TOML of options (.toml) nor a run, nor the config.json of one")
        problem, config = from_json(text, trust)
        _say_what_is_not_said(path, text, to_json(problem.name, config))
    except FileNotFoundError:
        raise ConfigError(f"--config {path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"--config {path}: no TOML: {error}") from None
    except (ConfigError, RecursionError) as error:
        raise ConfigError(f"--config {path}: {error}") from None
    if _names_problem(words) and words[0] != problem.name:
        raise ConfigError(f"--config {path}: is of {problem.name}, not of {words[0]}; leave one of them out")
    return words if _names_problem(words) else [problem.name, *words], _for(config, words, problem)


def _say_what_is_not_said(path: Path, text: str, whole: str) -> None:
    """Say on stderr which settings of `whole` the document `text` lacks, as that of an older run does."""
    said = {name for name, _ in flat(parse_json(text))}
    left = [f"{name} = {value!r}" for name, value in flat(parse_json(whole)) if name not in said]
    if left:
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        shown = ", ".join(left[:_SHOWN])
        print(printable(f"--config {path}: does not say {shown}{more}; these are defaults"), file=sys.stderr)


def _with_file_last(words: Sequence[str], given: str) -> list[str]:
    """`words` with `--config FILE` and `--trust`, or its opposite, at their end: a problem may stand on either side."""
    place = next(place for place, word in enumerate(words) if word.partition("=")[0] == "--config")
    behind = place + (1 if "=" in words[place] else 2)
    switches = [word for word in words if word in _TRUST]
    others = [word for word in [*words[:place], *words[behind:]] if word not in _TRUST]
    return [*others, "--config", given, *switches]


def _problem_first(words: list[str]) -> list[str]:
    """`words` with a problem that stands behind options, and is no value of one, before them."""
    for place, word in enumerate(words[1:], 1):
        if word in PROBLEMS and not words[place - 1].startswith("--") and not _names_problem(words):
            return [word, *words[:place], *words[place + 1 :]]
    return words


def _names_problem(words: Sequence[str]) -> bool:
    return bool(words) and not words[0].startswith("-")


def _for(config: TrainConfig, words: Sequence[str], problem: Any) -> TrainConfig:
    """`config` without what `words` say otherwise: another end, or another algorithm and so its settings."""
    if any(is_given(words, end) for end in _ENDS):
        config = replace(config, seconds=None, steps=None)
    algorithm = option_of(words, "--algorithm")
    if algorithm in (None, config.algorithm):
        return config
    find_algorithm(algorithm)
    kept = ("environment", "encoder", "heads", "seconds", "steps", "checkpoint_seconds", "seed", "threads", "device")
    return TrainConfig.for_problem(problem, algorithm, **{name: getattr(config, name) for name in kept})


def _with_options(document: Mapping[str, Any], words: list[str], trust: bool) -> list[str]:
    """`words` with the options of a TOML document before them, but for those that `words` give too.

    Raises ConfigError where one is no option.
    """
    options = {name.replace("_", "-"): value for name, value in flat(document)}
    problem = options.pop("problem", None)
    named = {"problem": problem, "algorithm": options.get("algorithm"), "layer": options.get("encoder.layer")}
    for what, name in named.items():
        if isinstance(name, str) and ":" in name and name not in PROBLEMS and not (what == "layer" and is_of_pyg(name)):
            require_trust(what, name, trust)
    if any(is_given(words, end) for end in _ENDS):
        options.pop("seconds", None), options.pop("steps", None)
    first = words[:1] if _names_problem(words) else [] if problem is None else [str(problem)]
    words = words[_names_problem(words) :]
    if not first:
        raise ConfigError('names no problem; write problem = "NAME" into it, or name one before it')
    algorithm = option_of(words, "--algorithm") or options.get("algorithm")
    defaults = TrainConfig.for_problem(find_problem(first[0]), None if algorithm is None else str(algorithm))
    found: list[str] = []
    for name, value in options.items():
        default = _default(defaults, name)
        if name == "config":
            raise ConfigError("names another file of settings, which is not followed; leave it out")
        if is_dataclass(default):
            raise ConfigError(f"{name} = {value!r}: {name} has options of its own; write [{name}] and them below it")
        if isinstance(default, bool) and not isinstance(value, bool):
            raise ConfigError(f"{name} = {value!r}: {name} is a switch; write true or false")
        if not is_given(words, f"--{name}"):  # of a switch said both ways the last word counts, which is the user's
            found += _words_of(name, value)
    return [*first, *found, *words]


def _default(config: TrainConfig, name: str) -> Any:
    """What a setting is by default, by the name of its option; None where there is none of that name."""
    path = name.replace("-", "_").split(".")
    if path[0] == find_algorithm(config.algorithm).load().options.replace("-", "_"):
        path[0] = "settings"
    value: Any = config if hasattr(config, path[0]) else config.collection
    for part in path:
        value = getattr(value, part, None)
    return value


def _switch(name: str, value: bool) -> list[str]:
    """A switch in words; one that is off is said with "no-" before its last part."""
    before, _, last = name.rpartition(".")
    return [f"--{name}"] if value else [f"--{before + '.' if before else ''}no-{last}"]


def _words_of(name: str, value: Any) -> list[str]:
    """An option as words. Raises ConfigError where its value is a table."""
    if isinstance(value, bool):
        return _switch(name, value)
    if isinstance(value, list):
        if any(isinstance(item, Mapping | list) for item in value):
            raise ConfigError(f"{name} is a list of tables, which no option takes; write [{name}] once, not [[{name}]]")
        return [f"--{name}", *map(str, value)]
    return [f"--{name}", str(value)]
