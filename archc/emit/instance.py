"""A block instance as code whose names are not settled: what it builds and what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archc.emit.coded import Coder, Slot, key
from archc.emit.flow import Flow, Flows
from archc.emit.loops import counted
from archc.emit.order import Step
from archc.emit.rewrites import rewritten
from archc.emit.series import series
from archc.emit.starts import Line, dotted, starts, weight
from archc.graph.attributes import attribute, module_source
from archc.graph.ir import Bundle, Copy, Graph, Member, Node
from archc.lang.walk import free_names
from archc.shapes import Dim, Formula, Num, Real
from archc.source.diagnostic import Diagnostic, SpecError
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.emit.classes import Class

# From this many equal copies in a row on, a list of copies counts them.
RUN = 3


@dataclass(slots=True)
class Instance:
    """The code of one Graph."""

    graph: Graph
    coder: Coder
    flow: Flow
    builds: list[Line] = field(default_factory=list)
    starts: list[Line] = field(default_factory=list)
    ties: list[Line] = field(default_factory=list)
    children: list[Class] = field(default_factory=list)
    helpers: dict[str, str] = field(default_factory=dict)
    folded: frozenset[str] = frozenset()
    shaping: set[str] = field(default_factory=set)

    def texts(self) -> Iterator[tuple[str, Step | None]]:
        """All coded texts, and of those of a forward the step."""
        for line in (*self.builds, *self.ties, *self.starts):
            yield line.text, None
        for step in all_steps(self.flow.steps):
            yield step.text, step

    def key(self) -> tuple:
        """Equal for instances that can share a class."""
        graph = self.graph
        built = tuple(
            tuple(key(line.text) for line in part) for part in (self.builds, self.starts, self.ties)
        )
        return (
            built,
            tuple(step.key() for step in self.flow.steps),
            self.flow.keywords,
            tuple(id(child) for child in self.children),
            tuple((n, r.node, n in graph.open, _many(graph, r)) for n, r in graph.inputs.items()),
            tuple((n, r, _many(graph, r)) for n, r in graph.outputs.items()),
        )

    def slots(self) -> list[tuple[int, Slot]]:
        """The numbers of its code, in the order of the text, with their coded indices."""
        found = []
        for text, _ in self.texts():
            for match in re.finditer(r"ν(\d+)", text):
                index = int(match[1])
                found.append((index, self.coder.slots[index]))
        return found


def all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    work = list(reversed(steps))
    while work:
        step = work.pop()
        yield step
        for arm in reversed(step.arms or ()):
            work += reversed(arm)


def _many(graph: Graph, ref: Any) -> bool:
    return hasattr(graph.type(ref), "members")


def instance(graph: Graph, class_of: Callable[[Graph], Class], strict: bool = False) -> Instance:
    """The code of a Graph whose called blocks have their classes already.

    `strict`: its operators as they are written, none in the place of others."""
    return _Writer(graph, class_of, graph.nodes if strict else rewritten(graph)).write()


class _Writer:
    def __init__(self, graph: Graph, class_of: Callable[[Graph], Class], nodes: Mapping[int, Node]) -> None:
        self.graph = graph
        self.nodes = nodes
        self.class_of = class_of
        self.coder = Coder(tuple(graph.sizes))
        self.made = Instance(graph, self.coder, Flow([]))
        self._counted: set[str] = set()

    def write(self) -> Instance:
        made = self.made
        # In the order of the spec, which is what a reader of both compares.
        order = {name: at for at, name in enumerate(self.graph.block.nodes)}
        members = self.graph.members.values()
        for member in sorted(members, key=lambda m: order.get(m.name, len(order))):
            text = self._member(member)
            if text is not None:
                made.builds.append(Line(member.span, f"self.{attribute(member)} = {text}"))
        for left, right in self.graph.ties:
            made.ties.append(Line(self._span(left), self._tie(left, right)))
        made.starts = list(starts(self.graph, self.coder, made.helpers, self._span))
        flows = Flows(self.graph, self.nodes, self.coder, self._keywords)
        made.flow = flows.flow()
        made.shaping = flows.shaping
        for node in self.nodes.values():
            made.helpers.update(getattr(getattr(node, "op", None), "helpers", {}))
        made.folded = self.graph.folded.union(self._literal_counts(), self._lost())
        return made

    def _keywords(self, graph: Graph) -> tuple[str, ...]:
        return self.class_of(graph).keywords

    # -- submodules ------------------------------------------------------------------------

    def _member(self, member: Member) -> str | None:
        """The source of a member's submodule; None where it has none."""
        for target in {id(c): c.target for c in member.copies}.values():
            self.made.helpers.update(getattr(target, "helpers", None) or {})
        self._check_uses(member)
        copies = tuple(copy for _, copy in member.owned)
        known = {id(c): self._mark(c) for c in {id(c): c for c in copies}.values()}
        marks = [known[id(c)] for c in copies]
        if all(m is None or m is BYPASSED for m in marks):
            return None
        if member.share or not member.arranged:
            return self._one(marks[0], copies[0])
        if any(m is None for m in marks if m is not BYPASSED):
            return self._listed(member, [BYPASSED if m is None else m for m in marks], copies)
        return self._listed(member, marks, copies)

    def _check_uses(self, member: Member) -> None:
        """All that one set of weights is applied to must need the same code."""
        if len(member.uses) == 1 and not (member.share and len(member.copies) > 1):
            return
        for index, copies in enumerate(zip(*member.uses, strict=True)):
            together = [c for use in member.uses for c in use] if member.share else copies
            if member.share:
                together = [c for c in together if c.target is not None] or together[:1]
            first, *others = {id(c): c for c in together}.values()
            for other in others:
                if self._code(first) != self._code(other):
                    raise SpecError([_differs(member, index)])

    def _code(self, copy: Copy) -> Any:
        mark = self._mark(copy)
        return (mark[0], [slot.value for slot in mark[1]]) if isinstance(mark, tuple) else mark

    def _mark(self, copy: Copy) -> Any:
        """What tells copies apart: the class and its arguments, or the operator's source."""
        if copy.target is None:
            return BYPASSED
        if not isinstance(copy.target, Graph):
            return module_source(copy)
        cls = self.class_of(copy.target)
        return cls, tuple(cls.values(copy))

    def _one(self, mark: Any, copy: Copy, number: dict[int, str] | None = None) -> str:
        """The source of one copy's submodule; `number` gives arguments another text."""
        if mark is BYPASSED:
            return "nn.Identity()"
        if isinstance(mark, str):
            return self.coder.text(mark, building=True)
        cls, values = mark
        if cls not in self.made.children:
            self.made.children.append(cls)
        parts = []
        for position, (argument, slot) in enumerate(zip(cls.arguments, values, strict=True)):
            text = (number or {}).get(position) or self.coder.slot(slot)
            parts.append(f"{argument.name}={text}" if argument.keyword else text)
        return f"κ{self.made.children.index(cls)}({', '.join(parts)})"

    def _listed(self, member: Member, marks: list[Any], copies: Sequence[Copy]) -> str:
        owned = "nn.ModuleList"
        first = next(m for m in marks if m is not BYPASSED)
        if isinstance(first, str) and first.startswith("nn.Parameter("):
            owned = "nn.ParameterList"
        if all(m == marks[0] for m in marks):
            count = self._count(member, len(marks))
            if len(marks) > 1 or self.coder.slots[int(count[1:])].label:
                return f"{owned}({self._one(marks[0], copies[0])} for _ in range({count}))"
        items: list[str] = []
        at = alike = 0
        while at < len(marks):
            end = at + 1
            while end < len(marks) and marks[end] == marks[at]:
                end += 1
            if at == alike:
                alike = at + 1
                while alike < len(marks) and _one_class(marks[at], marks[alike]):
                    alike += 1
                generator = self._series(marks[at:alike], copies[at:alike]) if alike > end else None
                if generator is not None:
                    if alike - at == len(marks):
                        return f"{owned}({generator})"
                    items.append(f"*({generator})")
                    at = alike
                    continue
            alike = max(alike, end)
            # A first copy and others after it, as in a stage, are one code for any number of others.
            if end - at >= (2 if at == 1 and end == len(marks) else RUN):
                one = self._one(marks[at], copies[at])
                items.append(f"*({one} for _ in range({self.coder.number(end - at)}))")
            else:
                items += [self._one(m, c) for m, c in zip(marks[at:end], copies[at:end], strict=True)]
            at = end
        return f"{owned}([{', '.join(items)}])"

    def _series(self, marks: Sequence[Any], copies: Sequence[Copy]) -> str | None:
        """Copies of one class that differ in numbers, as a generator over these."""
        cls, first = marks[0] if isinstance(marks[0], tuple) else (None, ())
        if cls is None or not first:
            return None
        numbers = {**self.graph.dims, **self.graph.params}
        names = [argument.name for argument in cls.arguments]
        return series(
            [values for _, values in marks],
            names,
            numbers,
            self.coder,
            lambda texts: self._one(marks[0], copies[0], texts),
        )

    def _count(self, member: Member, count: int) -> str:
        slot = counted(self.graph, member, count)
        if slot.label is not None:
            self._counted.add(member.name)
        return self.coder.slot(slot)

    def _literal_counts(self) -> Iterator[str]:
        """The names in numbers of copies that the code has as a length, not as a number."""
        for member in self.graph.members.values():
            repeat = member.spec and (member.spec.repeat or member.spec.parallel)
            if repeat and member.name not in self._counted and not member.share:
                clauses = getattr(repeat.count, "clauses", None)
                parts = [repeat.count] if clauses is None else [c.iterable for c in clauses]
                for part in [*parts, *(test for c in clauses or () for test in c.tests)]:
                    yield from free_names(part)

    def _lost(self) -> Iterator[str]:
        """The names in sizes whose texts had no room for them."""
        for node in self.graph.nodes.values():
            for output in node.outputs:
                kinds = output.type.members if isinstance(output.type, Bundle) else (output.type,)
                for size in (size for kind in kinds for size in kind.shape or ()):
                    yield from getattr(size, "lost", ())

    # -- weights ---------------------------------------------------------------------------

    def _span(self, path: str) -> Span:
        member = self.graph.members.get(path.split(".")[0])
        return member.span if member else next(iter(self.graph.members.values())).span

    def _tie(self, left: str, right: str) -> str:
        if dotted(left):
            return f"self.{left} = {weight(right)}"
        owner, attribute = left.rsplit(".", 1)
        return f'self.get_submodule("{owner}").{attribute} = {weight(right)}'


class _Bypassed:
    """Stands for a copy that is not there."""


BYPASSED = _Bypassed()


def _one_class(a: Any, b: Any) -> bool:
    """Are two copies called alike but for numbers?"""
    return isinstance(a, tuple) and isinstance(b, tuple) and a[0] is b[0]


def _differs(member: Member, index: int) -> Diagnostic:
    which = f"copy {index} of `{member.name}`" if member.arranged and not member.share else f"`{member.name}`"
    return Diagnostic(
        "A606",
        f"{which} is applied in two ways that need different code, and is one module",
        member.span,
        "give it the same inputs in each place, or use a node of its own",
    )


def slot_of(value: Any) -> Slot:
    """A number of the caller as it stands in its code."""
    if isinstance(value, (Num, Real)):
        return Slot(int(value) if isinstance(value, int) else float(value), value.label)
    assert not isinstance(value, (Dim, Formula)), "a run-time size is no argument of a class"
    return Slot(value)
