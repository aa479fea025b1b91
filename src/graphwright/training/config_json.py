"""Settings as JSON documents, such as `config.json`: written, and read with every value checked, trusted or not."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from graphwright.core.numbers import to_plain_json
from graphwright.envs.problem import Problem
from graphwright.envs.registry import PROBLEMS, find_problem
from graphwright.envs.team import Team
from graphwright.nn import EncoderConfig
from graphwright.nn.pyg import is_of_pyg
from graphwright.training.checkpoint import FORMAT
from graphwright.training.collectors.play import ConfigError, PlayConfig
from graphwright.training.config import TrainConfig

_MAY_CHANGE = ("seconds", "steps", "threads", "device", "checkpoint_seconds")


def to_json(problem: str, config: TrainConfig) -> str:
    """`config` as a JSON document. Raises ConfigError where a part of it is neither plain nor a dataclass."""
    document = {"format": FORMAT, "problem": problem, **dataclasses.asdict(config)}
    return json.dumps(document, indent=2, default=name_of) + "\n"


def as_written(environment: Any) -> dict[str, Any]:
    """The options of an environment as a file holds them; none where it is no dataclass of what files can hold."""
    if not dataclasses.is_dataclass(environment):
        return {}
    try:
        written: dict[str, Any] = json.loads(to_plain_json(dataclasses.asdict(environment), default=name_of))  # type: ignore[arg-type]
    except (ConfigError, TypeError):
        return {}
    return written


def fixed_settings(problem: str, config: TrainConfig) -> dict[str, Any]:
    """What must not change in the middle of a run, as `config.json` holds it, and what policies are told (`told`).

    The size of a team may change; who is who is said of teams only.
    """
    document = json.loads(to_json(problem, config))
    fixed: dict[str, Any] = {name: value for name, value in document.items() if name not in _MAY_CHANGE}
    fixed["collection"].pop("reward_workers", None)
    team = isinstance(config.environment, Team)
    for name in ("sizes",) if team else ("identity", "memory"):
        fixed["collection"].pop(name, None)
    if told := getattr(getattr(config.collection, "condition", None), "told", {}):
        fixed["told"] = told
    return fixed


def watched_as_written(fixed: Mapping[str, Any], text: str) -> dict[str, Any]:
    """`fixed`, with those settings of validation alone that the document `text` has: later ones change no policy."""
    written = parse_json(text).get("validation")
    now = fixed.get("validation")
    if not isinstance(written, dict) or not isinstance(now, Mapping):
        return dict(fixed)
    return {**fixed, "validation": {name: value for name, value in now.items() if name in written}}


def flat(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings one by one, each by all the names that lead to it, as in `encoder.width`."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def parse_json(text: str) -> Any:
    """What a JSON document holds. Raises ConfigError where it is not one."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ConfigError("not settings: nested too deeply") from None
    except ValueError as error:  # numbers of thousands of digits are none that JSONDecodeError knows of
        raise ConfigError(f"not JSON: {error}") from None


def from_json(text: str, trust: bool = False) -> tuple[Problem, TrainConfig]:
    """The problem and the settings that a JSON document holds.

    trust: whether modules that it names may be imported, and so run. Raises ConfigError where the document is none, or
    names such a module without being trusted.
    """
    data = parse_json(text)
    if isinstance(data, dict) and ("problem" in data or "task" in data) and data.get("format") != FORMAT:
        raise ConfigError("is from another version of Graphwright, which this one cannot go on from; train anew")
    if not isinstance(data, dict) or not isinstance(data.get("problem"), str):
        raise ConfigError(
            "no object with a 'problem'; runs on the environments of others are used by `foreign.training`"
        )
    name, _ = data.pop("problem"), data.pop("format")
    try:
        if name not in PROBLEMS and ":" in name:
            require_trust("problem", name, trust)
        if ":" in str(data.get("algorithm")):
            require_trust("algorithm", data["algorithm"], trust)
        problem = find_problem(name)
        config: TrainConfig = build(TrainConfig.for_problem(problem, data.get("algorithm")), data)
        require_trusted_layer(config.encoder, trust)
        if isinstance(config.collection, PlayConfig):
            config.collection.instances(problem)
        return problem, config
    except (ValueError, TypeError) as error:
        raise ConfigError(str(error)) from None


def require_trust(what: str, name: str, trust: bool) -> None:
    """Raise ConfigError where a file names a problem, layer or algorithm that is not the library's, unless trusted."""
    if not trust:
        raise ConfigError(
            f"names {'an' if what == 'algorithm' else 'a'} {what} of its maker's own, {name!r}, and importing that "
            "runs its code; if you trust whoever made this run, say --trust (in Python trust=True)"
        )


def require_trusted_layer(encoder: EncoderConfig, trust: bool) -> None:
    """Raise ConfigError where the layer is no class of `torch_geometric.nn`, unless it is trusted."""
    if encoder.layer is not None and not is_of_pyg(encoder.layer):
        require_trust("layer", encoder.layer, trust)


def build(like: Any, data: Any, path: str = "") -> Any:
    """A dataclass like `like` with plain JSON values in place of its own, each checked against the type of its field.

    A field that holds a dataclass keeps that very class, however general the field is. Raises ConfigError.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"{path or 'config'} is {data!r}; expected an object")
    hints = get_type_hints(type(like))
    settable = {f.name: f.init for f in dataclasses.fields(like)}
    unknown = sorted(set(data) - set(settable))
    if unknown:
        raise ConfigError(f"unknown option {path}{unknown[0]}")
    values = {
        name: _convert(hints[name], value, f"{path}{name}", getattr(like, name))
        for name, value in data.items()
        if settable[name]
    }
    return replace(like, **values)


_KINDS = {"int": "whole number", "float": "number", "str": "text", "bool": "true or false", "tuple": "list"}


def name_of(value: Any) -> str:
    """What a file says of a function: module:name. Raises ConfigError where `value` is none."""
    if not hasattr(value, "__qualname__"):
        kind = type(value).__name__
        raise ConfigError(f"a {kind} cannot be written to a file of settings; make it a dataclass of plain options")
    return f"{value.__module__}:{value.__qualname__}"


def _convert(hint: Any, value: Any, path: str, like: Any) -> Any:
    if dataclasses.is_dataclass(like):
        return build(like, value, f"{path}.")
    if callable(like):  # files hold the names of functions, and the defaults the functions
        return like
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(hint) if option is not type(None)]
        return None if value is None else _convert(options[0], value, path, None)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(get_args(hint)[0], item, path, None) for item in value)
    if origin is Literal and value in get_args(hint):
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    if origin is Literal:
        raise ConfigError(f"{path} is {repr(value)[:40]}; choose one of {', '.join(map(str, get_args(hint)))}")
    shown, wanted = repr(value), getattr(hint, "__name__", None) or " or ".join(map(repr, get_args(hint)))
    raise ConfigError(f"{path} is {shown[:40]}; that is no {_KINDS.get(wanted, wanted)}")
