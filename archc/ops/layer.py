"""Layers of torch.nn by their own names and arguments: `nn.Hardtanh(-2, 2)`.

What they make of their inputs is asked of torch, by a `Probe` that the caller brings: this package
does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Protocol

from archc.ops.attributes import Wrong as WrongValue
from archc.ops.attributes import refuse_word
from archc.ops.base import AttributeProblem, BadAttributes, Op, ShapeError, Weight
from archc.ops.python import call, py
from archc.shapes import Cond, Dim, Formula, Tensor


class Probed(Protocol):
    """The types of a layer's outputs, in order, and its weights by name."""

    @property
    def outputs(self) -> tuple[Tensor, ...]: ...

    @property
    def weights(self) -> dict[str, Weight]: ...


Probe = Callable[[str, Sequence[Any], Mapping[str, Any], Sequence[Tensor]], Probed]
"""Asks torch; raises ValueError with what torch says where it refuses or cannot tell."""


class TorchLayer(Op):
    """A layer of torch.nn: `*xs -> outputs`, as torch makes them. Its weights' names are torch's.

    Example: `nn.Hardtanh(-2, 2)`.
    """

    kind = "other"
    weighted = True
    layer: ClassVar[str]
    probe: ClassVar[Probe]

    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def title(cls) -> str:
        return f"nn.{cls.layer}"

    @classmethod
    def takes(cls, name: str) -> bool:
        return True

    @classmethod
    def bound(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TorchLayer:
        problems = []
        for place, value in (*enumerate(args), *kwargs.items()):
            if isinstance(value, Dim | Formula | Cond):
                message = f"`{cls.title()}` must know its arguments when the model is built"
                problems.append(AttributeProblem(place, message, needs_static=value))
                continue
            try:
                refuse_word(value)
            except WrongValue as wrong:
                help = f'a word stands in quotes: "{value}"'
                problems.append(AttributeProblem(place, wrong.message, help))
        if problems:
            raise BadAttributes(problems)
        fixed = [_fixed(v) for v in args]
        return cls(args=tuple(fixed), kwargs=tuple((k, _fixed(v)) for k, v in kwargs.items()))

    def shape(self, *xs: Tensor) -> tuple[Tensor, ...]:
        return self._asked(xs).outputs

    def weights(self, *xs: Tensor) -> dict[str, Weight]:
        return self._asked(xs).weights

    def module(self, *xs: Tensor) -> str:
        return call(f"nn.{self.layer}", *map(py, self.args), **dict(self.kwargs))

    def label(self, *xs: Tensor) -> str:
        return ", ".join([*map(str, self.args), *(f"{k}={v}" for k, v in self.kwargs)])

    def _asked(self, xs: Sequence[Tensor]) -> Probed:
        try:
            return type(self).probe(self.layer, self.args, dict(self.kwargs), xs)
        except ValueError as refused:
            raise ShapeError(f"`{self.title()}`: {refused}") from refused


def _fixed(value: Any) -> Any:
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple) else value


@lru_cache(maxsize=256)
def layer(name: str, probe: Probe) -> type[TorchLayer]:
    """The operator of a layer of torch.nn."""
    return type(name, (TorchLayer,), {"layer": name, "probe": staticmethod(probe), "__module__": __name__})
