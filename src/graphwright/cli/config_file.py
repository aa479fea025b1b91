"""Files of settings for `train`: a run's `config.json`, or a TOML of options as the command line has them.

problem = "vertex-cover"
sizes = [5, 10, 15]
ppo.learning-rate = 1e-3

[encoder]
depth = 4
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphwright.algorithms.registry import find_algorithm
from graphwright.cli.arguments import option_of
from graphwright.core.files import read_whole
from graphwright.envs.registry import PROBLEMS
from graphwright.nn.pyg import is_of_pyg
from graphwright.training.config import ConfigError, TrainConfig
from graphwright.training.config_json import flat, from_json, require_trust

_LARGEST = 1 << 20  # bytes
_ENDS = ("--seconds", "--steps")


def with_config_file(words: Sequence[str]) -> tuple[list[str], TrainConfig | None]:
    """`words` of `train` with what the file after `--config` says before them, or the settings that it holds.

    What stands in `words` counts more. Raises ConfigError naming the file.
    """
    words = list(words)
    given = option_of(words, "--config")
    if given is None:
        return words, None
    path = Path(given)
    path = path / "config.json" if path.is_dir() else path
    trust = "--trust" in words
    try:
        text = read_whole(path, _LARGEST).decode()
        if path.suffix == ".toml":
            return _with_options(tomllib.loads(text), words, trust), None
        problem, config = from_json(text, trust)
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


def _names_problem(words: Sequence[str]) -> bool:
    return bool(words) and not words[0].startswith("-")


def _for(config: TrainConfig, words: Sequence[str], problem: Any) -> TrainConfig:
    """`config` without what `words` say otherwise: another end, or another algorithm and so its settings."""
    if any(option_of(words, end) is not None for end in _ENDS):
        config = replace(config, seconds=None, steps=None)
    algorithm = option_of(words, "--algorithm")
    if algorithm in (None, config.algorithm):
        return config
    find_algorithm(algorithm)
    kept = ("environment", "encoder", "heads", "seconds", "steps", "checkpoint_seconds", "seed", "threads", "device")
    return TrainConfig.for_problem(problem, algorithm, **{name: getattr(config, name) for name in kept})


def _with_options(document: Mapping[str, Any], words: list[str], trust: bool) -> list[str]:
    """`words` with the options of a TOML document before them, but for those that `words` give too."""
    options = {name.replace("_", "-"): value for name, value in flat(document)}
    problem = options.pop("problem", None)
    named = {"problem": problem, "algorithm": options.get("algorithm"), "layer": options.get("encoder.layer")}
    for what, name in named.items():
        if isinstance(name, str) and ":" in name and name not in PROBLEMS and not (what == "layer" and is_of_pyg(name)):
            require_trust(what, name, trust)
    if any(option_of(words, end) is not None for end in _ENDS):
        options.pop("seconds", None), options.pop("steps", None)
    found: list[str] = []
    for name, value in options.items():
        if option_of(words, f"--{name}") is None:
            found += _words_of(name, value)
    first = words[:1] if _names_problem(words) else [] if problem is None else [str(problem)]
    return [*first, *found, *words[_names_problem(words) :]]


def _words_of(name: str, value: Any) -> list[str]:
    """An option as words; a switch that is off is said with "no-" before its last part."""
    if value is True:
        return [f"--{name}"]
    if value is False:
        before, _, last = name.rpartition(".")
        return [f"--{before + '.' if before else ''}no-{last}"]
    if isinstance(value, list):
        return [f"--{name}", *map(str, value)]
    return [f"--{name}", str(value)]
