"""Operators that follow a pattern in einops' language."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import Choice, NamedSizes
from archc.ops.base import Example, Op, ShapeError
from archc.ops.pattern import (
    ELLIPSIS,
    Pattern,
    PatternError,
    PatternText,
    ProductText,
    Solved,
    atoms,
    axis_names,
    parse,
    parse_product,
    shape_of,
    solve,
)
from archc.ops.python import py
from archc.ops.rules import equal, floating, product, sizes
from archc.ops.view import lower, lower_product
from archc.shapes import Dim, Size, Tensor, broadcast, promote


class _Patterned(Op):
    """What the operators with a pattern of one input share."""

    spread: ClassVar[str | None] = "sizes"
    named_axes: ClassVar[bool] = True

    pattern: PatternText
    sizes: NamedSizes = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, _ in self.sizes:
            if name not in axis_names(self.pattern):
                wrong = PatternError(f"the pattern has no axis `{name}`")
                wrong.about = (name,)
                raise wrong
        self.check_sides(parse(self.pattern))
        return self

    def check_sides(self, pattern: Pattern) -> None:
        """Refuse a pattern whose sides do not go together; raises PatternError."""
        raise NotImplementedError

    def _sizes_text(self, pattern: Pattern) -> dict[str, str]:
        """The sizes' sources, without one that the axis tells: of a bracket's, a run-time one."""
        given = dict(self.sizes)
        for bracket in pattern.left:
            if isinstance(bracket, tuple) and all(
                axis in given or axis in pattern.numbers for axis in bracket
            ):
                runtime = [axis for axis in bracket if isinstance(given.get(axis), Dim)]
                for axis in runtime[:1]:
                    del given[axis]
        return {name: py(size) for name, size in given.items()}

    def _lower(self, x: str, how: str = "", rank: int | None = None) -> str:
        pattern = parse(self.pattern)
        return lower(x, pattern, self._sizes_text(pattern), how, rank)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return self._lower(x)

    def lower(
        self, inputs: Sequence[str | None], types: Sequence[Tensor | None], self_: str | None = None
    ) -> str:
        [x], [tensor] = inputs, types
        assert x is not None
        known = tensor is not None and tensor.shape is not None
        return self._lower(x, rank=len(tensor.shape) if known else None)  # type: ignore[union-attr,arg-type]

    def label(self, x: Tensor) -> str:
        return self.pattern


def _only(axes: set[str], side: str) -> None:
    """Refuse axes that stand on one side where both are to have the same."""
    for axis in sorted(axes):
        if axis[0].isdigit():
            number = axis.partition(".")[0]
            raise PatternError(f"`{number}` stands for an axis on one side only", "give the axis a name")
        raise PatternError(f"`{axis}` stands only {side} of the arrow")


class Rearrange(_Patterned):
    """Move, split and merge axes: `[B, N, H * D] -> [B, H, N, D]`, as `einops.rearrange` does.

    Left of the arrow stand the axes that arrive, right those that leave. Brackets split an axis
    on the left and merge axes on the right, `1` is an axis of size 1, `...` stands for any number
    of axes. Of the axes in a bracket on the left all sizes but one are given by name. An axis whose
    name is a number of the block has that size.

    Example: `rearrange("b n (h d) -> b h n d", h=heads)`
    """

    examples = (
        Example(
            ("[B, N, 12]",),
            {"pattern": ["b n (h d) -> b h n d", "... (h d) -> d h ..."], "sizes": [{"h": 3}, {"h": 4}]},
        ),
        Example(("[B, C, H, W]",), {"pattern": ["b c h w -> b (h w) c", "a ... c -> (a ...) 1 c"]}),
        Example(("[B, C, H]",), {"pattern": ["b c (h p) -> b h (c p)"], "sizes": [{"p": 2}]}),
    )

    def check_sides(self, pattern: Pattern) -> None:
        left, right = set(atoms(pattern.left)), set(atoms(pattern.right))
        _only(left - right, "left")
        _only(right - left, "right")

    def shape(self, x: Tensor) -> Tensor:
        pattern = parse(self.pattern)
        return Tensor(shape_of(pattern.right, solve(pattern, x, dict(self.sizes))), x.dtype)


class RepeatAxes(_Patterned):
    """Repeat values along new axes: `[B, C] -> [B, T, C]`, as `einops.repeat` does.

    An axis that stands only right of the arrow is new, and its size is given by name or is a number.

    Example: `repeat_axes("b c -> b t c", t=4)`
    """

    examples = (
        Example(
            ("[B, C]",),
            {"pattern": ["b c -> b t c", "b c -> (b t) c", "... -> ... t"], "sizes": [{"t": 1}, {"t": 3}]},
        ),
        Example(("[H, W]",), {"pattern": ["h w -> (h 2) (w 2)"]}),
    )

    def check_sides(self, pattern: Pattern) -> None:
        left, right = set(atoms(pattern.left)), set(atoms(pattern.right))
        _only(left - right, "left")
        for axis in sorted(right - left - {name for name, _ in self.sizes} - set(pattern.numbers)):
            raise PatternError(f"the size of `{axis}` must be given", f"give it by name: {axis}=...")

    def shape(self, x: Tensor) -> Tensor:
        pattern = parse(self.pattern)
        return Tensor(shape_of(pattern.right, solve(pattern, x, dict(self.sizes))), x.dtype)


class Reduce(_Patterned):
    """Reduce the axes that stand only left of the arrow: `[B, C, H, W] -> [B, C]`, as `einops.reduce`.

    Example: `reduce("b c (h 2) (w 2) -> b c h w", max)`
    """

    examples = (
        Example(
            ("[B, C, H, W]",),
            {"pattern": ["b c h w -> b c", "b c h w -> b c 1 1", "... w -> ..."], "how": ["mean", "max"]},
        ),
        Example(("[B, 4, H]",), {"pattern": ["b (c 2) h -> h c"], "how": ["sum", "min"]}),
    )

    pattern: PatternText
    how: Annotated[Literal["mean", "sum", "max", "min"], Choice()]
    sizes: NamedSizes = ()

    def check_sides(self, pattern: Pattern) -> None:
        left, right = set(atoms(pattern.left)), set(atoms(pattern.right))
        _only(right - left, "right")

    def shape(self, x: Tensor) -> Tensor:
        pattern = parse(self.pattern)
        solved = solve(pattern, x, dict(self.sizes))
        reduced = set(atoms(pattern.left)) - set(atoms(pattern.right))
        if self.how == "mean" and reduced:
            floating(x, complex=True)
        whole = x.dtype in ("bool", "int8", "int16", "int32", "uint8")
        dtype = "int64" if self.how == "sum" and whole and reduced else x.dtype
        if self.how in ("max", "min") and x.dtype.startswith("complex"):
            raise ShapeError(f"complex numbers have no {self.how}", about=("x",))
        return Tensor(shape_of(pattern.right, solved), dtype)

    def _lower(self, x: str, how: str = "", rank: int | None = None) -> str:
        return super()._lower(x, {"max": "amax", "min": "amin"}.get(self.how, self.how), rank)

    def label(self, x: Tensor) -> str:
        return f"{self.how} {self.pattern}"


class Einsum(Op):
    """Sum of products over named axes: `torch.einsum`, with whole words for axes.

    An axis that does not stand right of the arrow is summed over. An axis whose name is a number
    of the block has that size.

    Example: `q, k -> einsum("b head i d, b head j d -> b head i j")`
    """

    spread: ClassVar[str | None] = "sizes"
    named_axes: ClassVar[bool] = True
    examples = (
        Example(("[B, H, T, D]", "[B, H, S, D]"), {"pattern": ["b h t d, b h s d -> b h t s"]}),
        Example(("[B, T, D]", "[D, E]"), {"pattern": ["... d, d e -> ... e", "b t d, d e -> e b"]}),
        Example(("[B, T]",), {"pattern": ["b t -> b", "long short -> short long"]}),
    )

    pattern: ProductText
    sizes: NamedSizes = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, _ in self.sizes:
            if name not in axis_names(self.pattern):
                wrong = PatternError(f"the pattern has no axis `{name}`")
                wrong.about = (name,)
                raise wrong
        return self

    def _solve(self, xs: Sequence[Tensor]) -> Solved:
        operands = parse_product(self.pattern).operands
        if len(xs) != len(operands):
            counts = f"{len(operands)} operand{'s' * (len(operands) != 1)}"
            raise ShapeError(f"the pattern takes {counts}, not {len(xs)}", about=("pattern", "xs"))
        solved: Solved = {name: (size,) for name, size in self.sizes}
        for axes, x in zip(operands, xs, strict=True):
            shape = sizes(x, "xs")
            free = len(shape) - len(axes)
            if free < -1 or (free and ELLIPSIS not in axes):
                message = f"the pattern takes {len(axes)} axes of `{' '.join(axes)}`, which is {x}"
                raise ShapeError(message, about=("pattern", "xs"))
            position = 0
            for axis in axes:
                if axis == ELLIPSIS:
                    covered = shape[position : position + free + 1]
                    solved[axis] = broadcast(solved.get(axis, ()), covered) or ()
                    position += free + 1
                    continue
                size = shape[position]
                if axis in solved:
                    size = equal(solved[axis][0], size, f"axis `{axis}` has two sizes", "xs")
                solved[axis] = (size,)
                position += 1
        return solved

    def shape(self, *xs: Tensor) -> Tensor:
        solved = self._solve(xs)
        result = parse_product(self.pattern).result
        if xs[0].dtype == "bool":
            raise ShapeError("einsum takes no truth values", about=("xs",), help="cast them first")
        for x in xs[1:]:
            if x.dtype != xs[0].dtype:
                message = f"the operands must be of one dtype and are {xs[0].dtype} and {x.dtype}"
                raise ShapeError(message, about=("xs",), help="cast one of them first")
        return Tensor(shape_of(result, solved), promote(*xs))

    def call(self, *xs: str, self_: str | None = None) -> str:
        return lower_product(list(xs), parse_product(self.pattern))

    def flops(self, *xs: Tensor) -> Size:
        """Operands are multiplied from left to right; what sums over nothing is no matrix product."""
        solved = self._solve(xs)
        pattern = parse_product(self.pattern)
        total: Size = 0
        current = set(pattern.operands[0])
        for i, operand in enumerate(pattern.operands[1:], start=2):
            later = set(pattern.result).union(*pattern.operands[i:])
            shared = current & set(operand)
            current = {a for a in current | set(operand) if a in later or a in shared}
            if current - later:
                total += 2 * product(size for axis in current for size in solved[axis])
            current &= later
        return total

    def label(self, *xs: Tensor) -> str:
        return self.pattern
