"""What is computed once of an object, when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class cached_property(Generic[T]):
    """That of `functools`, without the lock that it takes before Python 3.12: one call in place of four.

    The value is kept in the `__dict__` of the object under the name of the property, where Python finds it first.
    """

    def __init__(self, function: Callable[[Any], T]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        """The value; the property itself where it is asked of the class."""
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.function(instance)
        return value
