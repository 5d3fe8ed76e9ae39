"""The forward of a block instance as steps: coded statements, and what each needs and makes.

A value that an optional input decides is made under `if it is not None`; a step says which
values must be there (`guard`), and `forward.py` joins neighbours of one guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from archc.emit.coded import Coder, Slot, key
from archc.emit.loops import Loops
from archc.emit.order import NONE, Guard, Step, Value, name, order
from archc.graph.attributes import attribute
from archc.graph.infer import operand_type
from archc.graph.ir import (
    Apply,
    Bundle,
    Call,
    Choose,
    Graph,
    Input,
    Node,
    Number,
    Operand,
    Pack,
    Pick,
    Read,
    Ref,
    Type,
    Wire,
)
from archc.graph.presence import MOST_OPEN_OPERANDS
from archc.shapes import Dim, Formula, plain

_ON = 0.71828182845  # stands for a probability that is not zero


@dataclass(slots=True)
class Flow:
    """The steps of a forward, in order, and the sizes that the caller must pass."""

    steps: list[Step]
    keywords: tuple[str, ...] = ()
    needs: dict[Value, Guard] = field(default_factory=dict)


class Flows:
    """Writes the flow of one Graph."""

    def __init__(self, graph: Graph, coder: Coder, keywords_of: Callable[[Graph], tuple[str, ...]]) -> None:
        self._graph = graph
        self._coder = coder
        self._needs: dict[Value, Guard] = {}
        self._loops = Loops(graph, coder, keywords_of, self.operand)
        self._keywords_of = keywords_of
        self.shaping: set[str] = set()
        """The members whose applications change sizes that are only known at run time."""

    def flow(self) -> Flow:
        steps: dict[str, Step] = {}
        owners: dict[str, str] = {}  # coded name -> the step that makes it
        for at in self._graph.nodes:
            node = self._graph.node(at)
            if isinstance(node, Input):
                self._needs[at, 0] = frozenset({(at, 0)}) if node.outputs[0].open else NONE
                continue
            made = self._step(at, node)
            self._judge(node, made)
            *parts, step = made
            for number, part in enumerate(parts):
                steps[f"ρ{at}.{number}"] = part
            steps[f"ρ{at}"] = step
            for out in range(len(node.outputs)):
                owners[f"ρ{at}_{out}"] = f"ρ{at}"
        keywords = []
        known: set[str] = set()
        while len(known) < len(self._coder.used_sizes):  # a place may be found by further sizes: never yet
            for size in list(self._coder.used_sizes):
                if size in known:
                    continue
                known.add(size)
                coded = self._coder.size(size)
                place = self._graph.sizes.get(size)
                if place is None:
                    keywords.append(size)
                    continue
                steps[coded] = self._size(coded, place)
                owners[coded] = coded
        return Flow(order(self._graph, steps, owners), tuple(sorted(keywords)), self._needs)

    def _judge(self, node: Node, steps: list[Step]) -> None:
        """Note whether run-time sizes may come of the numbers in a node's steps."""
        if not isinstance(node, (Apply, Call)):
            return
        operands = [a.operand if isinstance(a, Wire) else a for a in node.arguments]
        numbers = any(isinstance(o, Number) and isinstance(o.value, (Dim, Formula)) for o in operands)
        given = [self._graph.type(o) for o in operands if isinstance(o, Ref)]
        made = [output.type for output in node.outputs]
        if isinstance(node, Call) and self._graph.members[node.member].arranged == "repeat":
            given, made = given[:1], made[:1]
        if numbers or sizes_of(given) != sizes_of(made):
            scaling = isinstance(node, Apply) and node.op.kind == "resampling"
            for step in steps:
                step.shaping, step.scaling = True, scaling
            if node.member:
                self.shaping.add(node.member)

    def _size(self, coded: str, place: tuple) -> Step:
        ref, *index, axis = place
        value = name(ref) + "".join(f"[{i}]" for i in index)
        span = self._graph.node(ref).span
        guard = self._needs.get((ref.node, ref.out), NONE)
        return Step(span, f"{coded} = {value}.shape[{axis}]", (), guard)

    # -- nodes -----------------------------------------------------------------------------

    def operand(self, operand: Operand) -> str | None:
        """The coded text of an operand."""
        if operand is None:
            return None
        return name(operand) if isinstance(operand, Ref) else self._coder.number(operand.value)

    def _open(self, operand: Operand) -> bool:
        return isinstance(operand, Ref) and self._graph.node(operand).outputs[operand.out].open

    def _guard(self, operands: Iterable[Operand]) -> Guard:
        found: set[Value] = set()
        for operand in operands:
            if isinstance(operand, Ref) and self._open(operand):
                found |= self._needs[operand.node, operand.out]
        return frozenset(found)

    def _step(self, at: int, node) -> list[Step]:
        """The steps that make a node's values, one after the other."""
        makes = tuple((at, out) for out in range(len(node.outputs)))
        match node:
            case Apply():
                applied = self._apply(at, node, makes)
                step = applied if isinstance(applied, Step) else applied[0]
                if isinstance(applied, list):
                    self._needs.setdefault((at, 0), step.guard if node.outputs[0].open else NONE)
                    return applied
            case Call():
                step = self._call(at, node, makes)
            case Pack():
                packed = ", ".join(self._spread(item) for item in node.items)
                step = Step(node.span, f"ρ{at}_0 = [{packed}]", makes, self._guard(node.items))
            case Pick():
                text = f"ρ{at}_0 = {name(node.bundle)}[{_index(node.index)}]"
                step = Step(node.span, text, makes, self._guard([node.bundle]))
            case Choose():
                step = self._choose(at, node, makes)
            case Read():
                member = attribute(self._graph.members[node.member])
                weight = f".{node.attribute}" if node.attribute else ""
                step = Step(node.span, f"ρ{at}_0 = self.{member}{weight}", makes)
            case _:
                raise AssertionError(node)
        for value in makes:
            self._needs.setdefault(value, step.guard if node.outputs[value[1]].open else NONE)
        return [step]

    def _spread(self, item: Ref) -> str:
        return f"*{name(item)}" if self._is_bundle(item) else name(item)

    def _is_bundle(self, ref: Ref) -> bool:
        return hasattr(self._graph.type(ref), "members")

    # -- operators -------------------------------------------------------------------------

    def _apply(self, at: int, node: Apply, makes: tuple[Value, ...]) -> Step | list[Step]:
        ports = {p.name: p for p in node.op.ports()}
        names = node.ports or [p.name for p in node.op.ports()]
        pairs = list(zip(names, node.arguments, strict=True))
        guard = self._guard(a for port, a in pairs if not (ports[port].optional or ports[port].variadic))
        open_ = [
            i
            for i, (port, a) in enumerate(pairs)
            if (ports[port].optional or ports[port].variadic) and self._open(a)
        ]
        if not open_:
            return self._plain(at, node, makes, guard)
        if all(node.outputs[out].open for out in range(len(node.outputs))) and any(
            ports[pairs[i][0]].variadic for i in open_
        ):
            self._needs[at, 0] = frozenset({(at, 0)})
        if _adds(node):
            return self._sum(at, node, makes, guard)
        return Step(node.span, self._branches(at, node, open_), makes, guard)

    def _plain(self, at: int, node: Apply, makes: tuple[Value, ...], guard: Guard) -> Step:
        """An operator all of whose operands are there."""
        targets = _targets(at, node)
        if node.op.random and not getattr(node.op, "p", 1):
            # Off here, perhaps on in another instance: one code for both, and none where all are off.
            idle = f"{targets} = {self._lower(node)}"
            p = node.op.p  # type: ignore[attr-defined]
            text = self._lower(replace(node, op=node.op.model_copy(update={"p": _ON})))
            slots = self._coder.slots
            switch = next(i for i in reversed(range(len(slots))) if slots[i].value == _ON)
            slots[switch] = Slot(plain(p), getattr(p, "label", None))
            return Step(node.span, f"{targets} = {text}", makes, guard, idle=idle, switch=switch)
        return Step(node.span, f"{targets} = {self._lower(node)}", makes, guard)

    def _lower(self, node: Apply, without: Sequence[int] = (), given: Sequence[str] | None = None) -> str:
        """An operator's source, coded; arguments number `without` are absent."""
        variadic = {p.name for p in node.op.ports() if p.variadic}
        names = node.ports or [p.name for p in node.op.ports()]
        inputs: list[str | None] = []
        types: list = []
        for i, (port, argument) in enumerate(zip(names, node.arguments, strict=True)):
            absent = i in without or argument is None
            if absent and port in variadic:
                continue
            text = None if absent else self.operand(argument)
            if (
                text is not None
                and port in variadic
                and isinstance(argument, Ref)
                and self._is_bundle(argument)
            ):
                text = f"*{text}"
            inputs.append(text)
            types.append(None if absent else self._type(argument))
        self_ = f"self.{attribute(self._graph.members[node.member])}" if node.member else None
        return self._coder.text(node.op.lower(inputs, types, self_), building=False)

    def _type(self, operand: Operand):
        return self._graph.type(operand) if isinstance(operand, Ref) else operand_type(operand)

    def _branches(self, at: int, node: Apply, open_: list[int]) -> str:
        """An operator some of whose operands may be None."""
        target = _targets(at, node)
        values: dict[str, list[int]] = {}  # what may be None -> the places where it stands
        for index in open_:
            values.setdefault(str(self.operand(node.arguments[index])), []).append(index)
        assert len(values) <= MOST_OPEN_OPERANDS, values
        nothing = "None" if node.outputs[0].open else None
        if len(open_) == 1 and nothing is None:
            # An optional argument of a torch function may be None: no branch is needed for it.
            whole, rest = self._lower(node), self._lower(node, open_)
            if key(_without_argument(whole, next(iter(values)))) == key(rest):
                return f"{target} = {whole}"
        text, word = "", "if"
        for size in range(len(values), -1, -1):
            for there in combinations(values, size):
                absent = [i for value, places in values.items() if value not in there for i in places]
                test = " and ".join(f"{value} is not None" for value in there)
                head = f"{word} {test}:" if there else "else:"
                made = self._lower(node, absent) if there or nothing is None else nothing
                text += f"{head}\n    {target} = {made}\n"
                word = "elif"
        return text

    def _sum(self, at: int, node: Apply, makes: tuple[Value, ...], guard: Guard) -> list[Step]:
        """Operands joined by one operator, in order; what is None is left out.

        Each operand that may be None is a step of its own, so that it can stand under one `if`
        with what makes it."""
        target = f"ρ{at}_0"
        joined = self._coder.text(node.op.lower(["ρ1_1", "ρ2_2"], [None, None], None), building=False)
        symbol = joined[len("ρ1_1") : -len("ρ2_2")]
        steps: list[Step] = []

        def add(text: str, more: Guard = NONE) -> None:
            steps.append(Step(node.span, text, makes, guard | more))

        made: str | None = None  # what is joined so far, not yet stored
        open_ = False  # is it perhaps None?
        for argument in node.arguments:
            value = self.operand(argument)
            assert value is not None
            if made is None and not steps:
                made, open_ = value, self._open(argument)
                continue
            if not self._open(argument) and not open_:
                made = f"{made or target}{symbol}{value}"
                continue
            if made is not None:
                add(f"{target} = {made}")
                made = None
            if not self._open(argument):
                add(f"{target} = {value} if {target} is None else {target}{symbol}{value}")
                open_ = False
            elif open_:
                both = f"{value} if {target} is None else {target}{symbol}{value}"
                add(f"if {value} is not None:\n    {target} = {both}")
            else:
                add(f"{target} = {target}{symbol}{value}", self._guard([argument]))
        if made is not None:
            add(f"{target} = {made}")
        return steps

    # -- blocks and repeats ----------------------------------------------------------------

    def _call(self, at: int, node: Call, makes: tuple[Value, ...]) -> Step:
        member = self._graph.members[node.member]
        copies = member.uses[node.use]
        taken = next((c.target for c in copies if isinstance(c.target, Graph)), None)
        ports = node.arguments
        if taken is not None:
            # An input that a block has no use for, or takes as None, need not be there.
            ports = tuple(w for w in ports if w.port in taken.inputs and w.port not in taken.open)
        guard = self._guard(w.operand for w in ports)
        if member.arranged:
            return Step(node.span, self._loops.write(at, node, member, copies), makes, guard)
        assert taken is not None
        for out, ref in enumerate(taken.outputs.values()):
            if taken.node(ref).outputs[ref.out].open:
                self._needs[at, out] = frozenset({(at, out)})
        wires = {w.port: str(self.operand(w.operand)) for w in node.arguments if w.operand is not None}
        call = self._loops.invoke(copies[0], f"self.{attribute(member)}", list(wires.items()))
        return Step(node.span, f"{_targets(at, node)} = {call}", makes, guard)

    # -- choices ---------------------------------------------------------------------------

    def _choose(self, at: int, node: Choose, makes: tuple[Value, ...]) -> Step:
        if node.outputs[0].open:
            self._needs[at, 0] = frozenset({(at, 0)})
        if node.then == node.other:
            return Step(node.span, f"ρ{at}_0 = {self.operand(node.then)}", makes, self._guard([node.then]))
        if node.test is None:
            assert isinstance(node.then, Ref)
            test = f"{name(node.then)} is not None"
            known = self._needs[node.then.node, node.then.out], NONE
        else:
            test = self._test(node.test)
            known = self._there(node.test, True), self._there(node.test, False)
        then, other = (f"    ρ{at}_0 = {self.operand(operand)}" for operand in (node.then, node.other))
        text = f"if {test}:\n{then}\nelse:\n{other}"
        return Step(node.span, text, makes, NONE, ([], []), known)

    def _there(self, test: tuple, holds: bool) -> Guard:
        """The inputs that are known to be there where a condition holds, or does not."""
        match test:
            case ("given", port):
                return frozenset({(self._graph.inputs[port].node, 0)}) if holds else NONE
            case ("not", inner):
                return self._there(inner, not holds)
            case (word, left, right):
                both = self._there(left, holds), self._there(right, holds)
                return both[0] | both[1] if holds == (word == "and") else both[0] & both[1]
        raise AssertionError(test)

    def _test(self, test: tuple) -> str:
        match test:
            case ("given", port):
                return f"{name(self._graph.inputs[port])} is not None"
            case ("not", ("given", port)):
                return f"{name(self._graph.inputs[port])} is None"
            case ("not", inner):
                return f"not ({self._test(inner)})"
            case (word, left, right):
                return f"({self._test(left)}) {word} ({self._test(right)})"
        raise AssertionError(test)


def sizes_of(types: Iterable[Type]) -> set[object]:
    """The sizes of tensors that are only known at run time; of a tensor of unknown rank, itself."""
    found: set[object] = set()
    for kind in types:
        for tensor in kind.members if isinstance(kind, Bundle) else (kind,):
            if tensor.shape is None:
                found.add(object())
            else:
                found.update(s for s in tensor.shape if isinstance(s, Dim))
    return found


def _targets(at: int, node) -> str:
    """The names that a node's outputs are assigned to."""
    return ", ".join(f"ρ{at}_{out}" for out in range(len(node.outputs)))


def _index(index: int | slice) -> str:
    if isinstance(index, int):
        return str(index)
    start, stop, step = (
        "" if part is None else str(int(part)) for part in (index.start, index.stop, index.step)
    )
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def _adds(node: Apply) -> bool:
    """Is the operator a plain Python operator between its operands?"""
    if node.member or not any(p.variadic for p in node.op.ports()) or node.op.starred:
        return False
    text = node.op.lower(["ρ1_1", "ρ2_2"], [None, None], None)
    return text in ("ρ1_1 + ρ2_2", "ρ1_1 * ρ2_2")


def _without_argument(text: str, value: str) -> str:
    """A call's text less the argument that is just this value."""
    import ast

    from archc.emit.coded import expression

    tree = expression(text)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            call.keywords = [k for k in call.keywords if not _is(k.value, value)]
            if call.args and _is(call.args[-1], value):
                call.args.pop()
    return ast.unparse(tree)


def _is(node, value: str) -> bool:
    return getattr(node, "id", None) == value
