"""From a call in the text to an operator or block with its attributes or params bound."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from archc.graph.context import Context
from archc.graph.numbers import Numbers
from archc.graph.values import Failed, Given, Target
from archc.lang.coerce import coerce
from archc.lang.schema import Block
from archc.ops.base import BadAttributes, Op
from archc.ops.outline import bind_outline
from archc.source.diagnostic import Related, did_you_mean
from archc.source.text import Span


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A target ready to be applied: an operator, or a block and the params that it is given."""

    target: Target
    op: Op | None
    params: dict[str, Any]

    @property
    def block(self) -> Block:
        return self.target.what


def bind_target(context: Context, target: Target) -> Bound:
    """Bind what a call gives; raises Failed, having told all that is wrong with it."""
    if target.is_operator:
        return Bound(target, _operator(context, target), {})
    return Bound(target, None, bind_params(context, target))


def _operator(context: Context, target: Target) -> Op:
    positional = [g for g in target.arguments if g.name is None]
    named = {g.name: g for g in target.arguments if g.name is not None}
    args, kwargs = [g.value for g in positional], {k: g.value for k, g in named.items()}
    try:
        if context.outline:
            return bind_outline(target.what, args, kwargs)
        return target.what.bound(args, kwargs)
    except BadAttributes as bad:
        for problem in bad.problems:
            place = target.span
            if isinstance(problem.argument, int):
                place = positional[problem.argument].span
            elif problem.argument in named:
                place = named[problem.argument].span
            if problem.needs_static is not None:
                with suppress(Failed):
                    context.needs_static(problem.needs_static, problem.message, place, problem.help)
            else:
                known = problem.argument is not None and "has no attribute" not in problem.message
                code = "A403" if known else "A401" if problem.argument is None else "A402"
                context.error(code, problem.message, place, problem.help)
        raise Failed from None


def bind_params(context: Context, target: Target) -> dict[str, Any]:
    """The params of a block that a call gives, checked against their types."""
    block: Block = target.what
    order = list(block.params)
    found: dict[str, Given] = {}
    wrong = False
    position = 0
    for given in target.arguments:
        name = given.name
        if name is None:
            if position >= len(order):
                takes = f"{len(order)} param{'' if len(order) == 1 else 's'}" if order else "no params"
                context.error("A404", f"`{block.name}` takes {takes}", given.span, _usage(block))
                wrong = True
                break
            name = order[position]
            position += 1
        if name not in block.params:
            _unknown(context, block, name, given.span)
            wrong = True
        elif name in found and given.name is not None and found[name].name is None:
            related = [Related(found[name].span, "given here by position")]
            context.error("A404", f"`{name}` is given twice", given.span, related=related)
            wrong = True
        else:
            found[name] = given
    values: dict[str, Any] = {}
    for name, given in found.items():
        value, problem = coerce(given.value, block.params[name].type)
        if problem:
            related = [Related(block.params[name].name_span, f"`{name}` is declared here")]
            context.error("A403", f"`{name}` {problem}", given.span, related=related)
            wrong = True
        values[name] = value
    missing = [p for p in block.params.values() if p.default is None and p.name not in found and not wrong]
    if missing:
        listed = " and ".join(f"`{p.name}`" for p in missing)
        related = [Related(p.name_span, f"`{p.name}` has no default") for p in missing]
        wanted = ", ".join(f"{p.name}=..." for p in missing)
        context.error(
            "A401", f"`{block.name}` needs {listed}", target.span, f"write `{target.name}({wanted})`", related
        )
    if wrong or missing:
        raise Failed
    return values


def _unknown(context: Context, block: Block, name: str, span: Span) -> None:
    close = did_you_mean(name, block.params)
    if name in block.inputs:
        help = f"`{name}` is an input: wire it in the flow, `-> node({name}=...)`"
    elif name in block.dims:
        help = f"`{name}` is a free dimension: it comes from what is wired"
    else:
        help = f"did you mean `{close}`?" if close else _usage(block)
    context.error("A402", f"`{block.name}` has no param `{name}`", span, help)


def _usage(block: Block) -> str:
    if not block.params:
        return f"`{block.name}` has no params"
    shown = [p.name if p.default is None else f"{p.name}=..." for p in block.params.values()]
    return f"it is written `{block.name}({', '.join(shown)})`"


def preset(numbers: Numbers, block: Block, name: str, span: Span) -> tuple[Given, ...]:
    """The settings of a preset, as arguments; free dimensions among them too."""
    found = block.presets.get(name)
    if found is None:
        close = did_you_mean(name, block.presets)
        listed = ", ".join(f"`{p}`" for p in block.presets) or "none"
        help = f"did you mean `{close}`?" if close else f"its presets: {listed}"
        numbers.context.fail("A409", f"`{block.name}` has no preset `{name}`", span, help)
    values = []
    for key, expr in found.values.items():
        param = block.params.get(key)
        value = numbers.evaluate(expr, param.type if param else None)
        values.append(Given(key, value, found.value_spans.get(key, expr.span)))
    return tuple(values)


def with_preset(numbers: Numbers, target: Target, name: str, span: Span) -> Target:
    """A call of a block with a preset under its own arguments."""
    if target.is_operator:
        numbers.context.fail("A409", f"`{target.name}` is an operator and has no presets", span)
    own = Numbers(numbers.context, target.what, numbers.library)
    settings = preset(own, target.what, name, span)
    taken = {g.name for g in target.arguments}
    positional = sum(g.name is None for g in target.arguments)
    taken.update(list(target.what.params)[:positional])
    kept = tuple(g for g in settings if g.name not in taken and g.name in target.what.params)
    sizes = tuple(g for g in settings if g.name in target.what.dims)
    return Target(target.name, target.what, (*target.arguments, *kept), target.span, sizes)
