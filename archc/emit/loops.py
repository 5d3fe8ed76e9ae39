"""Blocks called, and copies applied in series or side by side, as coded statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archc.emit.coded import Coder, Slot, key
from archc.emit.names import argument_name, singular
from archc.graph import labels
from archc.graph.attributes import attribute, module_source
from archc.graph.ir import Bundle, Call, Copy, Graph, Member, Operand, Wire
from archc.ops.base import Op


def builds(copy: Copy) -> bool:
    """Does a copy own a submodule?"""
    return isinstance(copy.target, Graph) or module_source(copy) is not None


def forward_order(graph: Graph) -> list[str]:
    """The inputs in the order of forward's arguments: those that may be None last."""
    return sorted(graph.inputs, key=lambda port: port in graph.open)


def counted(graph: Graph, member: Member, count: int) -> Slot:
    """The number of a member's copies, by the text that gives it where that is a number of the block."""
    repeat = member.spec and (member.spec.repeat or member.spec.parallel)
    label = repeat.count.span.text if repeat else None
    if label is None or labels.evaluate(label, {**graph.dims, **graph.params}) != count:
        label = None
    return Slot(count, label)


class Loops:
    """Writes the calls of one Graph's members."""

    def __init__(
        self,
        graph: Graph,
        coder: Coder,
        keywords_of: Callable[[Graph], tuple[str, ...]],
        operand: Callable[[Operand], str | None],
    ) -> None:
        self._graph = graph
        self._coder = coder
        self._keywords_of = keywords_of
        self._operand = operand

    def invoke(
        self, copy: Copy, self_: str, fed: Sequence[tuple[str, str]], coder: Coder | None = None
    ) -> str:
        """The call of one copy, its ports fed with these texts."""
        coder = coder or self._coder
        target = copy.target
        if target is None:
            return fed[0][1]
        if isinstance(target, Op):
            ports = target.ports()
            inputs: list[str | None] = []
            types: list = []
            for port in ports:
                given = [text for name, text in fed if name == port.name]
                inputs += given if port.variadic or given else [None]
                kind = copy.inputs.get(port.name)
                types += [kind] * len(given) if port.variadic or given else [None]
            owned = self_ if builds(copy) else None
            return coder.text(target.lower(inputs, types, owned), building=False)
        assert isinstance(target, Graph)  # an outline's cases are drawn, not built
        texts = dict(fed)
        parts: list[str] = []
        skipped = False
        for port in forward_order(target):
            if port not in texts:
                skipped = True
            else:
                parts.append(f"{argument_name(port)}={texts[port]}" if skipped else texts[port])
        for size in self._keywords_of(target):
            parts.append(f"{argument_name(size)}={coder.number(copy.numbers[size])}")
        return f"{self_}({', '.join(parts)})"

    def write(self, at: int, node: Call, member: Member, copies: tuple[Copy, ...]) -> str:
        """The statements that apply a member's copies."""
        there = [c for c in copies if c.target is not None]
        if not there:
            return self._nothing(at, node, member)
        loop = _Loop(self, at, node, member, copies)
        if loop.alike():
            return loop.together()
        return loop.one_by_one()

    def _nothing(self, at: int, node: Call, member: Member) -> str:
        first = "[]" if member.arranged == "parallel" else self._operand(node.arguments[0].operand)
        lines = [f"ρ{at}_0 = {first}"]
        return "\n".join(lines + [f"ρ{at}_{out} = []" for out in range(1, len(node.outputs))])

    def operand(self, wire: Wire) -> str:
        return str(self._operand(wire.operand))

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def coder(self) -> Coder:
        return self._coder


class _Loop:
    """One application of repeated copies."""

    def __init__(self, writer: Loops, at: int, node: Call, member: Member, copies: tuple[Copy, ...]) -> None:
        self.writer = writer
        self.at = at
        self.member = member
        self.copies = copies
        self.series = member.arranged == "repeat"
        self.owns = any(builds(c) for c in copies)
        self.wires = [w for w in node.arguments if w.operand is not None]
        first = next(c for c in copies if c.target is not None)
        self.first = first
        names = self._outputs(first)
        self.collected = list(range(1, len(names)))
        self.hints = names
        self.all = len(node.outputs) - 1 if len(node.outputs) > len(names) else None
        self.used = {out for source, _, out, _ in writer.graph.edges if source == at} | {
            r.out for r in writer.graph.outputs.values() if r.node == at
        }
        self.bundles = self._bundles(first)
        if member.share and not any(w.each for w in self.wires) and self.all not in self.used:
            # One module, applied as often as it is not bypassed.
            self.copies = tuple(c for c in copies if c.target is not None)

    def _outputs(self, copy: Copy) -> tuple[str, ...]:
        if isinstance(copy.target, Graph):
            return tuple(copy.target.outputs)
        assert isinstance(copy.target, Op)
        return tuple(copy.target.outputs)

    def _bundles(self, copy: Copy) -> list[bool]:
        if not isinstance(copy.target, Graph):
            return [False] * len(self.hints)
        return [isinstance(copy.target.type(r), Bundle) for r in copy.target.outputs.values()]

    # -- one loop --------------------------------------------------------------------------

    def alike(self) -> bool:
        """Can one loop body serve all copies?"""
        seen: set[tuple] = set()
        known: set[tuple] = set()
        for copy in {id(c): c for c in self.copies}.values():
            if copy.target is None:
                if not self.owns or self.member.share:
                    return False  # no module of its own passes the input through
                continue
            mark = (id(copy.target), tuple(map(str, copy.numbers.values())))
            if mark in known:
                continue
            known.add(mark)
            trial = Coder(self.writer.coder.sizes, used_sizes=self.writer.coder.used_sizes)
            fed = [(w.port, f"λx_{i}") for i, w in enumerate(self.wires)]
            text = self.writer.invoke(copy, "λself_0", fed, trial)
            seen.add(
                (key(text), tuple(trial.slots), self._outputs(copy), tuple(self._bundles(copy)), builds(copy))
            )
        return len(seen) == 1

    def together(self) -> str:
        coder = self.writer.coder
        graph = isinstance(self.first.target, Graph)
        module = coder.local("block" if graph else "layer") if self.owns and not self.member.share else None
        shares = [w for w in self.wires if w.each]
        counted = any(w.share != 1 or self._takes_bundle(w) or self._is_open(w) for w in shares)
        number = coder.local("i") if counted else None
        sources: list[tuple[str, str]] = []  # loop variable, what it runs over
        if module:
            sources.append((module, f"self.{attribute(self.member)}"))
        fed: list[tuple[str, str]] = []
        for position, wire in enumerate(self.wires):
            text = self.writer.operand(wire)
            if self.series and position == 0:
                fed.append((wire.port, f"ρ{self.at}_0"))
            elif not wire.each:
                fed.append((wire.port, text))
            elif number:
                n = wire.share
                index = (
                    f"{number}" if not self._takes_bundle(wire) else f"{number} * {n}:({number} + 1) * {n}"
                )
                fed.append((wire.port, self._share(wire, index)))
            else:
                item = coder.local(singular(wire.port))
                sources.append((item, text))
                fed.append((wire.port, item))
        head = self._head(sources, number)
        self_ = module or f"self.{attribute(self.member)}"
        call = self.writer.invoke(self.first, self_, fed)
        if not self.series and not self.collected_used():
            if self.bundles[0]:
                item = coder.local(singular(self.hints[0]))
                return f"ρ{self.at}_0 = [{item} {head} for {item} in {call}]"
            return f"ρ{self.at}_0 = [{call} {head}]"
        lines, body = self._frame(call)
        if (
            any(c.target is None for c in self.copies)
            and module
            and (len(fed) > 1 or any(out in self.used for out in self.collected))
        ):
            always = body[-1:] if self.all is not None and self.all in self.used else []
            inner = body[: len(body) - len(always)]
            body = [f"if not isinstance({module}, nn.Identity):", *("    " + b for b in inner), *always]
        return "\n".join([*lines, f"{head}:", *("    " + b for b in body)])

    def _takes_bundle(self, wire: Wire) -> bool:
        return isinstance(self.first.inputs.get(wire.port), Bundle)

    def _is_open(self, wire: Wire) -> bool:
        """May what is dealt out be None?"""
        return isinstance(self.first.target, Graph) and wire.port in self.first.target.open

    def _share(self, wire: Wire, index: str) -> str:
        """A copy's share of what is dealt out."""
        text = self.writer.operand(wire)
        return (
            f"{text}[{index}] if {text} is not None else None" if self._is_open(wire) else f"{text}[{index}]"
        )

    def collected_used(self) -> bool:
        return any(out in self.used for out in [*self.collected, *([self.all] if self.all else [])])

    def _head(self, sources: list[tuple[str, str]], number: str | None) -> str:
        if not sources:
            count = self.writer.coder.slot(counted(self.writer.graph, self.member, len(self.copies)))
            return f"for {number or '_'} in range({count})"
        if len(sources) == 1:
            targets, values = sources[0]
        else:
            targets = ", ".join(s[0] for s in sources)
            values = f"zip({', '.join(s[1] for s in sources)}, strict=True)"
        if number:
            targets = f"{number}, ({targets})" if len(sources) > 1 else f"{number}, {targets}"
            values = f"enumerate({values})"
        return f"for {targets} in {values}"

    def _frame(self, call: str) -> tuple[list[str], list[str]]:
        """Statements before a copy's call, and those of the call itself."""
        coder = self.writer.coder
        lines = []
        if self.series:
            lines.append(f"ρ{self.at}_0 = {self.writer.operand(self.wires[0])}")
        else:
            lines.append(f"ρ{self.at}_0 = []")
        first = f"ρ{self.at}_0" if self.series else coder.local(singular(self.hints[0]))
        targets, after = [first], []
        if not self.series:
            after.append(f"ρ{self.at}_0.{'extend' if self.bundles[0] else 'append'}({first})")
        for out in self.collected:
            if out not in self.used:
                targets.append("_")
                continue
            lines.append(f"ρ{self.at}_{out} = []")
            item = coder.local(singular(self.hints[out]))
            targets.append(item)
            after.append(f"ρ{self.at}_{out}.{'extend' if self.bundles[out] else 'append'}({item})")
        if self.all is not None and self.all in self.used:
            lines.append(f"ρ{self.at}_{self.all} = []")
            after.append(f"ρ{self.at}_{self.all}.append({first})")
        return lines, [f"{', '.join(targets)} = {call}", *after]

    # -- one statement a copy --------------------------------------------------------------

    def one_by_one(self) -> str:
        lines: list[str] = []
        calls: list[str] = []
        for index, copy in enumerate(self.copies):
            fed = []
            for position, wire in enumerate(self.wires):
                text = self.writer.operand(wire)
                if self.series and position == 0:
                    text = f"ρ{self.at}_0"
                elif wire.each and self._takes_bundle(wire):
                    text = self._share(wire, f"{index * wire.share}:{(index + 1) * wire.share}")
                elif wire.each:
                    text = self._share(wire, f"{index}")
                fed.append((wire.port, text))
            self_ = f"self.{attribute(self.member)}" + ("" if self.member.share else f"[{index}]")
            call = self.writer.invoke(copy, self_, fed)
            if not self.series and not self.collected_used():
                calls.append(f"*{call}" if self.bundles[0] else call)
                continue
            before, body = self._frame(call)
            if index == 0:
                lines += before
            if copy.target is None:
                body = [
                    b for b in body[1:] if self.all is not None and b.startswith(f"ρ{self.at}_{self.all}.")
                ]
            lines += body
        return "\n".join(lines) if lines else f"ρ{self.at}_0 = [{', '.join(calls)}]"
