"""Runs the cases of the language: see conftest.py for how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from archc.graph.checkpoints import known_maps, resolve
from archc.graph.compile import Result
from archc.graph.ir import Bundle, Graph, Ref, Type
from archc.graph.recipes import text
from archc.graph.weights import weights
from archc.shapes import plain
from archc.source.diagnostic import Diagnostic
from archc.source.render import render
from archc.source.text import Span

ONE = re.compile(r"(A\d{3})(?: (\d+))? (?:`` (.+?) ``|`(.*?)`|-) ?(.*)")


def test_case(case: Any, tmp_path: Path) -> None:
    result = case.check(tmp_path)
    told = Told(case)
    for kind in ("error", "warning"):
        wanted = read_diagnostics(case.expected.get(kind, ""))
        found = [told.one(d) for d in result.diagnostics if d.severity == kind]
        if len(wanted) != len(found) or not all(map(One.met_by, wanted, found)):
            written = "\n".join(map(str, wanted)) or f"no {kind}"
            _fail(case, written, render(result.diagnostics, color=False) or f"no {kind}")
    for kind, facts in FACTS.items():
        if kind in case.expected:
            assert result.graph is not None
            wanted = [line for line in case.expected[kind].splitlines() if line.strip()]
            found = facts(result.graph, result, wanted)
            if found != wanted:
                _fail(case, "\n".join(wanted), "\n".join(found))


def _fail(case: Any, wanted: str, found: str) -> NoReturn:
    specs = "\n".join(spec.text for spec in case.specs.values())
    pytest.fail(f"{specs}\n-- wanted:\n{wanted}\n-- found:\n{found}", pytrace=False)


# -- what holds of a right spec --------------------------------------------------------------


def shapes(graph: Graph, result: Result, wanted: list[str]) -> list[str]:
    names = [line.partition(":")[0] for line in wanted]
    refs = {**graph.inputs, **{n: r for li in graph.lines for n, r in zip(li.names, li.refs, strict=True)}}
    assert all(name in refs or name in _values(graph) for name in names), names
    return [f"{name}: {shown(graph, refs[name]) if name in refs else 'absent'}" for name in names]


def _values(graph: Graph) -> set[str]:
    return {name.id for line in graph.block.flow for name in line.names} | set(graph.block.inputs)


def outputs(graph: Graph, result: Result, wanted: list[str]) -> list[str]:
    return [f"{name}: {shown(graph, ref)}" for name, ref in graph.outputs.items()]


def owned(graph: Graph, result: Result, wanted: list[str]) -> list[str]:
    return [f"{name}: [{', '.join(map(str, w.shape))}]" for name, w in weights(graph).items()]


def numbers(graph: Graph, result: Result, wanted: list[str]) -> list[str]:
    known = {**graph.params, **graph.lets, **graph.dims}
    return [f"{name}: {number(known[name])}" for name in (line.partition(":")[0] for line in wanted)]


def guards(graph: Graph, result: Result, wanted: list[str]) -> list[str]:
    return list(result.guards)


def names(graph: Graph, result: Result, wanted: list[str]) -> list[str]:
    [name] = known_maps(graph)
    layout = resolve(graph, name)
    found = [f"{ours}: {text(recipe)}" for ours, recipe in layout.recipes.items()]
    return found + [f"ignore: {pattern}" for pattern in layout.ignored]


FACTS = {
    "shapes": shapes,
    "outputs": outputs,
    "weights": owned,
    "numbers": numbers,
    "guards": guards,
    "names": names,
}


def shown(graph: Graph, ref: Ref) -> str:
    output = graph.node(ref).outputs[ref.out]
    return type_text(output.type) + "?" * output.open


def type_text(type: Type) -> str:
    return f"({', '.join(map(str, type.members))})" if isinstance(type, Bundle) else str(type)


def number(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(number, value))}]"
    value = plain(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    return repr(value) if isinstance(value, bool | int | float | str | None) else str(value)


# -- diagnostics -----------------------------------------------------------------------------


@dataclass
class One:
    """A diagnostic, as it is written in a case or as it was found. The words `-`: anywhere."""

    code: str
    line: int | None
    words: str
    message: str
    help: list[str] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    way: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        further = [f"\n  help: {h}" for h in self.help] + [f"\n  with: {r}" for r in self.related]
        further += [f"\n  in: {w}" for w in self.way]
        return f"{self.code} {self.line} `{self.words}` {self.message}{''.join(further)}"

    def met_by(self, found: One) -> bool:
        """Is this, as written, what was found?"""
        return (
            self.code == found.code
            and self.line in (None, found.line)
            and self.words in ("-", found.words)
            and found.message.startswith(self.message)
            and all(h in found.help[0] for h in self.help)
            and all(any(r in f for f in found.related) for r in self.related)
            and (not self.way or self.way == found.way)
        )


def read_diagnostics(text: str) -> list[One]:
    found: list[One] = []
    for line in text.splitlines():
        if match := ONE.fullmatch(line):
            code, at, quoted, words, message = match.groups()
            place = quoted or ("-" if words is None else words)
            found.append(One(code, int(at) if at else None, place, message))
        elif line.strip():
            key, _, rest = line.strip().partition(": ")
            into = {"help": found[-1].help, "with": found[-1].related, "in": found[-1].way}
            into[key].append(rest)
    return found


class Told:
    """Shows diagnostics of a case with places in its fences."""

    def __init__(self, case: Any) -> None:
        self.case = case

    def one(self, d: Diagnostic) -> One:
        return One(
            d.code,
            self.line(d.span),
            self.words(d.span),
            d.message,
            [d.help or ""],
            [f"{self.line(r.span)} {r.message}" for r in d.related],
            [f"{self.line(f.span)} {f.message}" for f in d.trace],
        )

    def line(self, span: Span | None) -> int | None:
        if span is None:
            return None
        spec = next((s for s in self.case.specs.values() if span.source.name.endswith(s.name)), None)
        return span.line - (spec.skipped if spec else 0)

    @staticmethod
    def words(span: Span | None) -> str:
        """The words under the caret; of several lines the first."""
        return span.text.split("\n")[0].rstrip() if span else ""
