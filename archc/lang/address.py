"""Addresses, `file.yaml#Block@preset`, and the settings that go with them, `-p name=value`."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from archc.lang.parser import SpanPlace, parse_expression
from archc.lang.syntax import Expr, Literal, Sequence
from archc.lang.types import List, Operator, ParamType, Row
from archc.source.diagnostic import Report, did_you_mean
from archc.source.quoting import shortened
from archc.source.text import Source, Span

if TYPE_CHECKING:
    from archc.lang.project import Project
    from archc.lang.schema import Block

_BLOCK = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_PRESET = re.compile(r"[A-Za-z0-9_.-]+\Z")
_SETTING = re.compile(r"\s*([A-Za-z_]\w*)\s*=", re.ASCII)


class Address(NamedTuple):
    """A file (`-`: standard input), and of it a block and a preset; without a block, its main one."""

    path: str
    block: str | None = None
    preset: str | None = None

    def __str__(self) -> str:
        block = f"#{self.block}" if self.block else ""
        return f"{self.path}{block}{f'@{self.preset}' if self.preset else ''}"

    @classmethod
    def parse(cls, text: str, report: Report) -> Address | None:
        """The address that a text writes, or None where it is none.

        A `#` or `@` in the name of a folder, and an `@` in a file that ends in `.yaml`, belong to
        the path; so does whatever a drive letter needs.

        >>> Address.parse("vq.yaml#Encoder@iris", Report())
        Address(path='vq.yaml', block='Encoder', preset='iris')
        >>> Address.parse(r"C:\\\\nets@home\\\\vq.yaml", Report()).path
        'C:\\\\\\\\nets@home\\\\\\\\vq.yaml'
        """
        start = max(text.rfind("/"), text.rfind("\\")) + 1
        rest = text[start:]
        name, hash, tail = rest.partition("#")
        block: str | None = None
        preset: str | None = None
        if hash:
            block, at, found = tail.partition("@")
            preset = found if at else None
        elif "@" in rest and not rest.endswith((".yaml", ".yml")):
            name, _, preset = rest.rpartition("@")
        where = Span(Source("address", text), 0, len(text))
        if not name:
            report.error("A701", f"`{text}` names no file", where, help="write `file.yaml#Block@preset`")
            return None
        for part, pattern, what in ((block, _BLOCK, "block"), (preset, _PRESET, "preset")):
            if part is not None and not pattern.match(part):
                message = f"`{part}` is no name of a {what}" if part else f"the address names no {what}"
                report.error("A701", message, where, help="write `file.yaml#Block@preset`")
                return None
        return cls(text[:start] + name, block, preset)


def parse_settings(items: Iterable[str], report: Report) -> dict[str, Expr]:
    """The expressions of `name=value` texts. Their places are in sources named `-p name=value`.

    >>> parse_settings(["C=64"], Report())["C"].value
    64
    """
    found: dict[str, Expr] = {}
    for item in items:
        source = Source(f"-p {shortened(item)}", item)
        match = _SETTING.match(item)
        whole = Span(source, 0, len(item))
        if match is None:
            report.error("A702", f"`{item}` is no setting", whole, help="write `name=value`: `-p C=64`")
        elif match[1] in found:
            report.error("A703", f"`{match[1]}` is set twice", Span(source, *match.span(1)), help="drop one")
        else:
            value = parse_expression(SpanPlace(Span(source, match.end(), len(item))), report)
            if value is not None:
                found[match[1]] = value
    return found


def python_settings(values: Mapping[str, Any], block: Block, report: Report) -> dict[str, Expr]:
    """The expressions of settings given in Python: numbers, strings, lists, None. A string for an `op`
    is parsed (`act="gelu(approximate=true)"`), any other string is the string itself."""
    found: dict[str, Expr] = {}
    for name, value in values.items():
        shown = f"{name}={value!r}"
        source = Source(f"argument {name}", shown)
        span = Span(source, len(name) + 1, len(shown))
        param = block.params.get(name)
        expr = _literal(value, span, param is not None and _holds_op(param.type), report)
        if expr is not None:
            found[name] = expr
    return found


def _holds_op(type: ParamType) -> bool:
    inner = type.items if isinstance(type, Row) else [type.item] if isinstance(type, List) else []
    return isinstance(type, Operator) or any(_holds_op(item) for item in inner)


def _literal(value: Any, span: Span, op: bool, report: Report) -> Expr | None:
    if isinstance(value, str) and op:
        return parse_expression(SpanPlace(_of(value)), report)
    if value is None or isinstance(value, bool | int | float | str):
        return Literal(value, span)
    if isinstance(value, list | tuple):
        items = [_literal(item, span, op, report) for item in value]
        right = [item for item in items if item is not None]
        return Sequence(tuple(right), span) if len(right) == len(items) else None
    try:
        return Literal(operator.index(value), span)  # a numpy integer, a torch.Size entry
    except TypeError:  # a tensor of several elements has __index__ too
        pass
    message = f"a setting cannot be {type(value).__name__}"
    report.error("A702", message, span, help="give numbers, strings, lists or None")
    return None


def _of(text: str) -> Span:
    return Span(Source("argument", text), 0, len(text))


def select(project: Project, address: Address, report: Report) -> Block | None:
    """The block that an address takes of a project's file; None where there is none, or no such
    preset, which is reported unless reading the file has failed."""
    file = project.entry
    if file is None:
        return None
    where = Span(Source("address", str(address)), 0, len(str(address)))
    if address.block is None:
        block = file.entry
    else:
        block = file.blocks.get(address.block)
        if block is None and address.block not in file.broken:
            close = did_you_mean(address.block, file.blocks)
            help = f"did you mean `{close}`?" if close else _those("blocks", file.blocks)
            report.error("A705", f"`{address.path}` has no block `{address.block}`", where, help=help)
    if block is None:
        return None
    preset = address.preset
    if preset is not None and preset not in block.presets and f"@{preset}" not in block.broken:
        close = did_you_mean(preset, block.presets)
        help = f"did you mean `{close}`?" if close else _those("presets", block.presets)
        report.error("A706", f"`{block.name}` has no preset `{preset}`", where, help=help)
        return None
    return block


def check_settings(block: Block, settings: Mapping[str, Expr], report: Report) -> None:
    """Report settings of what is no param and no free dimension of a block."""
    for name, value in settings.items():
        if name not in block.params and name not in block.dims and name not in block.broken:
            known = [*block.params, *block.dims]
            close = did_you_mean(name, known)
            help = f"did you mean `{close}`?" if close else _those("settings", known)
            report.error("A707", f"`{block.name}` has no param `{name}`", value.span, help=help)


def _those(what: str, names: Iterable[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"its {what} are {listed}" if listed else f"it has no {what}"
