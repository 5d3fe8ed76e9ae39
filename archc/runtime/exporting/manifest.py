"""What an exported file says of itself: the spec's names, shapes and guards, which whoever opens it checks.

Nothing of the compiler is imported here: an exported model starts with torch alone.
"""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

NAME = "archc.json"
"""The file in an archive, or the property of an ONNX model, that holds it."""

Size = int | str


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output: a tensor, or a bundle of tensors.

    `shapes` has one shape for each tensor, of numbers and of expressions over the free sizes; None where the
    rank is not known. `dtypes` go with it."""

    name: str
    dtypes: tuple[str, ...]
    shapes: tuple[tuple[Size, ...] | None, ...]
    bundle: bool = False

    @property
    def tensors(self) -> list[str]:
        """A name for each tensor: the port's, in a bundle with a number."""
        return [f"{self.name}_{at}" for at, _ in enumerate(self.shapes)] if self.bundle else [self.name]

    @property
    def described(self) -> str:
        """Its type, as a spec writes it; that of a bundle once, where all are alike."""
        texts = [
            f"{dtype}[{', '.join(map(str, shape)) if shape is not None else '...'}]"
            for dtype, shape in zip(self.dtypes, self.shapes, strict=True)
        ]
        if self.bundle and len(set(texts)) == 1:
            return f"{len(texts)} x {texts[0]}"
        return ", ".join(texts)

    def __str__(self) -> str:
        return f"{self.name}: {self.described}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an exported file takes and gives.

    `arguments` are the inputs of the spec in their order, `inputs` those that the file takes; the others are
    absent in it. `outputs` go with what a call returns, None where there is none without an absent input.
    `sizes` are the free sizes and `guards` what is asked of them, as Python expressions."""

    kind: str
    block: str
    device: str
    torch: str
    arguments: tuple[str, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[tuple[str, Port | None], ...]
    sizes: tuple[str, ...]
    guards: tuple[str, ...]

    def json(self) -> str:
        return json.dumps({"comment": "Written by archc", **asdict(self)}, indent=1)

    @classmethod
    def read(cls, text: str | bytes) -> Manifest:
        """The manifest that `json` wrote. Raises ValueError where a text is none."""
        try:
            found = json.loads(text)
            del found["comment"]
            found["inputs"] = tuple(_port(port) for port in found["inputs"])
            found["outputs"] = tuple((n, port and _port(port)) for n, port in found["outputs"])
            for key in ("arguments", "sizes", "guards"):
                found[key] = tuple(found[key])
            return cls(**found)
        except (KeyError, TypeError) as wrong:
            raise ValueError(f"what it says of itself is not what archc writes: {wrong}") from None

    def bind(self, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of a call by name, in the file's order: tensors, and lists of them for bundles.

        Raises TypeError for arguments that are missing or unknown, ValueError for shapes, dtypes and sizes
        that the file was not made for, as the model itself does.
        """
        values = self._arguments(positional, named)
        sizes: dict[str, int] = {}
        for port in self.inputs:
            tensors = list(values[port.name]) if port.bundle else [values[port.name]]
            if len(tensors) != len(port.shapes):
                raise ValueError(f"{port.name}: expected {len(port.shapes)} tensors, got {len(tensors)}")
            for tensor, dtype, shape in zip(tensors, port.dtypes, port.shapes, strict=True):
                _learn(port.name, tensor, dtype, shape, sizes)
        for port in self.inputs:
            tensors = values[port.name] if port.bundle else [values[port.name]]
            for tensor, shape in zip(tensors, port.shapes, strict=True):
                _check(port.name, tensor, shape, sizes)
        for guard in self.guards:
            if not expression(guard)(sizes):
                told = ", ".join(f"{name} = {size}" for name, size in sizes.items())
                raise ValueError(f"expected {guard}, got {told}")
        return {port.name: values[port.name] for port in self.inputs}

    def _arguments(self, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        if len(positional) > len(self.arguments):
            raise TypeError(f"expected at most {len(self.arguments)} inputs, got {len(positional)}")
        values = dict(zip(self.arguments, positional, strict=False))
        for name, value in named.items():
            if name not in self.arguments:
                raise TypeError(f"there is no input {name}; there are {', '.join(self.arguments)}")
            if name in values:
                raise TypeError(f"the input {name} is given twice")
            values[name] = value
        given = {name for name, value in values.items() if value is not None}
        taken = [port.name for port in self.inputs]
        if missing := [name for name in taken if name not in given]:
            raise TypeError(f"missing {', '.join(missing)}: the file was made with it given")
        if further := sorted(given - set(taken)):
            raise TypeError(f"{', '.join(further)}: the file was made without it; export with it given")
        return values

    def positional(self, values: Mapping[str, Any]) -> list[Any]:
        """The arguments of the model's own call: None for what is absent, up to the last that is given."""
        last = max(self.arguments.index(name) for name in values)
        return [values.get(name) for name in self.arguments[: last + 1]]

    def named_tensors(self, values: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """The tensors of a call by name; those of a bundle are numbered."""
        found: dict[str, torch.Tensor] = {}
        for port in self.inputs:
            found |= dict(
                zip(port.tensors, values[port.name] if port.bundle else [values[port.name]], strict=True)
            )
        return found

    def unpack(self, flat: Sequence[Any]) -> Any:
        """What the model would return: a tensor, or a tuple in the order of the outputs."""
        rest = iter(flat)
        found: list[Any] = []
        for _, port in self.outputs:
            if port is None:
                found.append(None)
            elif port.bundle:
                found.append([next(rest) for _ in port.shapes])
            else:
                found.append(next(rest))
        return found[0] if len(found) == 1 else tuple(found)


def _port(found: Mapping[str, Any]) -> Port:
    shapes = tuple(None if shape is None else tuple(shape) for shape in found["shapes"])
    return Port(found["name"], tuple(found["dtypes"]), shapes, found["bundle"])


def _learn(name: str, tensor: Any, dtype: str, shape: Any, sizes: dict[str, int]) -> None:
    """Look at the rank and dtype of a tensor, and find the free sizes that it tells."""
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if str(tensor.dtype) != f"torch.{dtype}":
        raise ValueError(f"{name}: expected {dtype}, got {str(tensor.dtype).removeprefix('torch.')}")
    if shape is None:
        return
    if tensor.ndim != len(shape):
        raise ValueError(_unlike(name, shape, tensor))
    for size, actual in zip(shape, tensor.shape, strict=True):
        if isinstance(size, str) and size.isidentifier():
            sizes.setdefault(size, actual)


def _check(name: str, tensor: torch.Tensor, shape: Any, sizes: Mapping[str, int]) -> None:
    for size, actual in zip(shape or (), tensor.shape, strict=False):
        if actual != (size if isinstance(size, int) else expression(size)(sizes)):
            raise ValueError(_unlike(name, shape, tensor))


def _unlike(name: str, shape: Sequence[Size], tensor: torch.Tensor) -> str:
    return f"{name}: expected [{', '.join(map(str, shape))}], got {list(tensor.shape)}"


# Expressions over sizes


_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}

Evaluated = Callable[[Mapping[str, int]], Any]


def expression(text: str) -> Evaluated:
    """A size or a condition over free sizes, as a function of these.

    Only arithmetic, comparisons, `and`, `or`, `not`, `... if ... else ...`, `min`, `max` and `abs`: a file
    cannot make its reader do anything else. Raises ValueError for all other text.

    >>> expression("H % 8 == 0 and W >= 2 * H")({"H": 16, "W": 32})
    True
    """
    try:
        return _compiled(ast.parse(text, mode="eval").body)
    except (SyntaxError, KeyError):
        raise ValueError(f"`{text}` is no expression over sizes") from None


def _compiled(tree: ast.expr) -> Evaluated:
    match tree:
        case ast.Constant(value=int() as value):
            return lambda sizes: value
        case ast.Name(id=name):
            return lambda sizes: sizes[name]
        case ast.UnaryOp(op=op, operand=inner):
            apply, value_of = _OPERATORS[type(op)], _compiled(inner)
            return lambda sizes: apply(value_of(sizes))
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            apply, a, b = _OPERATORS[type(op)], _compiled(left), _compiled(right)
            return lambda sizes: apply(a(sizes), b(sizes))
        case ast.BoolOp(op=op, values=values):
            parts = [_compiled(value) for value in values]
            joined = all if isinstance(op, ast.And) else any
            return lambda sizes: joined(part(sizes) for part in parts)
        case ast.IfExp(test=test, body=then, orelse=other):
            condition, a, b = _compiled(test), _compiled(then), _compiled(other)
            return lambda sizes: a(sizes) if condition(sizes) else b(sizes)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            function, operands = _FUNCTIONS[name], [_compiled(arg) for arg in args]
            return lambda sizes: function(*(value(sizes) for value in operands))
    raise KeyError(type(tree).__name__)
