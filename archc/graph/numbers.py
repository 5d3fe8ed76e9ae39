"""The numbers of a block: its params, free dimensions and lets, bound in that order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from archc.graph.context import Context
from archc.graph.infer import FIX_PRESENCE
from archc.graph.undecided import Undecided
from archc.graph.values import Failed, Given, Target
from archc.lang import types
from archc.lang.evaluate import evaluate
from archc.lang.outline import outline, outline_text, renamed
from archc.lang.schema import Block, Param
from archc.lang.syntax import Call, Expr, Name
from archc.lang.truth import truth
from archc.lang.types import ParamType
from archc.lang.values import (
    UNKNOWN,
    EvaluationError,
    NeedsStatic,
    Partial,
    Scope,
    Unavailable,
    Unsettled,
    Word,
    shown,
)
from archc.lang.values import Given as Test
from archc.lang.walk import free_names
from archc.ops.base import BadAttributes, bind
from archc.ops.outline import bind_outline
from archc.ops.pattern import axis_names
from archc.ops.placeholder import Placeholder
from archc.shapes import Cond, Dim, Formula, labelled, symbol, symbols
from archc.source.diagnostic import did_you_mean
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.graph.elaborate import Library
    from archc.ops.initialisers import Initialiser


class Numbers:
    """What the expressions of a block instance may name, and their evaluation.

    `folded` gathers the names that went into a number without leaving a label there.
    """

    def __init__(self, context: Context, block: Block, library: Library) -> None:
        self.context = context
        self.block = block
        self.library = library
        self.names: dict[str, Any] = {}
        self.folded: set[str] = set()
        self.defaults: dict[str, Any] = {}  # what defaults came to, in the order of their evaluation
        self.words = frozenset(w for p in block.params.values() for w in _words(p.type))
        self._operators = library.operators(block)
        self._missing: dict[str, str] = {}  # free dimension -> why it has no value

    # -- binding ---------------------------------------------------------------------------

    def bind_dims(self, dims: Mapping[str, Any], presence: Mapping[str, Any]) -> None:
        """Bind the free dimensions, and for each input whether it is there."""
        for name in self.block.dims:
            telling = self.block.tellers(name)
            absent = not any(presence.get(port) for port in telling)
            if absent and name in self.block.empty and not isinstance(dims.get(name), int):
                self.names[name] = 0
            elif name in dims:
                self.names[name] = dims[name]
            else:
                absent = bool(telling)
                where = (
                    "it stands only in inputs that are absent" if absent else "it stands alone in no input"
                )
                self._missing[name] = f"`{name}` has no value here: {where}"
                self.names[name] = UNKNOWN
        self.names.update(presence)

    def bind_params(self, given: Mapping[str, Any]) -> None:
        """Bind the params: those given (values in this block's names), then the defaults."""
        for name, value in given.items():
            self.names[name] = value
        pending = [p for p in self.block.params.values() if p.name not in given]
        for param in pending:
            self.names[param.name] = UNKNOWN
        self._defaults(pending)
        for let in self.block.let.values():
            try:
                value = self.evaluate(let.value)
            except Failed:
                value = UNKNOWN
            self.names[let.name] = renamed(value, let.name) if self.context.outline else value

    def _defaults(self, pending: list[Param]) -> None:
        """Evaluate defaults, each after those that it names."""
        left = {p.name: p for p in pending}
        while left:
            # (its own name in a default is another's: an operator's, or nobody's)
            ready = [
                p
                for p in left.values()
                if p.default is None or not (free_names(p.default) - {p.name}) & left.keys()
            ]
            for param in ready or list(left.values())[:1]:
                del left[param.name]
                if not ready or param.default is None:
                    continue  # a circle, or nothing given: told elsewhere
                del self.names[param.name]  # a default does not see its own param
                try:
                    value = self.evaluate(param.default, param.type)
                    self.defaults[param.name] = value
                    self.names[param.name] = stamp(value, param.name)
                except Failed:
                    self.names[param.name] = UNKNOWN

    # -- evaluation ------------------------------------------------------------------------

    def scope(self, extra: Mapping[str, Any] | None = None, *, bare: bool = False) -> Scope:
        names = {**self.names, **extra} if extra else self.names
        return Scope(names=names, words=self.words, bare=bare)

    def evaluate(
        self,
        expr: Expr,
        want: ParamType | None = None,
        extra: Mapping[str, Any] | None = None,
        *,
        bare: bool = False,
        decision: bool = False,
    ) -> Any:
        """The value of an expression; raises Failed, having told what is wrong with it.

        `decision`: it tells which parts there are and goes into no number."""
        scope = self.scope(extra, bare=bare)
        try:
            open_ = self.context.outline
            value = outline(expr, scope, want, extra) if open_ else evaluate(expr, scope, want)
        except Unavailable as missing:
            for name in missing.names:
                if name in self._missing:
                    help = f"give it: -p {name}=64" if len(self.context.blocks) == 1 else None
                    self.context.fail("A408", self._missing[name], expr.span, help)
            raise Failed from None
        except NeedsStatic as wrong:
            if wrong.inputs:
                self.fix_presence(wrong.inputs, wrong.span)
            self.needs_static(wrong.symbols, wrong.span)
        except EvaluationError as wrong:
            self.context.fail(wrong.code, wrong.message, wrong.span, wrong.help)
        if not decision:
            self.folded |= scope.dropped
        return self._targets(value, expr.span, extra)

    def _targets(self, value: Any, place: Span, extra: Mapping[str, Any] | None = None) -> Any:
        """Operators, blocks and initialisers by name become the things themselves. `extra` are a loop's
        names: in an outline, one may be an operator that nobody knows."""
        if isinstance(value, Partial):
            place = value.span or place  # a name in quotes has no place of its own
            given = self._given(value, place, extra)
            if isinstance(value.base, Target):
                base = value.base
                return Target(base.name, base.what, (*base.arguments, *given), place)
            if value.name in self._operators.initialisers and value.name not in self.names:
                return self._initialiser(value, place)
            return self.target(value.name, given, place, extra)
        if isinstance(value, list):
            return [self._targets(v, place, extra) for v in value]
        return value

    def initialiser(self, call: Call) -> Initialiser:
        """How a weight begins, as an `init` rule writes it."""
        name = call.name
        known = self._operators.initialisers
        if name.id not in known:
            close = did_you_mean(name.id, known)
            help = f"did you mean `{close}`?" if close else f"there are {', '.join(sorted(known))}"
            self.context.fail("A501", f"there is no initialiser `{name.id}`", name.span, help)
        return self.evaluate(call, bare=True)

    def _initialiser(self, value: Partial, place: Span) -> Initialiser:
        cls = self._operators.initialiser(value.name)
        assert cls is not None
        try:
            return (bind_outline if self.context.outline else bind)(cls, value.args, value.kwargs)
        except BadAttributes as bad:
            problem = bad.problems[0]
            self.context.fail("A403", problem.message, place, problem.help)

    def _by_name(self, word: Word, place: Span) -> Any:
        """What a bare word stands for as an `init`: an initialiser of a user's by its name."""
        own = self._operators.own_initialisers
        return self._initialiser(Partial(str(word)), place) if word in own else word

    def with_sizes(self, target: Target) -> Target:
        """An einops pattern whose axes are named as numbers of the block gets their sizes."""
        if not getattr(target.what, "named_axes", False):
            return target
        pattern = next((g.value for g in target.arguments if g.name in (None, "pattern")), None)
        if not isinstance(pattern, str):
            return target
        given = {g.name for g in target.arguments}
        sizes = []
        for name in axis_names(pattern):
            value = self.names.get(name)
            if value is UNKNOWN:
                raise Failed
            if name in given or isinstance(value, bool) or not isinstance(value, int | Dim):
                continue
            sizes.append(Given(name, value, target.span))
        return Target(target.name, target.what, (*target.arguments, *sizes), target.span)

    def _given(self, partial: Partial, place: Span, extra: Mapping[str, Any] | None) -> tuple[Given, ...]:
        positional = (Given(None, self._targets(v, place, extra), place) for v in partial.args)
        named = (Given(k, self._targets(v, place, extra), place) for k, v in partial.kwargs.items())
        return (*positional, *named)

    def target(
        self, name: str, given: Iterable[Given], span: Span, extra: Mapping[str, Any] | None = None
    ) -> Target:
        """What a name calls: an `op` param, else a block, else an operator."""
        known = extra[name] if extra and name in extra else self.names.get(name)
        param = self.block.params.get(name)
        called = param is not None and isinstance(param.type, types.Operator) and name in self.names
        if called and known is None:
            self.context.fail("A403", f"`{name}` is null here, and is called", span)
        if isinstance(known, Target):
            return Target(known.name, known.what, (*known.arguments, *given), span)
        if known is UNKNOWN and (called or extra and name in extra):
            raise Failed
        if isinstance(known, Unsettled) and (called or extra and name in extra):
            return Target(name, Placeholder, (Given(None, known.text, span), *given), span)
        what = self.library.block(self.block, name) or self.library.operator(self.block, name)
        if what is None:
            close = did_you_mean(name, self.library.callables(self.block))
            help = f"did you mean `{close}`?" if close else None
            self.context.fail("A250", f"there is no operator or block `{name}`", span, help)
        return Target(name, what, tuple(given), span)

    def no_value(self, expr: Expr) -> None:
        """An argument takes numbers; the name of an input says whether it is there, in conditions only."""
        if isinstance(expr, Name) and expr.id in self.block.inputs:
            self.context.fail("A403", f"`{expr.id}` is an input, and an argument takes numbers", expr.span)

    def decide(
        self, expr: Expr, what: str, extra: Mapping[str, Any] | None = None
    ) -> bool | Test | Undecided:
        """The truth of a condition: decided, or a test of the block's open inputs; in an outline, it
        may be undecided."""
        value = self.evaluate(expr, None, extra, decision=True)
        if self.context.outline and isinstance(value, Cond | Dim | Formula | Unsettled):
            return self._undecided(expr, value, extra)
        if isinstance(value, Cond | Dim | Formula):
            self.needs_static(symbols(value), expr.span)
        if isinstance(value, bool | Test):
            return value
        if isinstance(value, int | float) or value is None:
            return bool(value)
        self.context.fail("A403", f"{what} must be true or false, not {shown(value)}", expr.span)

    def _undecided(self, expr: Expr, value: Any, extra: Mapping[str, Any] | None) -> bool | Undecided:
        known = None if isinstance(value, Unsettled) else truth(value)
        if isinstance(known, bool):
            return known
        return Undecided(self.text(expr, extra), known if isinstance(known, Cond) else None)

    def text(self, expr: Expr, extra: Mapping[str, Any] | None = None) -> str:
        """The text of an expression, with what a loop's names (`extra`) are."""
        return outline_text(expr, self.scope(extra, bare=True), extra)

    def fix_presence(self, inputs: Iterable[str], span: Span) -> NoReturn:
        """Tell that whether an input is given must be known when the model is built."""
        listed = " and ".join(f"`{n}`" for n in sorted(inputs))
        self.context.fail("A413", f"this depends on whether {listed} is given", span, FIX_PRESENCE)

    def needs_static(self, names: Iterable[str], span: Span) -> NoReturn:
        """Tell that a size must be known when the model is built, and how to give it."""
        inner = sorted(names)
        listed = " and ".join(f"`{n}`" for n in inner)
        message = f"{listed} must be known when the model is built"
        self.context.needs_static(sum(symbol(n) for n in inner), message, span)

    # -- calls -----------------------------------------------------------------------------

    def call(self, call: Call, extra: Mapping[str, Any] | None = None) -> Target:
        """The target of a call in the text, its arguments evaluated."""
        target = self.target(call.name.id, (), call.name.span, extra)
        if not call.arguments:
            return Target(target.name, target.what, target.arguments, call.span)
        wanted = {} if target.is_operator else {p.name: p.type for p in target.what.params.values()}
        order = list(wanted.values())
        position = sum(g.name is None for g in target.arguments)
        given = []
        wrong = False
        for argument in call.arguments:
            want = wanted.get(argument.name) if argument.name else None
            if argument.name is None:
                want = order[position] if position < len(order) else None
                position += 1
            if target.is_operator and argument.name and not target.what.takes(argument.name):
                given.append(Given(argument.name, None, argument.span))  # told when it is bound
                continue
            try:
                self.no_value(argument.value)
                value = self.evaluate(argument.value, want, extra, bare=True)
                if isinstance(value, Word) and target.is_operator and argument.name == "init":
                    value = self._by_name(value, argument.span)
            except Failed:
                wrong = True
                continue
            given.append(Given(argument.name, value, argument.span))
        if wrong:
            raise Failed
        return Target(target.name, target.what, (*target.arguments, *given), call.span)


def _words(of: ParamType) -> Iterator[str]:
    """The words of the choices in a param's type."""
    if isinstance(of, types.Choice):
        yield from of.words
    elif isinstance(of, types.List):
        yield from _words(of.item)
    elif isinstance(of, types.Row):
        for item in of.items:
            yield from _words(item)


def stamp(value: Any, name: str) -> Any:
    """Label a number with the name that it has from now on."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return labelled(int(value) if isinstance(value, int) else float(value), name)
    if isinstance(value, list | tuple):
        return [stamp(v, f"{name}[{i}]") for i, v in enumerate(value)]
    return value
