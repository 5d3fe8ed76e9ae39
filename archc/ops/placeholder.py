"""What stands where an operator is asked for and none is given, so that a block can be outlined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archc.ops.base import Op
from archc.shapes import Tensor


class Placeholder(Op):
    """An `op` param that nobody gave: any inputs, a result of which nothing is known.

    `name` is the param's; `args` and `kwargs` are what the block gives it where it is called.
    """

    starred = True

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def takes(cls, name: str) -> bool:
        return True

    @classmethod
    def bound(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Placeholder:
        name, *rest = map(_fixed, args)
        return cls(name=name, args=tuple(rest), kwargs=tuple((k, _fixed(v)) for k, v in kwargs.items()))

    def shape(self, *inputs: Tensor) -> Tensor:
        return Tensor(None)

    def call(self, *inputs: str, self_: str | None = None) -> str:
        raise NotImplementedError("an outline cannot be built")

    def label(self, *inputs: Tensor) -> str:
        return ", ".join([*map(str, self.args), *(f"{k}={v}" for k, v in self.kwargs)])


def _fixed(value: Any) -> Any:
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple) else value
