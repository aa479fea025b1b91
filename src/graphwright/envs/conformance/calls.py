"""Calls of an environment's methods under watch: what raises, writes into its arguments or remembers is named."""

from __future__ import annotations

from collections import deque
from typing import Any

from graphwright.envs.conformance.compare import ConformanceError, Part, changed_since, copy_of, first_difference
from graphwright.envs.environment import Environment

_KEPT = 16  # earlier results that are looked at again


class Watched:
    """An environment whose methods are called through `call`; its methods are pure functions of their arguments."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._earlier: deque[tuple[str, list[Part], Any]] = deque(maxlen=_KEPT)

    def call(self, method: str, *arguments: Any, of: str = "the batch") -> Any:
        """The result of `method`, which leaves its arguments as they were. of: what the batch is, for the message."""
        before = [copy_of(argument) for argument in arguments]
        try:
            result = getattr(self.environment, method)(*arguments)
        except ConformanceError:
            raise
        except Exception as error:
            raise ConformanceError(
                f"{method} raises {type(error).__name__} for {of}: {error}\n"
                "Every method takes a batch of any graphs: any number of them, in any order, at any step of an episode."
            ) from error
        for copy, argument in zip(before, arguments, strict=True):
            changed = changed_since(copy, argument)
            if changed is not None:
                raise ConformanceError(
                    f"{method} changes what it is given: {changed} is not as it was after the call. Methods leave "
                    "their arguments as they were: clone a column before writing into it "
                    "(`column.clone()`, `index_fill`, `torch.where`), and hand back `state.with_nodes(...)`."
                )
        return result

    def call_again(self, method: str, *arguments: Any, of: str = "the batch") -> Any:
        """As `call`, twice: both results are the same, and no earlier result has changed."""
        result = self.call(method, *arguments, of=of)
        copy = copy_of(result)
        self.require_same(method, result, self.call(method, *arguments, of=of))
        self._earlier.append((method, copy, result))
        for earlier, kept, value in self._earlier:
            changed = changed_since(kept, value)
            if changed is not None:
                raise ConformanceError(
                    f"{method} writes into what {earlier} handed out before: {changed} has changed. Results are new "
                    "tensors; an environment keeps no buffer that it fills again."
                )
        return result

    def require_same(self, method: str, first: Any, later: Any) -> None:
        """Both are what `method` made of the same arguments."""
        where = first_difference(first, later)
        if where is not None:
            raise ConformanceError(
                f"{method} is not a function of its arguments: called again with the same ones, {where}. Environments "
                "draw nothing at random and remember nothing: what is random is drawn with the instance, and what "
                "has to be remembered is a column of the state."
            )
