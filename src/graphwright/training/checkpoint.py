"""Tensors on disk: safetensors files that are written whole or not at all, and checked when they are read."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.overrides import TorchFunctionMode
from typing_extensions import override

from graphwright.core.files import write_atomically
from graphwright.core.numbers import to_plain_json

CONFIG_FILE, POLICY_FILE, TRAINER_FILE = "config.json", "policy.safetensors", "trainer.safetensors"
"""The files of a run directory that a run goes on from."""


FORMAT = "0.2"
"""Of what a run writes: files of another one are refused."""


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and the reason."""


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], info: Mapping[str, Any]) -> None:
    """Write `tensors`, and `info` as JSON, with a checksum over both."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = to_plain_json(info, sort_keys=True)
    metadata = {"format": FORMAT, "info": text, "sha256": _checksum(contiguous, text)}
    write_atomically(path, _serialized(contiguous, metadata))


def _serialized(tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> bytes:
    """The bytes of a file, which of many small tensors are found in a quarter of the time if they are arrays.

    A first state may share a column with its instance: safetensors refuses that of tensors, hence the copies.
    """
    try:
        return bytes(save({name: tensor.numpy() for name, tensor in tensors.items()}, metadata))
    except TypeError:  # NumPy has no bfloat16, which a layer may have
        return bytes(save_tensors({name: tensor.clone() for name, tensor in tensors.items()}, metadata))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the info of a file. Raises CheckpointError where it is missing, truncated or altered."""
    with _opened(path) as (file, metadata, info):
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata.get("sha256") != _checksum(tensors, metadata["info"]):
            raise CheckpointError(f"{path}: the checksum does not match; the file was altered, restore it from a copy")
    return tensors, info


def read_info(path: Path) -> dict[str, Any]:
    """The info of a file, whose tensors are not looked at. Raises CheckpointError as `load_checkpoint` does."""
    with _opened(path) as (_, _, info):
        return info


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, str], dict[str, Any]]]:
    """A file with its metadata and the info among that."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT and "info" in metadata:
                raise CheckpointError(
                    f"{path}: is from another version of Graphwright, which this one cannot use; train anew"
                )
            info = json.loads(metadata["info"])
            if not isinstance(info, dict):
                raise ValueError("its info is no object")
            yield file, metadata, info
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such file; before a run's first checkpoint, `graphwright resume {path.parent}` goes on with it"
            ", and `resume_foreign` with one on environments of others"
        ) from None
    except CheckpointError:
        raise
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: truncated or not a Graphwright checkpoint ({_first_line(error)})") from None


def fingerprint(settings: Mapping[str, Any]) -> str:
    """What tells the settings of one run from those of another: a policy fits many networks, but only one run."""
    return hashlib.sha256(to_plain_json(settings, sort_keys=True).encode()).hexdigest()


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`tensors` under names that begin with `prefix.`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of `tensors` whose names begin with `prefix.`, without it."""
    start = len(prefix) + 1
    return {name[start:]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")}


def require_fit(make: Callable[[], torch.nn.Module], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise CheckpointError where `tensors` are not those of the module that `make` makes.

    Before it is made: a file of a few bytes may describe a network of many gigabytes.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta"), _Undrawn():
        wanted = {name: tensor.shape for name, tensor in make().state_dict().items()}
    given = {name: tensor.shape for name, tensor in tensors.items()}
    for name in sorted(wanted.keys() | given.keys()):
        if wanted.get(name) != given.get(name):
            raise CheckpointError(
                f"{path}: the weights do not fit what is said of their network ({name}), as where a release shows it "
                "other columns; put back what belongs together, or train anew"
            )


class _Undrawn(TorchFunctionMode):
    """Weights stay as they are made: to draw normal numbers that are nowhere would import torch's compiler."""

    @override
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"]
        return func(*args, **(kwargs or {}))


def load_module(module: torch.nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put `tensors` into `module`. Raises CheckpointError where names or shapes differ."""
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        reason = " ".join(str(error).split("\n")[1:2]).strip()
        raise CheckpointError(f"{path}: the weights do not fit config.json ({reason})") from None


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
