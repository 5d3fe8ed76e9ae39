"""Indexing of tensors in flows, as Python writes it: `x[:, 0]`, `x[..., :n]`, `table[ids]`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from types import EllipsisType
from typing import Annotated, Any

from archc.ops.attributes import Valid, Wrong, integer, shown
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import py
from archc.ops.rules import enough, sizes
from archc.shapes import Dim, Size, Tensor, broadcast, decide, symbol


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step` of an index; sizes may be known only when the model runs."""

    start: Any = None
    stop: Any = None
    step: Any = None


@dataclass(frozen=True, slots=True)
class At:
    """A tensor as an index: the next of the operator's variadic inputs."""


AT = At()

_whole = integer(runtime=True)


def _step(step: Any) -> Any:
    if step is None:
        return None
    step = integer()(step)
    if step < 1:
        help = "`flip(axis)` reverses an axis" if step < 0 else None
        raise Wrong(f"a slice's step must be at least 1, not {shown(step)}", help, whole=True)
    return step


def _items(value: Any) -> tuple[Any, ...]:
    checked: list[Any] = []
    for item in value if isinstance(value, (list, tuple)) else (value,):
        if item is None or item is Ellipsis or isinstance(item, At):
            checked.append(item)
        elif isinstance(item, (Slice, slice)):
            start, stop = (b if b is None else _whole(b) for b in (item.start, item.stop))
            checked.append(Slice(start, stop, _step(item.step)))
        else:
            checked.append(_whole(item))
    if checked.count(Ellipsis) > 1:
        raise Wrong("`...` may stand once in an index", whole=True)
    return tuple(checked)


Items = Annotated[tuple[int | Dim | Slice | At | EllipsisType | None, ...], Valid(_items)]

_unknown = count(1)


def _example(inputs: str, *items: tuple[Any, ...]) -> Example:
    return Example(tuple(inputs.replace("] ", "]|").split("|")), {"items": items})


class Index(Op):
    """`x[items]`: ints take one element, slices a stretch, `null` adds an axis, `...` skips axes.

    An item `AT` is a tensor of whole numbers, or of truth values that choose elements: the next of
    `indices`. As `torch.Tensor.__getitem__`: tensors beside one another replace their axes by their
    broadcast shape, tensors apart put it first. Example: `x[:, 0]`.
    """

    new_sizes = True
    examples = (
        _example("[B, T, D]", (Slice(), 0), (0,), (Slice(), -1), (Ellipsis, 0), (9,), (-9,)),
        _example("[B, 5, D]", (Slice(), Slice(1, 4)), (Slice(), Slice(-3)), (Slice(), Slice(0, 9, 2))),
        _example(
            "[B, T]", (Slice(None, None, 2), Slice(None, 3)), (Slice(1), Slice(-2)), (None, Slice(), None)
        ),
        _example("[B, T]", (0, 0, 0), (Ellipsis, None), (0, Ellipsis, 0), ()),
        _example("[B, T, D, E] int64[N]", (AT,), (Slice(), AT), (0, Slice(), AT), (None, AT), (Ellipsis, AT)),
        _example("[B, T, D, E] int64[N] int64[M, 1]", (AT, AT), (AT, Slice(), AT), (Slice(), AT, AT)),
        _example("[B, T, D, E] int64[N] int64[M, 1]", (AT, None, AT), (AT, 0, AT), (Slice(), AT, AT, None)),
        _example("[B, T] float32[N]", (AT,)),
    )

    items: Items

    def shape(self, x: Tensor, *indices: Tensor) -> Tensor:
        shape = list(sizes(x))
        if x.weak:
            raise ShapeError("a number has no axes to index", about=("x",))
        tensors = iter(indices)
        items = [next(tensors) if item is AT else item for item in self.items]
        items = _spread_dots(items, len(shape), x)
        kept: list[Size | None] = []  # None: replaced by tensors
        chosen: list[tuple[Size, ...]] = []
        for item in items:
            if item is None:
                kept.append(1)
                continue
            if isinstance(item, Tensor) and item.dtype == "bool":
                chosen.append((_true_count(item, [shape.pop(0) for _ in item.shape or ()]),))
                kept.append(None)
                continue
            size = shape.pop(0)
            if isinstance(item, Slice):
                kept.append(_length(item, size))
            elif not isinstance(item, Tensor):
                _check_element(item, size)
            elif item.shape:
                chosen.append(item.shape)
                kept.append(None)
        return Tensor(_placed(kept + shape, chosen), x.dtype)

    def call(self, x: str, *indices: str, self_: str | None = None) -> str:
        names = iter(indices)
        return f"{x}[{', '.join(_text(item, names) for item in self.items) or '...'}]"

    def label(self, x: Tensor, *indices: Tensor) -> str:
        return self.call("", *("i" for _ in indices))


def _spread_dots(items: list[Any], rank: int, x: Tensor) -> list[Any]:
    """The items with `...` written out as full slices."""
    taken = sum(_axes_taken(item) for item in items)
    if taken > rank:
        raise ShapeError(f"the index takes {taken} axes and {x} has {rank}", about=("items",))
    if Ellipsis not in [i for i in items if not isinstance(i, Tensor)]:
        return items
    at = next(i for i, item in enumerate(items) if item is Ellipsis)
    return [*items[:at], *[Slice()] * (rank - taken), *items[at + 1 :]]


def _axes_taken(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    if not isinstance(item, Tensor):
        return 1
    if item.dtype not in ("int64", "int32", "bool"):
        message = f"an index must be int64, int32 or bool and is {item.dtype}"
        raise ShapeError(message, about=("indices",), help="cast it: `i -> cast(int64)`")
    shape = sizes(item, "indices")
    if item.dtype != "bool":
        return 1
    if not shape:
        raise ShapeError("a single truth value cannot be an index", about=("indices",))
    return len(shape)


def _true_count(mask: Tensor, masked: Sequence[Size]) -> Dim:
    from archc.ops.rules import equal

    for have, size in zip(mask.shape or (), masked, strict=True):
        equal(have, size, "the mask must have the sizes of what it masks", "indices", "x")
    return symbol(f"count{next(_unknown)}", "the number of elements that a mask chooses")


def _check_element(i: Any, size: Size) -> None:
    message = f"there is no element {i}, the axis has {size}"
    if _from_end(i):
        enough(size, -i, message, "items", "x")
    else:
        enough(size, i + 1, message, "items", "x")


def _from_end(bound: Size) -> bool:
    """Is it negative? A symbolic bound that may be either is held to be at least 0."""
    if not isinstance(bound, Dim):
        return bound < 0
    if decide(bound < 0) is True:
        return True
    enough(bound, 0, f"the bound {bound} of an index is negative", "items")
    return False


def _length(item: Slice, size: Size) -> Size:
    """The number of elements of a slice.

    Of known sizes as Python's; a symbolic axis must be long enough for the slice not to be cut short.
    """
    step = item.step or 1
    if item.start is None and item.stop is None and step == 1:
        return size  # itself, with its label
    if isinstance(size, int) and not isinstance(item.start, Dim) and not isinstance(item.stop, Dim):
        return len(range(*slice(item.start, item.stop, step).indices(size)))
    start = 0 if item.start is None else _position(item.start, size)
    stop = size if item.stop is None else _position(item.stop, size)
    enough(stop, start, f"the slice ends at {stop}, before its start {start}", "items", "x")
    return (stop - start + step - 1) // step


def _position(bound: Size, size: Size) -> Size:
    message = f"the slice's bound {bound} is outside of the axis of {size}"
    if _from_end(bound):
        enough(size, -bound, message, "items", "x")
        return size + bound
    enough(size, bound, message, "items", "x")
    return bound


def _placed(kept: Sequence[Size | None], chosen: Sequence[tuple[Size, ...]]) -> tuple[Size, ...]:
    """The sizes with the tensors' broadcast shape in place of their axes, or first where they are apart."""
    if not chosen:
        return tuple(size for size in kept if size is not None)
    taken = [i for i, size in enumerate(kept) if size is None]
    together = taken[-1] - taken[0] + 1 == len(taken)
    at = taken[0] if together else 0
    rest = [size for size in kept if size is not None]
    shape = broadcast(*chosen)
    assert shape is not None
    return (*rest[:at], *shape, *rest[at:])


def _text(item: Any, names: Any) -> str:
    if item is Ellipsis:
        return "..."
    if isinstance(item, At):
        return next(names)
    if not isinstance(item, Slice):
        return py(item)
    text = ":".join("" if bound is None else py(bound) for bound in (item.start, item.stop))
    return text if item.step in (None, 1) else f"{text}:{py(item.step)}"
