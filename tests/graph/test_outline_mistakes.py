"""Mistakes in an outline are told; what costs too much is not made."""

from __future__ import annotations

import pytest

from archc.graph.compile import Text, outline
from archc.graph.ir import graphs
from tests.graph.outlines import NETS, ROOT, block, dump, graph, spec

WRONG = {
    "an unknown name": (block("y: z -> relu"), "A240"),
    "an unknown operator": (block("y: x -> rleu"), "A250"),
    "an unknown attribute": (block("y: x -> p", "p: 'linear(n, bais=false)'"), "A244"),
    "a wrong attribute": (block("y: x -> p", "p: 'conv1d(n, false)'", inputs="x: [B, C, L]"), "A403"),
    "a rank that is refused": (block("y: x -> p", "p: 'conv2d(4, 3)'"), "A302"),
    "numbers that differ": (block("y: x + z", inputs="x: [B, 3], z: [B, 4]"), "A301"),
    "an input that is missing": (block("y: x -> where"), "A405"),
    "a default of another type": (block("y: x -> p", "p: linear(n)", params="n: int = 3.5"), "A226"),
    "weights in place": (block("y: x -> linear(n)"), "A243"),
    "weights in place, as its attributes say": (
        block("y: x -> instance_norm(affine=true)", inputs="x: [B, C, L]"),
        "A430",
    ),
    "a requirement that nothing meets": (block("y: x -> relu", more=", require: [{C < 1: no}]"), "A407"),
    "both branches": (block('y: "x -> transpose(1, 5) if n > 3 else x -> transpose(2, 5)"'), "A302"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told(name: str) -> None:
    body, code = WRONG[name]
    found = outline(spec(body))
    assert [d.code for d in found.diagnostics] == [code]
    assert found.graph is None and not found.ok


def test_nothing_is_demanded() -> None:
    found = outline(str(ROOT / f"{NETS}#Encoder"))
    assert found.guards == () and found.graph is not None
    assert all(g.guards == () for g in graphs(found.graph))


# Bounds

FIRST = block("y: x -> p", "p: linear(n)", name="B0", params="n: int, c: bool")
WRONG_FIRST = block("y: 'x -> transpose(5, 7)'", name="B0", params="n: int, c: bool")


def nested(first: str, flow: str, nodes: str, levels: int = 40) -> Text:
    """Blocks of which each uses the one before, `#` in `nodes`."""
    rest = (
        block(flow, nodes.replace("#", f"B{i - 1}"), name=f"B{i}", params="n: int, c: bool")
        for i in range(1, levels)
    )
    return spec(first, *rest)


@pytest.mark.parametrize(
    ("flow", "nodes"),
    [
        ("y: x -> a", "a: {call: '#(n + i, c)', repeat: n as i}"),
        ("y: x -> a", "a: {choose: c, true: '#(n, c)', false: '#(2 * n, c)'}"),
        ("y: x -> a -> b", "a: {call: '#(n, c)', when: c}, b: {call: '#(2 * n, not c)', when: not c}"),
    ],
)
@pytest.mark.parametrize("first", [FIRST, WRONG_FIRST], ids=["right", "wrong"])
def test_blocks_in_blocks_are_few_instances(flow: str, nodes: str, first: str) -> None:
    found = outline(nested(first, flow, nodes))
    assert found.graph is not None or [d.code for d in found.diagnostics] == ["A302"]
    if found.graph is not None:
        assert len(graphs(found.graph)) <= 200
        assert sum(len(g.nodes) for g in graphs(found.graph)) <= 2_000


def test_texts_do_not_grow_with_the_lets() -> None:
    first = "a0: 'n if c else 2'"
    lets = [first, *(f"a{i}: '(a{i - 1} if c else n) + a{i - 1}'" for i in range(1, 200))]
    more = f", let: {{{', '.join(lets)}}}"
    main = block("y: x -> p", "p: linear(a199)", params="c: bool, n: int", more=more)
    assert dump(graph(spec(main)))[1:] == ["1 p: linear [C → a199](0) -> [B, a199]"]
