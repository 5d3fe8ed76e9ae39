"""Classes: the instances of a block that share one code, and the arguments that tell them apart.

A number of the block (a param, a free dimension) is an argument where every number that comes
from it can be written in its terms, the same in all instances. What cannot is a literal, and
then the names in it are no arguments either: a signature never lies. A number that differs
between instances and has no common text becomes an argument named after the torch argument.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from archc.emit.coded import Slot
from archc.emit.instance import Instance, all_steps, instance, slot_of
from archc.emit.modules import modules, roots
from archc.emit.names import RESERVED, Namespace
from archc.emit.roles import Role, roles_of
from archc.graph import labels
from archc.graph.ir import Copy, Graph
from archc.lang.walk import free_names
from archc.shapes import Guard, Tensor


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of `__init__`. It stands for the block's number `number`, or for the coded
    numbers at one place of the text (`place`)."""

    name: str
    type: str
    keyword: bool
    number: str | None = None
    place: int | None = None


@dataclass(slots=True, eq=False)
class Class:
    """A class to be written: `instances` share its code, that of the first."""

    instances: list[Instance] = field(default_factory=list)
    of: dict[Graph, Instance] = field(default_factory=dict)
    is_root: bool = False
    name: str = ""
    note: str = ""
    arguments: list[Argument] = field(default_factory=list)
    texts: dict[int, ast.expr | Argument | str] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)
    """The block's numbers that its code does not take as arguments: it holds for these numbers alone,
    or they are nothing to it."""
    shaping: set[str] = field(default_factory=set)
    """The arguments of which sizes of results may come, besides widths that weights have."""

    @property
    def first(self) -> Instance:
        return self.instances[0]

    def add(self, instance: Instance) -> None:
        self.instances.append(instance)
        self.of[instance.graph] = instance

    @property
    def keywords(self) -> tuple[str, ...]:
        return self.first.flow.keywords

    @property
    def modules(self) -> set[str]:
        """The names that imports of users' operators bind, as far as its code uses them."""
        return roots(name for made in self.instances for name in modules(made.graph))

    def values(self, copy: Copy) -> Iterator[Slot]:
        """The arguments for a copy that is an instance of this class, as numbers of the caller."""
        graph = copy.target
        assert isinstance(graph, Graph)
        own = self.of[graph]
        slots = None
        for argument in self.arguments:
            if argument.number is not None:
                numbers = {**graph.dims, **graph.params}
                yield slot_of(copy.numbers.get(argument.number, numbers[argument.number]))
            else:
                slots = slots or own.slots()
                assert argument.place is not None
                yield Slot(slots[argument.place][1].value)


def classes(root: Graph, strict: bool = False) -> list[Class]:
    """The classes of a Graph and of all that it calls, children first; `strict` as of `instance`."""
    of: dict[Graph, Class] = {}
    found: list[Class] = []
    for batch in _batches(root):
        groups: dict[tuple, Class] = {}
        for graph in batch:
            made = instance(graph, of.__getitem__, strict)
            group = groups.setdefault(made.key(), Class())
            group.add(made)
            of[graph] = group
        for group in groups.values():
            group.is_root = group is of.get(root)
            _sign(group, root.guards if group.is_root else ())
        found += groups.values()
    return found


def _batches(root: Graph) -> list[list[Graph]]:
    """Graphs by block, blocks after those that they call."""
    order: dict[Graph, None] = {}
    work: list[tuple[Graph, Iterator[Graph]]] = [(root, _called(root))]
    seen = {root}
    while work:
        graph, rest = work[-1]
        child = next((g for g in rest if g not in seen), None)
        if child is None:
            order[graph] = None
            work.pop()
        else:
            seen.add(child)
            work.append((child, _called(child)))
    by_block: dict[Any, list[Graph]] = {}
    for graph in order:
        by_block.setdefault(id(graph.block), []).append(graph)
    needs = {b: {id(c.block) for g in graphs for c in _called(g)} for b, graphs in by_block.items()}
    batches: list[list[Graph]] = []
    done: set[Any] = set()
    while len(done) < len(by_block):
        ready = [b for b in by_block if b not in done and needs[b] <= done]
        if not ready:  # a block that is given to itself as an `op` param: no two instances at once
            left = [g for b in by_block if b not in done for g in by_block[b]]
            return batches + [[g] for g in order if g in left]
        batches += [by_block[b] for b in ready]
        done.update(ready)
    return batches


def _called(graph: Graph) -> Iterator[Graph]:
    for member in graph.members.values():
        for copies in member.uses:
            last = None
            for copy in copies:
                if copy is not last and isinstance(copy.target, Graph):
                    yield copy.target
                last = copy


# --- signatures ----------------------------------------------------------------------------


def _sign(cls: Class, guards: Sequence[Guard] = ()) -> None:
    """Settle a class's arguments and what stands for each coded number of its first instance.

    `guards`: conditions that the class checks, whose numbers are literals."""
    _switch_off(cls)
    roles = roles_of(cls.first)
    rows = [i.slots() for i in cls.instances]
    columns: list[list[Slot]] = [[row[at][1] for row in rows] for at in range(len(rows[0]))]
    numbers = [{**i.graph.dims, **i.graph.params} for i in cls.instances]
    texts = [_common_label(column, numbers) for column in columns]
    allowed = _candidates(cls, numbers)
    # What a number without a common text comes from is folded in; so is all that its text names.
    barred: set[str] = set()
    for column, label in zip(columns, texts, strict=True):
        if label is None:
            barred |= _named(column)
    sizes = _input_labels(cls) if cls.is_root else []
    for label in sizes:
        if label is not None and labels.names(label) is None:
            barred |= _words(label)
    allowed -= barred | _swallowed(cls) | _guarded(cls, guards, texts, roles)
    while True:
        lost: set[str] = set()
        for label in (*texts, *sizes):
            names = labels.names(label) if label else None
            if names and not names <= allowed:
                lost |= names & allowed
        if not lost:
            break
        allowed -= lost
    cls.folded = set(numbers[0]) - allowed
    used: set[str] = set()
    places: list[tuple[int, list[int | float]]] = []
    decided: dict[int, str | tuple] = {}
    for at, (column, label) in enumerate(zip(columns, texts, strict=True)):
        names = labels.names(label) if label else None
        if label and names and names <= allowed:
            used |= names
            decided[at] = label
        elif any(s.value != column[0].value or type(s.value) is not type(column[0].value) for s in column):
            places.append((at, [s.value for s in column]))
    _arguments(cls, used, places, roles)
    by_place = {a.place: a for a in cls.arguments if a.place is not None}
    shared = {tuple(values): by_place[at] for at, values in places if at in by_place}
    different = {at: shared[tuple(values)] for at, values in places}
    for at, (index, slot) in enumerate(rows[0]):
        if at in decided:
            cls.texts[index] = decided[at]  # type: ignore[assignment]
        elif at in different:
            cls.texts[index] = different[at]
        else:
            cls.texts[index] = ast.Constant(slot.value)
    by_number = {a.number: a for a in cls.arguments}
    for index, text in cls.texts.items():
        if isinstance(text, ast.expr) or not any(r.shaping for r in roles[index]):
            continue
        names = [text] if isinstance(text, Argument) else [by_number[n] for n in labels.names(text) or ()]
        cls.shaping.update(a.name for a in names)


def _swallowed(cls: Class) -> set[str]:
    """The names in numbers that called blocks are given and do not take: they shaped their code. Of the
    sizes of what they are given, those that the code knows."""
    found: set[str] = set()
    for own in cls.instances:
        of = {graph: child for child in own.children for graph in child.of}
        copies = {id(c): c for m in own.graph.members.values() for use in m.uses for c in use}
        for copy in copies.values():
            if not isinstance(copy.target, Graph):
                continue
            taken = {a.number for a in of[copy.target].arguments}
            known = of[copy.target].folded.intersection(copy.target.dims) | copy.target.params.keys()
            given = {n: v for n, v in copy.numbers.items() if n in known - taken}
            for value in given.values():
                label = getattr(value, "label", None)
                found |= _words(label) if label else set()
    return found


def _guarded(
    cls: Class, guards: Sequence[Guard], texts: Sequence[str | None], roles: dict[int, list[Role]]
) -> set[str]:
    """The numbers that conditions on sizes may come from."""
    if not guards:
        return set()
    found: set[str] = set()
    for rule in cls.first.graph.block.require:
        found |= free_names(rule.condition)
    if any(g.message is None for g in guards):
        for (index, _), label in zip(cls.first.slots(), texts, strict=True):
            if label and any(r.shaping for r in roles[index]):
                found |= labels.names(label) or set()
    return found


def _switch_off(cls: Class) -> None:
    """Leave out what is random in training where it is off in all instances."""
    for steps in zip(*(all_steps(i.flow.steps) for i in cls.instances), strict=True):
        if steps[0].switch >= 0 or any(s.idle for s in steps):
            values = [
                i.coder.slots[s.switch].value if s.idle else 1
                for i, s in zip(cls.instances, steps, strict=True)
            ]
            if not any(values):
                for step in steps:
                    step.text = str(step.idle)


def _common_label(column: Sequence[Slot], numbers: Sequence[dict[str, Any]]) -> str | None:
    label = column[0].label
    if label is None or any(s.label != label for s in column):
        return None
    if any(labels.evaluate(label, n) != s.value for s, n in zip(column, numbers, strict=True)):
        return None
    return label


def _named(column: Iterable[Slot]) -> set[str]:
    """All names that stand in the texts of numbers, whatever the texts are."""
    found: set[str] = set()
    for slot in column:
        if slot.label is not None:
            found |= _words(slot.label)
    return found


def _words(label: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", label))


def _input_labels(cls: Class) -> list[str | None]:
    """The texts of the sizes of inputs, which the root checks."""
    graph = cls.first.graph
    kinds = [graph.type(ref) for ref in graph.inputs.values()]
    return [getattr(s, "label", None) for k in kinds if isinstance(k, Tensor) for s in k.shape or ()]


def _candidates(cls: Class, numbers: Sequence[dict[str, Any]]) -> set[str]:
    """The block's numbers that are plain numbers in all instances and not folded in anywhere."""
    found = {
        name
        for name in numbers[0]
        if all(isinstance(n.get(name), (int, float)) and not isinstance(n[name], bool) for n in numbers)
    }
    return found.difference(*(i.folded for i in cls.instances))


def _arguments(
    cls: Class,
    used: set[str],
    places: list[tuple[int, list[int | float]]],
    roles: dict[int, list[Role]],
) -> None:
    graph = cls.first.graph
    space = Namespace(RESERVED | cls.modules)
    optional = {n for n, p in graph.block.params.items() if p.default is not None}
    dims = [n for n in graph.block.dims if n in used]
    params = [n for n in graph.block.params if n in used]
    given = [*dims, *(p for p in params if p not in optional), *(p for p in params if p in optional)]
    names = {p: space.give(p, f"{p}_") for p in params}
    names |= {d: space.give(d.lower(), f"{d.lower()}_in") for d in dims}
    for number in given:
        values = [{**i.graph.dims, **i.graph.params}[number] for i in cls.instances]
        cls.arguments.append(Argument(names[number], _type(values), number in optional, number))
    seen: set[tuple] = set()
    for at, values in places:
        if tuple(values) not in seen:
            seen.add(tuple(values))
            role = roles[cls.first.slots()[at][0]][0]
            cls.arguments.append(Argument(space.give(*role.wishes()), _type(values), True, None, at))


def _type(values: Iterable[Any]) -> str:
    return "int" if all(isinstance(v, int) for v in values) else "float"
