"""Every block has an outline, and what it tells is so whatever the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from archc.api import ask_torch
from archc.graph.compile import check as bound
from archc.graph.compile import outline
from archc.graph.ir import Apply, Bundle, Call, Choose, Graph, Pack, Pick, Ref, graphs
from archc.lang.evaluate import evaluate
from archc.lang.lexer import SpanPlace
from archc.lang.parser import parse_expression
from archc.lang.values import Scope
from archc.shapes import Dim, Tensor, plain
from archc.source.diagnostic import Report
from archc.source.text import Source, Span
from tests.graph.outlines import ROOT, dump, graph
from tests.language.conftest import read

SPECS = sorted(path for folder in ("vq", "std") for path in (ROOT / "specs" / folder).glob("*.yaml"))


def blocks() -> list[str]:
    found = {path.relative_to(ROOT): yaml.safe_load(path.read_text(encoding="utf-8")) for path in SPECS}
    return [f"{path}#{name}" for path, file in found.items() for name in file["blocks"]]


@pytest.mark.parametrize("entry", blocks())
def test_every_block_of_the_specs(entry: str) -> None:
    found = graph(entry)
    for inside in graphs(found):
        assert inside.outputs
        for node in inside.nodes.values():
            for operand in _operands(node):
                assert operand.node in inside.nodes and operand.out < len(inside.node(operand).outputs)
        for member in inside.members.values():
            assert all(len(use) == (2 if member.count else len(member.copies)) for use in member.uses)
            assert bool(member.count) == bool(member.indices)
        assert dump(inside)


def _operands(node: Any) -> list[Ref]:
    match node:
        case Apply(arguments=arguments):
            found: Any = arguments
        case Call(arguments=wires):
            found = [w.operand for w in wires]
        case Choose(then=then, other=other):
            found = [then, other]
        case Pack(items=items):
            found = items
        case Pick(bundle=bundle):
            found = [bundle]
        case _:
            found = []
    return [operand for operand in found if isinstance(operand, Ref)]


CASES = [case for path in sorted((ROOT / "tests" / "language").glob("*.md")) for case in read(path)]
ON_PRESENCE = {
    "absence::an absent value wired by name to a port that does not exist",
    "operands::`a or b`, a number",
    "repeat::`each(absent)` is absent for every copy",
}
"""Right only because an input is absent: with nothing given it is open, and wrong as it is bound."""


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_every_case_of_the_language(case: Any, tmp_path: Path) -> None:
    for spec in case.specs.values():
        path = tmp_path / spec.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(spec.whole, encoding="utf-8")
    entry = f"{tmp_path / case.entry}{case.target}"
    as_given = outline(entry, case.settings, given=case.given, absent=case.absent, probe=ask_torch)
    bare = outline(entry.partition("@")[0], probe=ask_torch)
    wanted = {line[:4] for line in case.expected.get("error", "").splitlines() if line[:1] == "A"}
    for found in (as_given, bare):
        told = {d.code for d in found.diagnostics if d.severity == "error"}
        if found is as_given or case.id not in ON_PRESENCE:
            assert told <= wanted, found.diagnostics
        if not told:
            assert found.graph is not None
            assert all(dump(inside) for inside in graphs(found.graph))


NO_COPY = {"repeat::`repeat: 0` passes its input through", "repeat::no rows, no copies"}
"""A repeat of undecided count is drawn with the copies that it has: that there may be none is left out."""


def claims(found: Graph, ordinary: Graph) -> list[tuple[str, Any, Any]]:
    """What an outline tells of the values that the ordinary Graph has too: name, claim, truth."""
    numbers = {**ordinary.dims, **ordinary.params, **ordinary.lets}
    mine, theirs = (
        {n: g.type(r) for li in g.lines for n, r in zip(li.names, li.refs, strict=True)}
        for g in (found, ordinary)
    )
    told: list[tuple[str, Any, Any]] = []
    for name in mine.keys() & theirs.keys():
        claim, truth = mine[name], theirs[name]
        if isinstance(claim, Bundle) and isinstance(truth, Bundle):
            told.append((name, claimed(claim.length, numbers), len(truth.members)))
            few = claim.members * len(truth.members) if claim.count is not None else claim.members
            pairs = list(zip(few, truth.members, strict=True))
        else:
            assert isinstance(claim, Tensor) and isinstance(truth, Tensor), name
            pairs = [(claim, truth)]
        for a, b in pairs:
            if a.shape is not None and b.shape is not None:
                told += [(name, len(a.shape), len(b.shape)), (name, a.dtype, b.dtype)]
                sides = zip(a.shape, b.shape, strict=True)
                told += [(name, claimed(x, numbers), plain(y)) for x, y in sides]
    return [one for one in told if one[1] is not None]


def claimed(size: Any, numbers: dict[str, Any]) -> Any:
    """A size of an outline, its text evaluated with the numbers of an ordinary Graph; None: unknown."""
    if not isinstance(size, Dim):
        return plain(size)
    if "?" in str(size) or "..." in str(size):
        return None
    span = Span(Source("size", str(size)), 0, len(str(size)))
    expr = parse_expression(SpanPlace(span), Report())
    assert expr is not None, size
    return plain(evaluate(expr, Scope(names=numbers)))


@pytest.mark.parametrize("case", [c for c in CASES if "error" not in c.expected], ids=lambda case: case.id)
def test_claims_hold_in_the_cases_of_the_language(case: Any, tmp_path: Path) -> None:
    options = {"given": case.given, "absent": case.absent, "probe": ask_torch}
    ordinary = case.check(tmp_path).graph
    entry = f"{tmp_path / case.entry}{case.target.partition('@')[0]}"
    found = outline(entry, **options).graph
    if found is None or case.id in NO_COPY:
        assert case.id in ON_PRESENCE | NO_COPY
        return
    for name, claim, truth in claims(found, ordinary):
        assert claim == truth, f"{name}: {claim} and not {truth}"


SIZES = {"C": 64, "D": 32, "E": 16, "S": 32, "c_out": 128, "ch": 32, "layers": 3, "width": 32, "dim": 32}
SIZES |= {"attention": True, "sampled": True, "sampler": "down", "H": 64, "W": 64}
PARTS = {"res": "ResnetBlock", "attn": "AttentionBlock", "down": "Downsample", "up": "Upsample"}


@pytest.mark.parametrize("same", [True, False], ids=["width kept", "width changed"])
@pytest.mark.parametrize("entry", blocks())
def test_claims_hold_in_the_specs(entry: str, same: bool) -> None:
    known = graph(entry)
    found = graph(entry, {n: v for n, v in PARTS.items() if n in known.params})
    given = SIZES | PARTS | {"c_out": 64 if same else 128}
    ordinary = bound(
        str(ROOT / entry), {n: v for n, v in given.items() if n in {*known.params, *known.dims}}
    ).graph
    if ordinary is None:
        assert "UpLevel" in entry  # the length of a bundle at the top
        return
    told = claims(found, ordinary)
    assert told
    for name, claim, truth in told:
        assert claim == truth, f"{name}: {claim} and not {truth}"
