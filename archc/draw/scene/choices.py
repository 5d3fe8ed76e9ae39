"""What is decided when a model runs, or not at all: which items are dotted, and where two ways join."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from archc.graph.ir import Apply, Call, Choose, Graph, Input, Node, Operand, Ref

OUTSIDE = -1
"""Uses a value that is an output of the block."""


class Uses:
    """Who uses what in a Graph."""

    def __init__(self, graph: Graph) -> None:
        self.of_node: dict[int, list[int]] = {}
        self.of_value: dict[Ref, list[int]] = {}
        self.operands: dict[int, list[int]] = {}
        for source, target, out, _ in graph.edges:
            self._add(Ref(source, out), target)
            self.operands.setdefault(target, []).append(source)
        for ref in graph.outputs.values():
            self._add(ref, OUTSIDE)

    def _add(self, ref: Ref, user: int) -> None:
        self.of_node.setdefault(ref.node, []).append(user)
        self.of_value.setdefault(ref, []).append(user)


@dataclass(slots=True)
class Join:
    """A choice between two ways, with what is written at each: "" where its boxes say it."""

    then: str
    other: str


@dataclass(slots=True)
class Choices:
    """How the choices of a Graph are drawn.

    `alias`: a choice that is no item: the value that goes on in its place. `inside`: for a node, the
    choices that its item stands for. `dotted`: the nodes that may be absent, with the condition where
    it is to be written. `labels`: what is written at the ways of a choice that no item stands for.
    `joins`: the choices that are items."""

    alias: dict[int, Ref] = field(default_factory=dict)
    inside: dict[int, list[int]] = field(default_factory=dict)
    dotted: dict[int, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    joins: dict[int, Join] = field(default_factory=dict)


def choices(graph: Graph) -> Choices:
    """How the choices of a Graph are drawn."""
    found = Choices()
    chosen = [(number, node) for number, node in graph.nodes.items() if isinstance(node, Choose)]
    if chosen:
        finder = _Finder(graph, found)
        for number, node in chosen:
            finder.choose(number, node)
    return found


class _Finder:
    def __init__(self, graph: Graph, found: Choices) -> None:
        self.graph = graph
        self.found = found
        self.uses = Uses(graph)
        self.bypassed: set[int] = set()  # the choices of bypasses

    def choose(self, number: int, node: Choose) -> None:
        then, other = self._value(node.then), self._value(node.other)
        text = "" if node.test is None else condition_text(node.test)
        if node.test is None or then is None and other is None:
            self.found.joins[number] = Join("", "")
        elif then is None or other is None:
            self._absent(number, node, text if other is None else negated(text))
        elif self._bypasses(number, node.then, then, other):
            self._swallow(number, then, text)
        elif self._bypasses(number, node.other, other, then):
            self._swallow(number, other, negated(text))
        else:
            self.found.joins[number] = Join(
                "" if self._dot(number, node.then, text) else f"if {text}",
                "" if self._dot(number, node.other, negated(text)) else "else",
            )

    def _value(self, operand: Operand) -> Ref | None:
        """The value that goes on in an operand's place."""
        if not isinstance(operand, Ref):
            return None
        return self.found.alias.get(operand.node, operand)

    def _bypasses(self, number: int, operand: Operand, value: Ref, other: Ref) -> bool:
        """Is a value what one node makes of the other, for this choice alone? Not of copies: they may
        be several items, and the way around them is one of its own."""
        assert isinstance(operand, Ref)
        node = self.graph.nodes[value.node]
        if isinstance(node, Call) and self.graph.members[node.member].arranged:
            return False
        own = operand.node == value.node or operand.node in self.found.inside.get(value.node, ())
        return own and self.uses.of_value[operand] == [number] and self._value(_main(node)) == other

    def _swallow(self, number: int, value: Ref, text: str) -> None:
        self.found.alias[number] = value
        self.found.inside.setdefault(value.node, []).append(number)
        self.bypassed.add(number)
        self._note(value.node, text)

    def _absent(self, number: int, node: Choose, text: str) -> None:
        """A value that is there or not, and nothing in its place."""
        operand = node.then if node.other is None else node.other
        value = self._value(operand)
        assert value is not None
        self.found.alias[number] = value
        own = isinstance(operand, Ref) and (
            operand.node == value.node or operand.node in self.found.inside.get(value.node, ())
        )
        if own and self._dot(number, operand, text):
            self.found.inside.setdefault(value.node, []).append(number)
        else:
            self.found.labels[number] = f"if {text}"

    def _dot(self, number: int, operand: Operand, text: str) -> bool:
        """Dot what is made for one side of a choice alone, and write the condition where it begins."""
        if not isinstance(operand, Ref) or self.uses.of_value[operand] != [number]:
            return False
        inside: set[int] = set()
        left: dict[int, int] = {}
        waiting = [operand.node]
        while waiting:
            here = waiting.pop()
            if isinstance(self.graph.nodes[here], Input):
                continue
            left[here] = left.get(here, len(self.uses.of_node[here])) - 1
            if not left[here]:
                inside.add(here)
                waiting += self.uses.operands.get(here, ())
        for here in inside:
            # Behind what may be bypassed, the condition is written again.
            above = [before for before in self.uses.operands.get(here, ()) if before in inside]
            begins = all(before in self.bypassed for before in above)
            self._note(here, text if begins else "")
        return bool(inside)

    def _note(self, number: int, text: str) -> None:
        known = self.found.dotted.get(number, "")
        self.found.dotted[number] = f"{text} and {known}" if text and known else text or known


def _main(node: Node) -> Operand:
    """The first of what a node is made from."""
    if isinstance(node, Apply) and node.arguments:
        return node.arguments[0]
    return node.arguments[0].operand if isinstance(node, Call) and node.arguments else None


_SIGNS = {"!=": "≠", "==": "=", "<=": "≤", ">=": "≥", " * ": "·", " - ": " − "}
_OPPOSITE = {"≠": "=", "=": "≠", "≤": ">", "≥": "<", "<": "≥", ">": "≤"}
_COMPARED = re.compile(r"([^≠=≤≥<>()]+) ([≠=≤≥<>]) ([^≠=≤≥<>()]+)")


def condition_text(test: tuple) -> str:
    """A condition as a diagram writes it.

    >>> condition_text(("and", ("given", "mask"), ("not", ("given", "bias"))))
    'mask and not bias'
    >>> condition_text(("undecided", "C != 2 * width"))
    'C ≠ 2·width'
    """
    match test:
        case ("given", name):
            return name
        case ("undecided", text):
            return re.sub("|".join(map(re.escape, _SIGNS)), lambda sign: _SIGNS[sign[0]], text)
        case ("not", inner):
            return negated(condition_text(inner))
        case (word, left, right):
            return f"{condition_text(left)} {word} {condition_text(right)}"
    raise AssertionError(test)


def negated(text: str) -> str:
    """The opposite of a condition.

    >>> negated("C ≠ c_out"), negated("attention"), negated("a and b"), negated("not a")
    ('C = c_out', 'not attention', 'not (a and b)', 'a')
    """
    compared = _COMPARED.fullmatch(text)
    if compared and not re.search(r"\b(and|or|not|if|else|in)\b", text):
        return f"{compared[1]} {_OPPOSITE[compared[2]]} {compared[3]}"
    if re.fullmatch(r"not [\w.]+", text):
        return text[4:]
    return f"not {text}" if re.fullmatch(r"[\w.]+(\(.*\))?", text) else f"not ({text})"
