"""Shared memory of a worker process and its owner: ragged arrays, one after the other."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

_ALIGNMENT = 64


class Place(NamedTuple):
    """Where an array lies in a buffer."""

    offset: int
    shape: tuple[int, ...]
    dtype: str


class Buffer:
    """Shared bytes from which arrays are allocated; an array that does not fit is sent as a message instead."""

    def __init__(self, memory: Any) -> None:
        self.bytes = np.frombuffer(memory, np.uint8)
        self.used = 0

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array behind those already allocated, or outside the buffer where it does not fit."""
        size = math.prod(shape) * dtype.itemsize
        if self.used + size > self.bytes.size:
            return np.empty(shape, dtype)
        start, self.used = self.used, self.used + -(-size // _ALIGNMENT) * _ALIGNMENT
        return self.bytes[start : start + size].view(dtype).reshape(shape)

    def clear(self) -> None:
        """Free everything that was allocated."""
        self.used = 0

    def place(self, array: np.ndarray) -> Place | np.ndarray:
        """The place of an array in the buffer, or the array itself where it lies outside."""
        offset = array.ctypes.data - self.bytes.ctypes.data
        inside = 0 <= offset < self.bytes.size and array.size
        return Place(offset, array.shape, array.dtype.str) if inside else array

    def find(self, place: Place | np.ndarray) -> np.ndarray:
        """The array at `place`, without a copy; the inverse of `place`."""
        if isinstance(place, np.ndarray):
            return place
        dtype = np.dtype(place.dtype)
        size = math.prod(place.shape) * dtype.itemsize
        return self.bytes[place.offset : place.offset + size].view(dtype).reshape(place.shape)

    def pin(self) -> None:
        """Lock the pages where CUDA is available, so that copies to the device need no staging."""
        if torch.cuda.is_available():
            torch.cuda.check_error(torch.cuda.cudart().cudaHostRegister(self.bytes.ctypes.data, self.bytes.size, 0))

    def unpin(self) -> None:
        """Undo `pin`."""
        if torch.cuda.is_available():
            torch.cuda.check_error(torch.cuda.cudart().cudaHostUnregister(self.bytes.ctypes.data))
