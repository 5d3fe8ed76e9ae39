"""Patterns as plain PyTorch: the shortest chain of views that takes one side to the other."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from archc.ops.pattern import ELLIPSIS, Entry, Pattern, PatternError, Product, atoms


class View:
    """A tensor on its way from one arrangement of its axes to another.

    `axes` are its axes in order, brackets where several are still one, `text` the source that
    yields it. Axes are counted from the front, those after a `...` from the back, so that the text
    holds for any rank.
    """

    def __init__(self, text: str, axes: Iterable[Entry]):
        self.text = text
        self.axes: list[Entry] = list(axes)

    def at(self, index: int, last: bool = False) -> int:
        """The number by which PyTorch knows the axis at `index`; of `...` its first, or its last."""
        behind = ELLIPSIS in self.axes[: index + last]
        return index - len(self.axes) if behind else index

    def unflatten(self, brackets: Container[Entry], sizes: Mapping[str, str]) -> None:
        """Open these brackets; an axis without a size in `sizes` takes what is left."""
        for index in reversed(range(len(self.axes))):
            entry = self.axes[index]
            if isinstance(entry, tuple) and entry and entry in brackets:
                parts = ", ".join(sizes.get(axis, "-1") for axis in entry)
                self.text += f".unflatten({self.at(index)}, ({parts}))"
                self.axes[index : index + 1] = entry

    def squeeze(self) -> None:
        """Drop the units."""
        units = [self.at(i) for i, entry in enumerate(self.axes) if entry == ()]
        if units:
            self.text += f".squeeze({_axes_text(units)})"
            self.axes = [entry for entry in self.axes if entry != ()]

    def reduce(self, gone: Container[Entry], how: str, right: tuple[Entry, ...]) -> None:
        """Reduce the axes `gone`, keeping them as units where that is the whole way to `right`."""
        kept: list[Entry] = [() if axis in gone else axis for axis in self.axes]
        numbers = _axes_text([self.at(i) for i, axis in enumerate(self.axes) if axis in gone])
        if tuple(kept) == right:
            self.text += f".{how}({numbers}, keepdim=True)"
            self.axes = kept
        else:
            self.text += f".{how}({numbers})"
            self.axes = [axis for axis in self.axes if axis not in gone]

    def permute(self, order: list[Entry]) -> None:
        """Bring the axes into this order."""
        if self.axes == order:
            return
        moved = [i for i, axis in enumerate(order) if self.axes[i] != axis]
        if len(moved) == 2 and ELLIPSIS not in (order[i] for i in moved):
            self.text += f".transpose({self.at(moved[0])}, {self.at(moved[1])})"
        elif ELLIPSIS not in order:
            self.text += f".permute({', '.join(str(self.axes.index(axis)) for axis in order)})"
        else:
            staying = _in_order([self.axes.index(axis) for axis in order], self.axes.index(ELLIPSIS))
            moving = [axis for axis in order if self.axes.index(axis) not in staying]
            there = [self.at(self.axes.index(axis)) for axis in moving]
            goal = View("", order)
            here = [goal.at(order.index(axis)) for axis in moving]
            self.text += f".movedim({_axes_text(there)}, {_axes_text(here)})"
        self.axes = list(order)

    def insert(self, order: list[Entry], sizes: Mapping[str, str]) -> None:
        """Put in the units of `order` and the axes that are new in it, these in their `sizes`."""
        if self.axes == order:
            return
        old = iter(self.axes)
        expected = next(old, None)
        index = []
        for entry in order:
            if entry == expected:
                index.append(ELLIPSIS if entry == ELLIPSIS else ":")
                expected = next(old, None)
            else:
                index.append("None")
        new = [i for i, entry in enumerate(order) if index[i] == "None" and entry != ()]
        expanded = [sizes[str(entry)] if i in new else "-1" for i, entry in enumerate(order)]
        while index[-1] == ":" and ELLIPSIS not in index:
            index.pop()
        if index[-1] == ELLIPSIS:
            index.pop()
        self.text += f"[{', '.join(index)}]"
        self.axes = list(order)
        if new and ELLIPSIS not in order:
            self.text += f".expand({', '.join(expanded)})"
            return
        for i in new:  # the rank is unknown, so `expand` cannot be told the other axes
            self.text += f".repeat_interleave({expanded[i]}, {self.at(i)})"

    def flatten(self, brackets: Iterable[Entry]) -> None:
        """Close those of the brackets whose axes stand together in order."""
        for bracket in reversed(list(brackets)):
            if not isinstance(bracket, tuple) or not bracket or bracket in self.axes:
                continue
            run = self._run(bracket)
            if run is None:
                continue
            start, end = run
            if end < len(self.axes):
                numbers = f"{self.at(start)}, {self.at(end - 1, last=True)}"
            else:
                numbers = "" if start == 0 else str(self.at(start))
            self.text += f".flatten({numbers})"
            self.axes[start:end] = [bracket]

    def _run(self, bracket: tuple[str, ...]) -> tuple[int, int] | None:
        for start in range(len(self.axes)):
            for end in range(start + 1, len(self.axes) + 1):
                if tuple(atoms(self.axes[start:end])) == bracket and () not in self.axes[start:end]:
                    return start, end
        return None


def lower(x: str, pattern: Pattern, sizes: Mapping[str, str], how: str = "", rank: int | None = None) -> str:
    """The source that takes `x` from the left of a pattern to its right.

    `sizes` are the sources of the sizes that are given; `how` the method that reduces the axes
    which the right lacks; `rank` that of `x`, where it is known.

    >>> from archc.ops.pattern import parse
    >>> lower("x", parse("b (h w) c -> b c h w"), {"h": "8"})
    'x.transpose(1, 2).unflatten(2, (8, -1))'
    >>> lower("x", parse("b c -> b c 1 1"), {})
    'x[:, :, None, None]'
    """
    left, right = _pair_units(pattern.left, pattern.right)
    new = set(atoms(right)) - set(atoms(left))
    if rank is not None and (new or (ELLIPSIS,) in right):
        left, right = _unroll(left, right, rank)
    sizes = {**sizes, **{name: str(n) for name, n in pattern.numbers.items()}}
    wanted = list(atoms(right))
    view = View(x, left)

    whole = [e for e in left if isinstance(e, tuple) and _is_run(e, wanted)]
    view.unflatten([e for e in left if e not in whole], sizes)
    if gone := [axis for axis in view.axes if axis != () and not set(atoms([axis])) & set(wanted)]:
        view.reduce(gone, how, right)
    view.flatten(right)  # before the axes are moved it is a view, afterwards often a copy
    if tuple(view.axes) != right:
        if view.axes.count(()) != right.count(()) or new:
            view.squeeze()
        order = sorted((e for e in view.axes if e != ()), key=lambda e: wanted.index(next(atoms([e]))))
        view.permute(order)
        within = [e for e in right if isinstance(e, tuple)]
        view.unflatten([e for e in whole if not any(_is_run(e, w) for w in within)], sizes)
        view.insert(_with_new(view.axes, right, new), sizes)
        view.flatten(right)
    return view.text


def _is_run(part: tuple[str, ...], axes: Sequence[str]) -> bool:
    """Do the axes of `part` stand together in this order?"""
    return bool(part) and any(tuple(axes[i : i + len(part)]) == part for i in range(len(axes)))


def _with_new(axes: list[Entry], right: tuple[Entry, ...], new: set[str]) -> list[Entry]:
    """The order of `axes` with the units and new axes of `right` in their places."""
    order: list[Entry] = []
    left = iter(axes)
    covered: set[str] = set()
    for entry in right:
        if entry == ():
            order.append(())
        for atom in atoms([entry]):
            if atom in new:
                order.append(atom)
            elif atom not in covered:
                order.append(next(left))
                covered |= set(atoms(order[-1:]))
    return order


def _unroll(left: tuple[Entry, ...], right: tuple[Entry, ...], rank: int) -> tuple[tuple[Entry, ...], ...]:
    """Both sides with an axis each in place of `...`."""
    count = rank - len(left) + (ELLIPSIS in left)
    names = tuple(f"{ELLIPSIS}{i}" for i in range(count))

    def unrolled(side: tuple[Entry, ...]) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        for entry in side:
            if entry == ELLIPSIS:
                entries += names
            elif isinstance(entry, tuple) and ELLIPSIS in entry:
                i = entry.index(ELLIPSIS)
                axes = (*entry[:i], *names, *entry[i + 1 :])
                entries.append(axes[0] if len(axes) == 1 else axes)
            else:
                entries.append(entry)
        return tuple(entries)

    return unrolled(left), unrolled(right)


def lower_product(operands: list[str], product: Product) -> str:
    """`torch.einsum` with one letter an axis: its first, where that is free.

    >>> from archc.ops.pattern import parse_product
    >>> lower_product(["q", "k"], parse_product("b head i, b head j -> b head i j"))
    'torch.einsum("bhi,bhj->bhij", q, k)'
    """
    letters: dict[str, str] = {}
    names = [a for operand in product.operands for a in operand if a != ELLIPSIS]
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for name in sorted(dict.fromkeys(names), key=lambda name: len(name) > 1):
        free = [letter for letter in name[0] + alphabet if letter not in letters.values()]
        if not free:
            raise PatternError("torch.einsum knows 52 axes at most")
        letters[name] = free[0]
    letters[ELLIPSIS] = ELLIPSIS
    sides = ["".join(letters[a] for a in side) for side in (*product.operands, product.result)]
    equation = f"{','.join(sides[:-1])}->{sides[-1]}"
    return f'torch.einsum("{equation}", {", ".join(operands)})'


def _pair_units(left: tuple[Entry, ...], right: tuple[Entry, ...]) -> tuple[tuple[Entry, ...], ...]:
    """Give units names where both sides have as many, so that they move instead of being made anew."""
    if left.count(()) != right.count(()):
        return left, right

    def named(side: tuple[Entry, ...]) -> tuple[Entry, ...]:
        count = iter(range(len(side)))
        return tuple(f"1.unit{next(count)}" if entry == () else entry for entry in side)

    return named(left), named(right)


def _in_order(places: list[int], anchor: int) -> set[int]:
    """The longest rising run of `places` (not need be contiguous) that holds `anchor`."""
    centre = places.index(anchor)
    before = _longest([p for p in places[:centre] if p < anchor])
    after = _longest([p for p in places[centre:] if p > anchor])
    return {*before, anchor, *after}


def _longest(places: list[int]) -> list[int]:
    best: list[list[int]] = []
    for i, place in enumerate(places):
        runs = [best[j] for j in range(i) if places[j] < place]
        best.append([*max(runs, key=len, default=[]), place])
    return max(best, key=len, default=[])


def _axes_text(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"({', '.join(map(str, numbers))})"
