"""Running torch on tensors whose sizes are symbols, to read the sizes of what comes out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import torch

from archc.ops.resize import scaled
from archc.shapes import Dim, Size, maximum, minimum, python, substitute, symbol


class Cannot(ValueError):
    """torch cannot run on sizes that it does not know, or tells sizes of a kind that we do not have."""


Apply = Callable[[Sequence[Any], Mapping[str, Any]], tuple[list[Any], bool]]


def run_symbolic(
    apply: Apply,
    inputs: Sequence[tuple[tuple[Size, ...], torch.dtype] | None],
    kwargs: Mapping[str, Any],
    names: Sequence[str],
) -> tuple[list[tuple[tuple[Size, ...], torch.dtype]], bool]:
    """The shapes and dtypes of what `apply` makes of tensors of these shapes, over the symbols `names`,
    and what else it tells. Raises Cannot."""
    from torch._dispatch.python import enable_python_dispatcher
    from torch._dynamo.source import ConstantSource
    from torch._subclasses import FakeTensorMode
    from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv

    environment = ShapeEnv()
    known: dict[str, Any] = {}
    short: dict[str, Dim] = {}
    dims: dict[Any, Dim] = {}
    for at, name in enumerate(names):
        source = ConstantSource(f"n{at}")
        # The hints are large, unlike each other and even, so that no special case is taken.
        hint = 2 * (101 + 13 * at)
        own = environment.create_symbol(
            hint, source, DimDynamic.DYNAMIC, None, positive=True, do_not_specialize_zero_one=True
        )
        known[f"n{at}"] = environment.create_symintnode(own, hint=hint, source=source)
        short[name] = symbol(f"n{at}")
        dims[own] = symbol(name)

    def sized(value: Any) -> Any:
        """A size with torch's symbols for ours."""
        if isinstance(value, tuple):
            return tuple(map(sized, value))
        if not isinstance(value, Dim):
            return value
        return eval(python(substitute(value, short)), {"__builtins__": {}}, known)

    mode = FakeTensorMode(shape_env=environment, allow_non_fake_inputs=True)
    try:
        # The Python dispatcher takes composite operators apart without asking for their sizes.
        with _silent(), mode, enable_python_dispatcher():
            tensors = [
                None if t is None else torch.empty(sized(t[0]), dtype=t[1], device="meta") for t in inputs
            ]
            made, more = apply(tensors, {name: sized(value) for name, value in kwargs.items()})
            return [(tuple(_size(n, dims) for n in t.shape), t.dtype) for t in made], more
    except Exception as error:  # whatever torch makes of sizes that it does not know
        raise Cannot((str(error).strip() or type(error).__name__).splitlines()[0]) from error


@contextmanager
def _silent() -> Iterator[None]:
    """torch logs what fails in tensors without memory; here that is an answer."""
    log = logging.getLogger("torch._subclasses.fake_tensor")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before


def _size(size: Any, dims: Mapping[Any, Dim]) -> Size:
    """A size of torch's as ours; raises Cannot where it has parts that we do not have."""
    return int(size) if isinstance(size, int) else _of(size.node.expr, dims)


def _of(expression: Any, dims: Mapping[Any, Dim]) -> Size:
    if expression in dims:
        return dims[expression]
    if expression.is_Integer:
        return int(expression)
    if expression.is_Symbol:  # one that torch made up while it ran
        raise Cannot("sizes depend on the values of its inputs, not on their sizes alone")
    name = type(expression).__name__
    if name in ("TruncToInt", "FloorToInt"):
        return _scaled(expression.args[0], dims)
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
    if name in ("Max", "Min"):
        return (maximum if name == "Max" else minimum)(*parts)
    raise Cannot(f"torch gives a size with `{name}`")


def _scaled(expression: Any, dims: Mapping[Any, Dim]) -> Size:
    """A size times a fraction, cut off."""
    factors = [a for a in expression.args if a.is_number]
    sizes = [a for a in expression.args if type(a).__name__ == "ToFloat"]
    if type(expression).__name__ != "Mul" or len(factors) != 1 or len(expression.args) != 2 or not sizes:
        raise Cannot("torch gives a size that is a rounded fraction")
    factor = float(factors[0])
    number = int(factor) if Fraction(factor).denominator == 1 else factor
    return scaled(_of(sizes[0].args[0], dims), number)
