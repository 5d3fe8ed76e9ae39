"""Operators that torch itself is asked about: layers of torch.nn, and operators written in Python.

What they make of their inputs, a `Probe` tells, which the caller brings: this package does not import
torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from archc.ops.attributes import refuse_word
from archc.ops.base import Op, Port, ShapeError, Weight
from archc.ops.python import call
from archc.shapes import Facts, Size, Tensor, plain, record, recording


@dataclass(frozen=True, slots=True)
class Question:
    """What torch is asked: a layer or function, how it is made, and the types of its inputs.

    `what` is the name of a layer of torch.nn, or a class or function. `args` and `kwargs` make a layer;
    a function takes them beside its tensors. `ports` are the names of the parameters that take tensors,
    None where they go by position.
    """

    what: Any
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    ports: tuple[str | None, ...] = ()
    inputs: tuple[Tensor | None, ...] = ()


class Probed(Protocol):
    """The types of the outputs, in order, the weights by name, and what the sizes must fulfil.

    `nested`: the outputs come in tuples within tuples, one in a tuple, or with None among them."""

    @property
    def outputs(self) -> tuple[Tensor, ...]: ...

    @property
    def weights(self) -> Mapping[str, Weight]: ...

    @property
    def facts(self) -> Facts: ...

    @property
    def nested(self) -> bool: ...


class Probe(Protocol):
    """Asks torch; raises ValueError with what torch says where it refuses or cannot tell."""

    def __call__(self, question: Question) -> Probed: ...

    def weights(self, question: Question) -> Mapping[str, Weight]:
        """The weights alone: the question needs no inputs."""
        ...

    def ports(self, layer: str) -> tuple[Port, ...]:
        """The inputs of a layer of torch.nn."""
        ...

    def disagrees(self, question: Question, outputs: tuple[Tensor, ...]) -> str | None:
        """What torch makes other than these outputs, if it runs at all."""
        ...


FLATTENED = '''def flattened(made) -> tuple[Tensor, ...]:
    """The tensors in tuples within tuples, in order."""
    if isinstance(made, torch.Tensor):
        return (made,)
    return tuple(tensor for part in made if part is not None for tensor in flattened(part))
'''


class Asked(Op):
    """Base of operators that torch is asked about."""

    probe: ClassVar[Probe | None] = None
    advice: ClassVar[str | None] = None
    """What helps where torch cannot tell a shape."""
    helpers: ClassVar[Mapping[str, str]] = {"flattened": FLATTENED}

    def question(self, inputs: tuple[Tensor | None, ...]) -> Question:
        """What torch is asked about inputs of these types."""
        raise NotImplementedError

    def asked(self, inputs: tuple[Tensor | None, ...]) -> Probed:
        """What torch makes of inputs; records what their sizes must fulfil. Raises ShapeError."""
        if self.probe is None:
            raise ShapeError(f"nobody is here to ask torch about `{self.title()}`")
        try:
            probed = self.probe(self.question(inputs))
        except ValueError as refused:
            help = self.advice if getattr(refused, "cannot_tell", False) else None
            raise ShapeError(f"`{self.title()}`: {refused}", help=help) from refused
        record(probed.facts)
        return probed

    def lower(
        self, inputs: Sequence[str | None], types: Sequence[Tensor | None], self_: str | None = None
    ) -> str:
        made = self.call(*inputs, self_=self_)  # type: ignore[arg-type]
        if inputs and not any(types):
            return made
        with recording():
            if not self.is_nested(tuple(types)):
                return made
            outputs = self.shape(*types)
        single = isinstance(outputs, Tensor) or len(outputs) == 1
        return f"flattened({made})[0]" if single else f"flattened({made})"

    def is_nested(self, inputs: tuple[Tensor | None, ...]) -> bool:
        """Do the outputs come in tuples within tuples, or one in a tuple?"""
        return self.asked(inputs).nested

    def flops(self, *inputs: Tensor) -> Size | None:
        return None  # torch does not tell, and nothing is guessed

    def applied(self, function: str, inputs: tuple[str | None, ...], /, **keywords: Any) -> str:
        """The source of its call on inputs: by position up to the first that is absent, then by name."""
        ports = self.ports()
        if any(port.variadic for port in ports):
            return call(function, *inputs, **keywords)
        text = []
        by_name = False
        for port, name in zip(ports, inputs, strict=True):
            by_name |= name is None or port.name in self.keyword_ports()
            if name is not None:
                text.append(f"{port.name}={name}" if by_name else name)
        return call(function, *text, **keywords)

    @classmethod
    def keyword_ports(cls) -> frozenset[str]:
        """The inputs that are given by name always."""
        return frozenset()


def tensors_only(ports: tuple[Port, ...], inputs: tuple[Tensor | None, ...]) -> None:
    """Refuse numbers where tensors are wanted."""
    for port, given in zip(ports, inputs, strict=False):
        if given is not None and given.weak:
            help = "make a tensor of it, as in `full([1], 0.5)`"
            raise ShapeError(f"`{port.name}` takes a tensor, not a number", about=(port.name,), help=help)


def fixed(value: Any) -> Any:
    """An argument as it is kept: lists as tuples, so that an operator can be hashed."""
    refuse_word(value)
    return tuple(map(fixed, value)) if isinstance(value, list | tuple) else value


def bare(value: Any) -> Any:
    """An argument as Python code takes it: without its label."""
    return tuple(map(bare, value)) if isinstance(value, list | tuple) else plain(value)
