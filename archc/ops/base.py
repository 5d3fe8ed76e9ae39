"""What an operator is.

An operator is declared once, complete without torch: its attributes (pydantic fields, in the
order in which a spec may give them by position), its ports (the parameters of `shape`), its
shape rule, weights, cost, and how it is written in PyTorch.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from archc.shapes import Size, Tensor


@dataclass(frozen=True, slots=True)
class Port:
    """An input of an operator. A variadic port takes any number of values and bundles."""

    name: str
    optional: bool = False
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that an operator owns: a parameter, or a buffer where `buffer` is true."""

    shape: tuple[Size, ...]
    dtype: str = "float"
    buffer: bool = False
    trainable: bool = True
    persistent: bool = True  # False: not in the state_dict


class ShapeError(Exception):
    """A shape rule's complaint.

    `about` names the attributes or ports at fault, so that the error points at their words.
    """

    def __init__(self, message: str, *, about: tuple[str, ...] = (), help: str | None = None):
        super().__init__(message)
        self.message = message
        self.about = about
        self.help = help


class Op(BaseModel):
    """Base of all operators."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    kind: ClassVar[str] = "other"
    """Its colour in a diagram: conv, linear, norm, activation, attention, resampling or other."""
    outputs: ClassVar[tuple[str, ...]] = ("out",)
    """The names of its outputs."""

    def shape(self, *inputs: Any, **ports: Any) -> Tensor | tuple[Tensor, ...]:
        """The outputs' types from the inputs' types; raises ShapeError. Absent ports are None."""
        raise NotImplementedError

    def weights(self, *inputs: Tensor) -> dict[str, Weight]:
        """The tensors it owns, by their names below the node ("" is the node's own name)."""
        return {}

    def module(self, *inputs: Tensor) -> str | None:
        """The source of the submodule that it owns, e.g. `nn.Linear(64, 128)`; None without weights."""
        return None

    def call(self, *inputs: str, self_: str | None = None) -> str:
        """The source of its application. `inputs` are source texts, one a port of `shape`
        (None where absent; a variadic port's are spread), `self_` its submodule's."""
        return f"{self_}({', '.join(i for i in inputs if i is not None)})"

    def flops(self, *inputs: Tensor) -> Size:
        """Floating point operations of one application: 2 a multiply-add."""
        return 0

    def label(self, *inputs: Tensor) -> str:
        """The small line under its name in a diagram, e.g. `64 -> 128, 3x3 s2`."""
        return ""

    @classmethod
    @cache
    def ports(cls) -> tuple[Port, ...]:
        """The inputs, as the signature of `shape` tells them."""
        found = []
        for p in list(inspect.signature(cls.shape).parameters.values())[1:]:
            found.append(Port(p.name, p.default is None, p.kind is p.VAR_POSITIONAL))
        return tuple(found)
