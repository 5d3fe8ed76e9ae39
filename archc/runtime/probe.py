"""What a layer of torch.nn makes of its inputs' types, asked of torch itself.

The layer runs on tensors without memory, once with symbolic sizes, which gives the shapes as
expressions, and then with plain sizes, which must agree. What torch tells differently from size to
size is not guessed: `Unknown` says why.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from archc.ops.base import Weight
from archc.shapes import Dim, Size, Tensor, evaluate, python, symbol, symbols

TRIALS = 12
LARGEST = 24


class Unknown(ValueError):
    """torch gives no shape that holds for all sizes; the message says why."""


class Refused(ValueError):
    """torch refuses the layer, its arguments or these inputs; the message is torch's."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The types of a layer's outputs, in order, and its weights by name.

    The types hold wherever torch takes the inputs; `refuses` is an example of sizes for which it
    does not, and why, where one was found."""

    outputs: tuple[Tensor, ...]
    weights: dict[str, Weight]
    refuses: str | None = None


def probe(
    layer: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    inputs: Sequence[Tensor] = (),
) -> Probed:
    """The outputs' types and the weights of `nn.LAYER(*args, **kwargs)` applied to inputs.

    Raises Refused where torch refuses, Unknown where it gives no shape for all sizes.

    >>> B = symbol("B")
    >>> found = probe("Linear", (8, 4), {}, [Tensor((B, 8))])
    >>> print(*found.outputs, sorted(found.weights))
    [B, 4] ['bias', 'weight']
    """
    kind = getattr(nn, layer, None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise Refused(f"there is no layer `nn.{layer}`")
    for given in inputs:
        if given.shape is None:
            raise Unknown("the rank of an input is unknown")
    try:
        with torch.device("meta"):
            built = kind(*args, **dict(kwargs or {})).eval()
    except Exception as error:  # whatever torch makes of wrong arguments
        raise Refused(_first_line(error)) from error
    names = sorted(set().union(*(symbols(s) for t in inputs for s in t.shape or ())))
    outputs = _symbolic(built, inputs, names) if names else _plain(built, inputs, {})
    refuses = _verify(built, inputs, names, outputs) if names else None
    return Probed(outputs, _weights(built), refuses)


def _weights(built: nn.Module) -> dict[str, Weight]:
    found: dict[str, Weight] = {}
    for name, tensor in built.named_parameters():
        found[name] = Weight(tuple(tensor.shape), trainable=tensor.requires_grad)
    kept = built.state_dict().keys()
    for name, tensor in built.named_buffers():
        found[name] = Weight(
            tuple(tensor.shape), _dtype(tensor.dtype), buffer=True, trainable=False, persistent=name in kept
        )
    return found


# --- running -------------------------------------------------------------------------------


def _plain(built: nn.Module, inputs: Sequence[Tensor], sizes: Mapping[str, int]) -> tuple[Tensor, ...]:
    """The outputs for plain sizes; raises Refused."""
    arguments = [
        torch.empty([int(evaluate(s, sizes)) for s in t.shape or ()], dtype=_torch(t.dtype), device="meta")
        for t in inputs
    ]
    try:
        with torch.no_grad():
            made = built(*arguments)
    except Exception as error:  # whatever torch makes of wrong inputs
        raise Refused(_first_line(error)) from error
    return tuple(Tensor(tuple(t.shape), _dtype(t.dtype)) for t in _tensors(made))


def _verify(
    built: nn.Module, inputs: Sequence[Tensor], names: Sequence[str], outputs: Sequence[Tensor]
) -> str | None:
    """Hold the symbolic shapes against those of plain sizes; raises Unknown, and Refused where no
    sizes are taken. Tells sizes that are refused."""
    draw = random.Random(0)
    refuses = None
    taken = 0
    for _ in range(TRIALS):
        sizes = {name: draw.randint(1, LARGEST) for name in names}
        where = ", ".join(f"{n} = {v}" for n, v in sizes.items())
        try:
            found = _plain(built, inputs, sizes)
        except Refused as refused:
            refuses = refuses or f"for {where}: {refused}"
            continue
        taken += 1
        expected = [tuple(int(evaluate(s, sizes)) for s in t.shape or ()) for t in outputs]
        if [t.shape for t in found] != expected:
            raise Unknown("torch gives no shape that holds for all sizes; give the sizes that are free")
    if not taken:
        raise Refused(str(refuses))
    return refuses


def _symbolic(built: nn.Module, inputs: Sequence[Tensor], names: Sequence[str]) -> tuple[Tensor, ...]:
    """The outputs for sizes that are symbols; raises Unknown."""
    from torch._dynamo.source import ConstantSource
    from torch._subclasses import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv

    environment = ShapeEnv()
    known: dict[str, Any] = {}
    dims: dict[Any, Dim] = {}
    for at, name in enumerate(names):
        source = ConstantSource(name)
        # The hints are large, unlike each other and even, so that no special case is taken.
        hint = 2 * (101 + 13 * at)
        own = environment.create_symbol(
            hint, source, DimDynamic.DYNAMIC, None, positive=True, do_not_specialize_zero_one=True
        )
        known[name] = environment.create_symintnode(own, hint=hint, source=source)
        dims[own] = symbol(name)
    mode = FakeTensorMode(shape_env=environment, allow_non_fake_inputs=True)
    try:
        with mode, torch.no_grad():
            arguments = [
                torch.empty([_sized(s, known) for s in t.shape or ()], dtype=_torch(t.dtype), device="meta")
                for t in inputs
            ]
            made = built(*arguments)
            shapes = [[_size(n, dims) for n in t.shape] for t in _tensors(made)]
            return tuple(
                Tensor(tuple(s), _dtype(t.dtype)) for s, t in zip(shapes, _tensors(made), strict=True)
            )
    except Exception as error:  # whatever torch makes of sizes that it does not know
        raise Unknown(_first_line(error)) from error


def _sized(size: Size, known: Mapping[str, Any]) -> Any:
    """A size with torch's symbols for ours."""
    return eval(python(size), {"__builtins__": {}, **known}) if isinstance(size, Dim) else int(size)


def _size(size: Any, dims: Mapping[Any, Dim]) -> Size:
    """A size of torch's as ours; raises ValueError where it has parts that we do not have."""
    return int(size) if isinstance(size, int) else _of(size.node.expr, dims)


def _of(expression: Any, dims: Mapping[Any, Dim]) -> Size:
    if expression in dims:
        return dims[expression]
    if expression.is_Integer:
        return int(expression)
    name = type(expression).__name__
    parts = [_of(a, dims) for a in expression.args]
    if name == "Add":
        return sum(parts[1:], parts[0])
    if name == "Mul":
        product: Size = 1
        for part in parts:
            product = product * part
        return product
    if name == "Pow" and isinstance(parts[1], int) and parts[1] > 0:
        return parts[0] ** parts[1]
    if name in ("FloorDiv", "CleanDiv"):
        return parts[0] // parts[1]
    if name in ("Mod", "PythonMod"):
        return parts[0] % parts[1]
    raise ValueError(f"torch gives a size with `{name}`")


# --- between torch's types and ours --------------------------------------------------------


def _tensors(made: Any) -> list[torch.Tensor]:
    if isinstance(made, torch.Tensor):
        return [made]
    return [t for part in made if part is not None for t in _tensors(part)]


def _torch(dtype: str) -> torch.dtype:
    return torch.get_default_dtype() if dtype == "float" else getattr(torch, dtype)


def _dtype(dtype: torch.dtype) -> str:
    return "float" if dtype is torch.get_default_dtype() else str(dtype).removeprefix("torch.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
