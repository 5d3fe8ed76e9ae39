"""Runs a checked Graph node by node: slow, plain, and nothing like the emitter."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from archc.graph.attributes import attribute
from archc.graph.ir import Apply, Bundle, Call, Choose, Copy, Graph, Input, Number, Pack, Pick, Read, Ref
from archc.ops.python import plain_text
from archc.shapes import Dim, evaluate


def run(
    graph: Graph, module: nn.Module, inputs: dict[str, Any], sizes: dict[str, int] | None = None
) -> list[Any]:
    """The outputs of a Graph whose weights are a built module's."""
    return _Run(graph, module, inputs, sizes or {}).outputs()


class _Run:
    def __init__(self, graph: Graph, module: nn.Module, inputs: dict[str, Any], sizes: dict[str, int]):
        self.graph = graph
        self.module = module
        self.sizes = dict(sizes)
        self.values: dict[tuple[int, int], Any] = {}
        for port, ref in graph.inputs.items():
            self.values[ref.node, 0] = inputs.get(port)
        for at in graph.nodes:
            if not isinstance(graph.node(at), Input):
                self._node(at)

    def outputs(self) -> list[Any]:
        return [self.values[r.node, r.out] for r in self.graph.outputs.values()]

    def _operand(self, operand: Any) -> Any:
        if isinstance(operand, Ref):
            return self.values[operand.node, operand.out]
        if isinstance(operand, Number):
            return self._number(operand.value)
        return None

    def _number(self, value: Any) -> Any:
        if isinstance(value, (bool, int, float)):
            return value
        self._find_sizes()
        return evaluate(value, self.sizes)

    def _find_sizes(self) -> None:
        for name, place in self.graph.sizes.items():
            if place is not None and name not in self.sizes:
                ref, *index, axis = place
                value = self.values.get((ref.node, ref.out))
                for i in index:
                    value = value[i]
                if value is not None:
                    self.sizes[name] = value.shape[axis]

    def _node(self, at: int) -> None:
        node = self.graph.node(at)
        match node:
            case Apply():
                made = self._apply(node)
            case Call():
                made = self._call(node)
            case Pack():
                items = [self._operand(i) for i in node.items]
                made = [m for i in items for m in (i if isinstance(i, list) else [i])]
            case Pick():
                bundle = self._operand(node.bundle)
                made = None if bundle is None else bundle[node.index]
            case Choose():
                then = self._operand(node.then)
                holds = then is not None if node.test is None else self._test(node.test)
                made = then if holds else self._operand(node.other)
            case Read():
                owner = getattr(self.module, node.member)
                made = getattr(owner, node.attribute) if node.attribute else owner
            case _:
                raise AssertionError(node)
        several = made if isinstance(made, tuple) else (made,)
        if made is None:
            several = (None,) * len(node.outputs)
        for out, value in enumerate(several):
            self.values[at, out] = value

    def _test(self, test: tuple) -> bool:
        match test:
            case ("given", port):
                return self._operand(self.graph.inputs[port]) is not None
            case ("not", inner):
                return not self._test(inner)
            case ("and", a, b):
                return self._test(a) and self._test(b)
            case ("or", a, b):
                return self._test(a) or self._test(b)
        raise AssertionError(test)

    def _apply(self, node: Apply) -> Any:
        ports = {p.name: p for p in node.op.ports()}
        names = node.ports or tuple(ports)
        types = [self.graph.type(a) if isinstance(a, Ref) else None for a in node.arguments]
        given = [(port, self._operand(a), t) for port, a, t in zip(names, node.arguments, types, strict=True)]
        variadic = any(p.variadic for p in ports.values())
        kept = []
        for port, value, kind in given:
            if value is None and ports[port].variadic:
                continue
            if value is None and not ports[port].optional:
                return None
            kept.append((value, kind))
        if variadic and not kept:
            return None
        member = self.graph.members.get(node.member) if node.member else None
        owned = getattr(self.module, attribute(member), None) if member else None
        return self._lower(node.op, kept, owned)

    def _lower(self, op: Any, given: list[tuple[Any, Any]], owned: Any) -> Any:
        names, space = [], {}
        for i, (value, kind) in enumerate(given):
            name = None if value is None else f"v{i}"
            space[f"v{i}"] = value
            names.append(f"*{name}" if isinstance(kind, Bundle) and name else name)
        self._find_sizes()
        helpers: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "math": math}
        for text in dict(op.helpers).values():
            exec(text, helpers)
        text = plain_text(op.lower(names, [k for _, k in given], "owned"))
        ambient = {"DEVICE": None, "DTYPE": torch.get_default_dtype()}
        return eval(text, {**helpers, **ambient, **self.sizes, **space, "owned": owned, "self": self.module})

    # -- blocks ----------------------------------------------------------------------------

    def _copy(self, copy: Copy, module: Any, fed: dict[str, Any], order: list[tuple[str, Any]]) -> list[Any]:
        target = copy.target
        if isinstance(target, Graph):
            if any(fed.get(p) is None for p in target.inputs if p not in target.open):
                return [None] * len(target.outputs)
            self._find_sizes()
            numbers = {
                n: evaluate(copy.numbers[n], self.sizes)
                if isinstance(copy.numbers[n], Dim)
                else copy.numbers[n]
                for n, place in target.sizes.items()
                if place is None and n in copy.numbers
            }
            return run(target, module, fed, numbers)
        made = self._lower(target, [(v, None) for _, v in order], module)
        return list(made) if isinstance(made, tuple) else [made]

    def _call(self, node: Call) -> Any:
        member = self.graph.members[node.member]
        copies = member.uses[node.use]
        owned = getattr(self.module, attribute(member), None)
        wires = [(w, self._operand(w.operand)) for w in node.arguments]
        if not member.arranged:
            fed = {w.port: v for w, v in wires}
            found = self._copy(copies[0], owned, fed, [(w.port, v) for w, v in wires])
            return tuple(found)
        series = member.arranged == "repeat"
        carried = wires[0][1] if series else None
        firsts: list[Any] = []
        further: dict[int, list[Any]] = {}
        for index, copy in enumerate(copies):
            order = []
            for position, (wire, value) in enumerate(wires):
                if series and position == 0:
                    value = carried
                elif wire.each and value is not None:
                    part = value[index * wire.share : (index + 1) * wire.share]
                    whole = isinstance(copy.inputs.get(wire.port), Bundle)
                    value = part if whole else part[0]
                order.append((wire.port, value))
            if copy.target is None:
                firsts.append(carried)
                continue
            module = owned if member.share or owned is None else owned[index]
            first, *others = self._copy(copy, module, dict(order), order)
            firsts.append(first)
            carried = first
            for number, other in enumerate(others):
                further.setdefault(number, []).extend(other if isinstance(other, list) else [other])
        flat = [m for f in firsts for m in (f if isinstance(f, list) else [f])]
        count = len(node.outputs)
        made = [carried if series else flat, *(further[n] for n in sorted(further))]
        return tuple([*made, firsts][:count])
