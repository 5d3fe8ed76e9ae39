"""What arrives at a block, told in the block's own names.

A block sees sizes, not where they come from: a static size is a number, a symbolic one becomes
a symbol of the block's own, named as its free dimension where it has one. So all uses of a
block whose static sizes agree are one Graph, whatever the symbolic sizes around it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from archc.graph.ir import Bundle, Place, Ref, Type
from archc.graph.values import Target
from archc.lang.schema import Block, Input
from archc.lang.syntax import Dots, Name
from archc.shapes import EMPTY, Dim, Formula, Size, Tensor, labelled, plain, same, substitute, symbol, symbols


class Inside:
    """The translation from a caller's sizes to those of a called block, made as it goes."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.dims: dict[str, Size] = {}
        self.outside: dict[str, Size] = {}  # the same, as the caller's sizes
        self.sizes: dict[str, Place | None] = {}
        self.origins: dict[str, Size] = {}  # symbol inside -> size outside
        self._whole: dict[Dim, Dim] = {}  # size outside -> symbol inside
        self._symbols: dict[str, Dim] = {}  # bare symbol outside -> symbol inside
        self._anonymous = 0

    def arrive(self, types: Mapping[str, Type | None], open_: Collection[str]) -> dict[str, Type | None]:
        """The types of all inputs, translated. Free dimensions are bound first, from inputs that are
        surely there where there is a choice; what else there is follows from them where it can.

        Raises Mismatch where a free dimension is two sizes outside; what it stands on is recorded."""
        found: dict[str, list[Any]] = {}
        for bind in (True, False):
            for name in sorted(self.block.inputs, key=lambda n: n in open_):
                number = list(self.block.inputs).index(name)
                found[name] = self._members(number, self.block.inputs[name], types.get(name), bind)
        inner: dict[str, Type | None] = {}
        for name in self.block.inputs:
            arriving = types.get(name)
            bundled = isinstance(arriving, Bundle)
            inner[name] = Bundle(tuple(found[name])) if bundled else found[name][0] if arriving else None
        return inner

    def _members(self, number: int, declared: Input, arriving: Type | None, bind: bool) -> list[Tensor]:
        if arriving is None:
            return []
        if isinstance(arriving, Bundle):
            places = enumerate(arriving.members)
            return [self._tensor(declared, m, (Ref(number), i), bind) for i, m in places]
        return [self._tensor(declared, arriving, (Ref(number),), bind)]

    def _tensor(self, declared: Input, arriving: Tensor, where: tuple, bind: bool) -> Tensor:
        if arriving.shape is None:
            return arriving
        named = self._names(declared, len(arriving.shape))
        shape: list[Size] = []
        for axis, size in enumerate(arriving.shape):
            name = named.get(axis)
            if name is not None:
                shape.append(self._named(name, size, (*where, axis)))
            elif not bind:
                shape.append(self._translate(size, (*where, axis)) if isinstance(size, Dim) else plain(size))
        return Tensor(tuple(shape), arriving.dtype)

    def _names(self, declared: Input, rank: int) -> dict[int, str]:
        """The free dimensions that stand alone in an input's shape, by axis."""
        items = declared.shape
        if items is None:
            return {}
        dots = next((i for i, item in enumerate(items) if isinstance(item, Dots)), None)
        found = {}
        for index, item in enumerate(items):
            if isinstance(item, Name) and item.id in self.block.dims:
                axis = index if dots is None or index < dots else index - len(items) + rank
                found[axis] = item.id
        return found

    def _named(self, name: str, size: Size, place: Place | None) -> Size:
        """The size at a place where a free dimension stands alone: outside it must be the same wherever
        it stands."""
        if name in self.dims:
            same(self.outside[name], size)
            return self.dims[name]
        self.outside[name] = size
        inner: Size = labelled(plain(size), name)
        if isinstance(size, Dim):
            inner = symbol(name, EMPTY if name in self.block.empty else None)
            self._bind(inner, name, size, place)
        self.dims[name] = inner
        return inner

    def _bind(self, inner: Dim, name: str, size: Size, place: Place | None) -> None:
        self.sizes[name] = place
        self.origins[name] = size
        assert isinstance(size, Dim)
        self._whole.setdefault(size, inner)
        if str(size) in symbols(size):
            self._symbols.setdefault(str(size), inner)

    def _translate(self, size: Dim, place: Place | None, name: str | None = None) -> Size:
        """A size in symbols that are there already, else a symbol of its own."""
        if size in self._whole:
            return self._whole[size]
        used = symbols(size)
        if used <= self._symbols.keys():
            return substitute(size, {s: self._symbols[s] for s in used})
        inner = symbol(name) if name else symbol(self._unused(), "the block gives it no name")
        name = str(inner)
        self._bind(inner, name, size, place)
        return inner

    def _unused(self) -> str:
        while True:
            self._anonymous += 1
            name = f"n{self._anonymous}"
            if name not in self.block.params and name not in self.block.let:
                return name

    def number(self, name: str, value: Any) -> Any:
        """A param's value inside: labelled with its name, symbolic sizes translated."""
        return self._number(value, name, name)

    def _number(self, value: Any, label: str | None, name: str | None) -> Any:
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return value
        if isinstance(value, int | float):
            return labelled(plain(value), label) if label else plain(value)
        if isinstance(value, Dim):
            return self._translate(value, None, name)
        if isinstance(value, Formula):
            return substitute(value, {s: self._translate(symbol(s), None) for s in symbols(value)})
        if isinstance(value, list | tuple):
            return [self._number(v, label and f"{label}[{i}]", None) for i, v in enumerate(value)]
        if isinstance(value, Target):
            given = tuple(type(a)(a.name, self._number(a.value, None, None), a.span) for a in value.arguments)
            return Target(value.name, value.what, given, value.span)
        raise AssertionError(f"no number: {value!r}")
