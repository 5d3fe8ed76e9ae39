"""Static checks of expressions and of the arguments of calls."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, NamedTuple, get_args, get_origin

from archc.graph.lines import BUNDLES
from archc.graph.static_names import Any_, Callee, Scope
from archc.lang.functions import FUNCTIONS
from archc.lang.schema import Block, Param
from archc.lang.syntax import Argument, Call, Compare, Comprehension, Expr, Name
from archc.lang.types import Choice
from archc.lang.walk import children
from archc.ops.attributes import Valid, dtype, initialiser, text
from archc.shapes import DTYPES
from archc.source.diagnostic import did_you_mean
from archc.source.text import Span


class Where(NamedTuple):
    """What an expression may hold where it stands.

    `extra`: names that hold here only (`i`, `row`). `hidden`: names of the block that do not.
    `words`: words that are wanted here (None: any bare name will do). `calls`: operators and blocks
    may stand here."""

    extra: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    words: frozenset[str] | None = frozenset()
    calls: bool = True
    own: str | None = None  # the param whose default it is


NUMBER = Where(calls=False)
"""Conditions, counts and sizes: numbers only."""


class Expressions:
    """Checks that all names in expressions mean something."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def check(self, expr: Expr, where: Where = NUMBER) -> None:
        """Report every name in an expression that means nothing where it stands."""
        stack: list[tuple[Expr, frozenset[str]]] = [(expr, where.extra)]
        while stack:
            at, bound = stack.pop()
            if isinstance(at, Name):
                self._name(at, bound, where)
            elif isinstance(at, Call):
                stack.extend((part, bound) for part in reversed(self._call(at, bound, where)))
            elif isinstance(at, Comprehension):
                inner = bound
                parts: list[tuple[Expr, frozenset[str]]] = []
                for clause in at.clauses:
                    parts.append((clause.iterable, inner))
                    inner = inner.union(clause.names)
                    parts.extend((test, inner) for test in clause.tests)
                stack.extend(reversed([*parts, (at.item, inner)]))
            else:
                if isinstance(at, Compare):
                    self._compare(at)
                stack.extend((child, bound) for child in reversed(children(at)))

    def _name(self, name: Name, bound: Collection[str], where: Where) -> None:
        scope = self.scope
        word = name.id
        if word in bound:
            return
        if word not in where.hidden and scope.is_number(word):
            scope.used.add(word)
            return
        if word in scope.words or (where.words is not None and word in where.words):
            if word in scope.values:
                self._word_or_name(name, "value")
            return
        if where.words is None or word in scope.block.broken:
            return
        callee = scope.beyond(word) if word == where.own else scope.callee(word)
        if where.calls and (callee is not None or word in scope.ops.initialisers):
            return
        if word == where.own:
            message = f"`{word}` is not defined here: a default does not see its own param"
            scope.error("A251", message, name.span, "write a number, or name other params")
        elif word in where.hidden:
            help = "lets come about in order: move it up" if word in scope.block.let else None
            scope.error("A240", f"`{word}` is not defined yet", name.span, help)
        else:
            scope.no_number(name, bound, calls=where.calls)

    def _word_or_name(self, name: Name, kind: str) -> None:
        message = f"`{name.id}` is the name of a {kind} here, so the word needs quotes"
        span, text = name.span, name.span.source.text
        help = f'write `"{name.id}"`'
        if text[max(span.start - 1, 0) : span.start] + text[span.end : span.end + 1] in ('""', "''"):
            help = f"write `'\"{name.id}\"'`: YAML takes one pair of quotes for itself"
        self.scope.error("A255", message, span, help)

    def _compare(self, at: Compare) -> None:
        """Of `mode == down`, the word `down` must not be the name of something else."""
        if len(at.rest) != 1 or not isinstance(at.first, Name):
            return
        param = self.scope.block.params.get(at.first.id)
        other = at.rest[0][1]
        if param is None or not isinstance(param.type, Choice) or not isinstance(other, Name):
            return
        if other.id in param.type.words and self.scope.is_number(other.id):
            kind = self.scope.numbers.get(other.id, "input")
            self._word_or_name(other, kind)

    # Calls

    def _call(self, call: Call, bound: frozenset[str], where: Where) -> list[Expr]:
        """Check a call in an expression; gives the parts that are still to be checked like the rest."""
        scope = self.scope
        word = call.name.id
        if word in bound:  # a part of a row, an `op`
            self.arguments(call.arguments, Any_.CALLEE, word, bound)
            return []
        if word in FUNCTIONS and not isinstance(scope.callee(word), Param):
            return [a.value for a in call.arguments]
        if word in BUNDLES:
            message = f"`{word}` makes bundles; expressions hold numbers"
            scope.error("A242", message, call.name.span, "write it in the flow")
            return []
        callee = scope.callee(word) if word != where.own else scope.beyond(word)
        if callee is None and word in scope.ops.initialisers:
            return [a.value for a in call.arguments]
        if callee is None:
            known = [*FUNCTIONS, *scope.callables()] if where.calls else FUNCTIONS
            scope.no_callee(call.name, "function" if not where.calls else "function or operator", known)
        elif not where.calls:
            message = f"`{word}` is called in the flow or by a node; it gives no number"
            scope.error("A242", message, call.name.span, f"the functions are {', '.join(FUNCTIONS)}")
        else:
            self.arguments(call.arguments, callee, word, bound)
        return []

    def arguments(
        self,
        arguments: tuple[Argument, ...],
        callee: Callee,
        name: str,
        extra: frozenset[str] = frozenset(),
        ports: Collection[str] = (),
    ) -> None:
        """Check what a call gives to an operator's attributes or a block's params. `ports` may be given
        by name too, and are not checked here."""
        order = attributes(callee)
        taken: set[str] = set()
        for number, argument in enumerate(arguments):
            key = argument.name
            if key is not None and key in ports:
                continue
            if order is None:
                words: frozenset[str] | None = None
            elif key is None:
                if number >= len(order):
                    self._too_many(argument.span, callee, name, len(order))
                    return
                key = order[number]
                taken.add(key)
                words = wanted_words(callee, key)
            elif key in taken:
                self.scope.error(
                    "A246", f"`{key}` is given by position and by name", argument.span, "drop one"
                )
                continue
            elif key in order or takes_more(callee):
                words = wanted_words(callee, key)
            else:
                self._unknown(argument, callee, name, order, ports)
                continue
            if key == "init" and not isinstance(callee, Block):
                self._initialiser(argument.value)
            else:
                self.check(argument.value, Where(extra=extra, words=words))

    def _initialiser(self, expr: Expr) -> None:
        """The `init` of a stored tensor is an initialiser, or an `op` param that may be one."""
        name = expr.name if isinstance(expr, Call) else expr
        if isinstance(name, Name) and name.id in self.scope.ops.initialisers:
            for argument in expr.arguments if isinstance(expr, Call) else ():
                self.check(argument.value)
            return
        if not isinstance(name, Name) or self.scope.is_number(name.id):
            self.check(expr)
            return
        known = sorted(self.scope.ops.initialisers)
        if not self.scope.ops.whole:
            return  # it may be one of a module that could not be loaded
        close = self.scope.close(name.id, known)
        help = f"did you mean `{close}`?" if close else f"there are {', '.join(known)}"
        self.scope.error("A501", f"there is no initialiser `{name.id}`", name.span, help)

    def _too_many(self, span: Span, callee: Callee, name: str, count: int) -> None:
        kind = "param" if isinstance(callee, Block) else "attribute"
        takes = f"{count or 'no'} {kind}{'' if count == 1 else 's'}"
        self.scope.error("A247", f"`{name}` takes {takes}", span, usage(callee, name))

    def _unknown(
        self, argument: Argument, callee: Callee, name: str, order: list[str], ports: Collection[str]
    ) -> None:
        key = argument.name
        assert key is not None
        kind = "param" if isinstance(callee, Block) else "attribute"
        at = Span(argument.span.source, argument.span.start, argument.span.start + len(key))
        close = did_you_mean(key, [*order, *ports])
        if isinstance(callee, Block) and key in callee.dims:
            help = f"`{key}` is a free dimension of `{name}`: it comes from what is wired"
        elif key in inputs(callee):
            help = f"`{key}` is an input: wire it in the flow, `-> node({key}=...)`"
        else:
            help = f"did you mean `{close}`?" if close else usage(callee, name)
        self.scope.error("A244", f"`{name}` has no {kind} `{key}`", at, help)


# What is called, and what it takes


def attributes(callee: Callee) -> list[str] | None:
    """The names of an operator's attributes or a block's params, in order; None where nobody knows."""
    if isinstance(callee, Any_ | Param):
        return None
    if isinstance(callee, Block):
        return None if callee.broken or callee.nameless else list(callee.params)
    return [a for a in callee.attributes() if a != callee.spread]


def takes_more(callee: Callee) -> bool:
    """Does an operator take any further keywords?"""
    return isinstance(callee, type) and callee.spread is not None


def inputs(callee: Callee) -> list[str]:
    """The names of the inputs, as far as they are known."""
    if isinstance(callee, Any_ | Param):
        return []
    if isinstance(callee, Block):
        return list(callee.inputs)
    return [port.name for port in callee.ports()]


def usage(callee: Callee, name: str) -> str | None:
    """How something is called."""
    if isinstance(callee, type):
        return f"it is written `{callee.signature()}`"
    if not isinstance(callee, Block):
        return None
    shown = [p.name if p.default is None else f"{p.name}=..." for p in callee.params.values()]
    return f"it is written `{name}({', '.join(shown)})`"


def wanted_words(callee: Callee, key: str) -> frozenset[str] | None:
    """The words that an argument may be; None where any bare name may be one."""
    if isinstance(callee, Any_ | Param):
        return None
    if isinstance(callee, Block):
        param = callee.params.get(key)
        return frozenset(param.type.words) if param is not None else None
    for name, field in callee.model_fields.items():
        if (field.alias or name) == key:
            return _words([field.annotation, *field.metadata])
    return None


def _words(parts: list[Any]) -> frozenset[str] | None:
    """The words in a type and its marks; None where they cannot be told."""
    found: set[str] = set()
    while parts:
        part = parts.pop()
        if isinstance(part, Valid):
            if part.check is dtype:
                found.update(DTYPES)
            elif part.check in (initialiser, text):
                return None  # told better by the check itself
        elif get_origin(part) is Literal:
            found.update(word for word in get_args(part) if isinstance(word, str))
        elif part is Any or (part is str and not found):
            return None
        else:
            parts.extend(get_args(part))
    return frozenset(found)
