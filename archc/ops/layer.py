"""Layers of torch.nn by their own names and arguments: `nn.Hardtanh(-2, 2)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from archc.ops.asked import Asked, Probe, Question, bare, fixed, tensors_only
from archc.ops.attributes import Wrong as WrongValue
from archc.ops.base import AttributeProblem, BadAttributes, Port, Weight
from archc.ops.python import call, py
from archc.shapes import Cond, Dim, Formula, Tensor


class TorchLayer(Asked):
    """A layer of torch.nn: inputs as its `forward` names them, outputs as torch makes them. Its weights'
    names are torch's.

    Example: `nn.Hardtanh(-2, 2)`.
    """

    kind = "other"
    weighted = True
    layer: ClassVar[str]

    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def title(cls) -> str:
        return f"nn.{cls.layer}"

    @classmethod
    def takes(cls, name: str) -> bool:
        return True

    @classmethod
    def ports(cls) -> tuple[Port, ...]:
        return cls.probe.ports(cls.layer) if cls.probe else (Port("inputs", variadic=True),)

    @classmethod
    def bound(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TorchLayer:
        problems = []
        for place, value in (*enumerate(args), *kwargs.items()):
            if isinstance(value, Dim | Formula | Cond):
                message = f"`{cls.title()}` must know its arguments when the model is built"
                problems.append(AttributeProblem(place, message, needs_static=value))
                continue
            try:
                fixed(value)
            except WrongValue as wrong:
                help = f'a word stands in quotes: "{value}"'
                problems.append(AttributeProblem(place, wrong.message, help))
        if problems:
            raise BadAttributes(problems)
        return cls(args=tuple(map(fixed, args)), kwargs=tuple((k, fixed(v)) for k, v in kwargs.items()))

    def question(self, inputs: tuple[Tensor | None, ...]) -> Question:
        ports = self.ports()
        tensors_only(ports, inputs)
        names = (None,) * len(inputs) if any(p.variadic for p in ports) else tuple(p.name for p in ports)
        kwargs = tuple((name, bare(value)) for name, value in self.kwargs)
        return Question(self.layer, bare(self.args), kwargs, names, inputs)

    def shape(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self.asked(inputs).outputs

    def weights(self, *inputs: Tensor) -> Mapping[str, Weight]:  # type: ignore[override]
        return self.asked(inputs).weights

    def module(self, *inputs: Tensor) -> str:
        return call(f"nn.{self.layer}", *map(py, self.args), **dict(self.kwargs))

    def call(self, *inputs: str | None, self_: str | None = None) -> str:
        return self.applied(str(self_), inputs)

    def label(self, *inputs: Tensor) -> str:
        return ", ".join([*map(str, self.args), *(f"{k}={v}" for k, v in self.kwargs)])


@lru_cache(maxsize=256)
def layer(name: str, probe: Probe) -> type[TorchLayer]:
    """The operator of a layer of torch.nn."""
    return type(name, (TorchLayer,), {"layer": name, "probe": probe, "__module__": __name__})
