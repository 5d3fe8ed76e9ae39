"""Which operand feeds which port of an operator or a block."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from archc.graph.context import Context
from archc.graph.ir import Bundle
from archc.graph.undecided import ANY
from archc.graph.values import ABSENT, UNKNOWN, Each, Failed, Operand, Target, Value
from archc.ops.base import Op
from archc.ops.placeholder import Placeholder
from archc.shapes import Tensor
from archc.source.diagnostic import Related, did_you_mean
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.lang.schema import Block


class Feed(NamedTuple):
    """An operand on its way to a port: by position where `name` is None."""

    name: str | None
    operand: Operand
    span: Span


class Inlet(NamedTuple):
    """An input of what is called; `bundle`: it takes a bundle (None: either)."""

    name: str
    optional: bool = False
    variadic: bool = False
    bundle: bool | None = False


ANYTHING = (Inlet("inputs", False, True, None),)
"""The ports of what may have any."""


def inlets(target: Target) -> tuple[Inlet, ...]:
    """The ports of what is called."""
    if target.is_operator:
        return operator_inlets(target.what)
    block: Block = target.what
    return tuple(Inlet(i.name, i.optional, False, i.bundle is not None) for i in block.inputs.values())


@cache
def operator_inlets(op: type[Op]) -> tuple[Inlet, ...]:
    """The ports of an operator."""
    if op is Placeholder:
        return ANYTHING
    return tuple(Inlet(p.name, p.optional, p.variadic, None if p.variadic else False) for p in op.ports())


def connect(
    context: Context, name: str, ports: tuple[Inlet, ...], feeds: list[Feed], span: Span
) -> dict[str, list[Feed]] | None:
    """The feeds of each port, or None where something that it needs is absent.

    `name` is what is called, `span` where. Raises Failed where something does not fit, having
    told it, or where something is unknown.
    """
    found: dict[str, list[Feed]] = {p.name: [] for p in ports}
    wrong = False
    free = iter(ports)
    port = next(free, None)
    named: list[Feed] = []
    for feed in feeds:
        if feed.name is not None:
            named.append(feed)
            continue
        if port is None:
            takes = _count(ports)
            given = sum(f.name is None for f in feeds)
            place = feed.span if ports else span
            context.fail("A405", f"`{name}` takes {takes}, got {given}", place, _signature(name, ports))
        found[port.name].append(feed)
        if not port.variadic:
            port = next(free, None)
    by_name = {p.name: p for p in ports} if named else {}
    for feed in named:
        if ports == ANYTHING:
            found[ports[0].name].append(feed)
        elif feed.name not in by_name:
            if feed.operand is ABSENT:
                continue  # an optional part wired to a port that is not there
            assert feed.name is not None
            close = did_you_mean(feed.name, by_name)
            help = f"did you mean `{close}`?" if close else _signature(name, ports)
            context.error("A404", f"`{name}` has no input `{feed.name}`", feed.span, help)
            wrong = True
        elif found[feed.name] and not by_name[feed.name].variadic:
            first = Related(found[feed.name][0].span, "given here")
            context.error("A404", f"input `{feed.name}` is given twice", feed.span, related=[first])
            wrong = True
        else:
            found[feed.name].append(feed)
    missing = [p.name for p in ports if not found[p.name] and not p.optional and not p.variadic]
    if missing and not wrong:
        listed = " and ".join(f"`{m}`" for m in missing)
        help = f"write `-> {name}({', '.join(f'{m}=...' for m in missing)})`"
        context.fail("A405", f"`{name}` also needs {listed}", span, help)
    for p in ports:
        for feed in found[p.name]:
            wrong |= not _kind_fits(context, name, p, feed)
    if wrong or any(f.operand is UNKNOWN for fs in found.values() for f in fs):
        raise Failed
    return _drop_absent(ports, found)


def _drop_absent(ports: tuple[Inlet, ...], found: dict[str, list[Feed]]) -> dict[str, list[Feed]] | None:
    for p in ports:
        there = [f for f in found[p.name] if f.operand is not ABSENT]
        needed = not p.optional and (not p.variadic or found[p.name])
        if needed and not there:
            return None
        found[p.name] = there
    return found


def _kind_fits(context: Context, name: str, port: Inlet, feed: Feed) -> bool:
    operand = feed.operand
    value = operand.value if isinstance(operand, Each) else operand
    if not isinstance(value, Value):
        return True
    if isinstance(operand, Each):
        return True  # told where the shares are counted
    if port.bundle is False and isinstance(value.type, Bundle):
        count = len(value.type.members)
        context.error(
            "A412",
            f"input `{port.name}` of `{name}` takes a tensor, got a bundle of {count}",
            feed.span,
            "take one, as in `b[0]`, or give each copy of a `repeat` its own with `each(b)`",
        )
        return False
    if context.outline and value.type == ANY:
        return True
    if port.bundle is True and isinstance(value.type, Tensor):
        context.error(
            "A412",
            f"input `{port.name}` of `{name}` takes a bundle, got a tensor",
            feed.span,
            "write `bundle(x)`",
        )
        return False
    return True


def _count(ports: tuple[Inlet, ...]) -> str:
    if not ports:
        return "no inputs"
    least = sum(not p.optional for p in ports)
    most = len(ports)
    count = str(most) if least == most else f"{least} to {most}"
    return f"{count} input{'' if count == '1' else 's'}"


def _signature(name: str, ports: tuple[Inlet, ...]) -> str:
    shown = [("*" if p.variadic else "") + p.name + ("?" if p.optional else "") for p in ports]
    return f"the inputs of `{name}` are: {', '.join(shown)}" if shown else f"`{name}` has no inputs"
