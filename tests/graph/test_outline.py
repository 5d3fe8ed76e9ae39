"""Outlines: blocks of which numbers are not given, as Graphs that can be drawn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from archc.graph.compile import Text, outline
from archc.graph.compile import check as bound
from archc.graph.ir import (
    Apply,
    Bundle,
    Call,
    Cases,
    Choose,
    Copy,
    Graph,
    Input,
    Number,
    Pack,
    Pick,
    Read,
    Ref,
    graphs,
)
from archc.lang.evaluate import evaluate
from archc.lang.lexer import SpanPlace
from archc.lang.parser import parse_expression
from archc.lang.values import Scope, Unsettled
from archc.ops.base import Op
from archc.ops.outline import label
from archc.ops.placeholder import Placeholder
from archc.shapes import Dim, Tensor, plain
from archc.source.diagnostic import Report
from archc.source.text import Source, Span

ROOT = Path(__file__).parents[2]
NETS = "specs/vq/nets.yaml"
SPECS = sorted(path for folder in ("vq", "std") for path in (ROOT / "specs" / folder).glob("*.yaml"))


def graph(entry: Any, settings: Any = (), **options: Any) -> Graph:
    found = outline(str(ROOT / entry) if isinstance(entry, str) else entry, settings, **options)
    assert not found.diagnostics, found.diagnostics
    assert found.graph is not None and found.graph.outline
    return found.graph


def block(
    flow: str,
    nodes: str = "",
    *,
    params: str = "n: int",
    inputs: str = "x: [B, C]",
    name: str = "A",
    more: str = "",
) -> str:
    """A block, on one line."""
    return (
        f"  {name}: {{params: {{{params}}}, inputs: {{{inputs}}}, nodes: {{{nodes}}}, "
        f"flow: {{{flow}}}{more}}}\n"
    )


def spec(*parts: str) -> Text:
    """A file of these blocks; the last one is drawn."""
    return Text("archc: 1\nblocks:\n" + "".join(parts))


# -- telling a Graph as text -----------------------------------------------------------------


def dump(found: Graph) -> list[str]:
    """The nodes of a Graph, a line each."""
    return [
        f"{at} {_node(found, node)} -> {', '.join(_type(o) for o in node.outputs)}"
        for at, node in found.nodes.items()
    ]


def _type(output: Any) -> str:
    unknown = (
        "" if isinstance(output.type, Tensor) and output.type.shape is None else _plain(str(output.type))
    )
    return (unknown or "?") + ("?" if output.open else "")


def _plain(text: str) -> str:
    """Unknown sizes without their numbers."""
    return "".join(c for i, c in enumerate(text) if not (c.isdigit() and _of_unknown(text, i)))


def _of_unknown(text: str, at: int) -> bool:
    before = text[:at].rstrip("0123456789")
    return before.endswith("?")


def _operand(operand: Any) -> str:
    if isinstance(operand, Ref):
        return str(operand.node) + (f".{operand.out}" if operand.out else "")
    return f"`{operand.value}`" if isinstance(operand, Number) else str(operand)


def _node(found: Graph, node: Any) -> str:
    match node:
        case Input():
            return f"input {node.name}"
        case Apply():
            inputs = [found.type(a) if isinstance(a, Ref) else None for a in node.arguments]
            own = label(node.op, inputs)  # type: ignore[arg-type]
            name = f"{node.member}: " if node.member else ""
            where = " ".join(_operand(a) for a in node.arguments if a is not None)
            return f"{name}{node.op.title()}{f' [{own}]' if own else ''}({where})"
        case Call():
            member = found.members[node.member]
            copies = " .. ".join(dict.fromkeys(_target(copy) for copy in member.uses[node.use]))
            many = f" {member.arranged} {member.count or len(member.copies)}" if member.arranged else ""
            wires = " ".join(f"{w.port}={'each ' * w.each}{_operand(w.operand)}" for w in node.arguments)
            return f"{node.member}{many}: {copies}({wires})"
        case Choose():
            return f"{node.test}: {_operand(node.then)} or {_operand(node.other)}"
        case Pack():
            return f"bundle({' '.join(map(_operand, node.items))})"
        case Pick():
            return f"{_operand(node.bundle)}[{node.index}]"
        case Read():
            return f"{node.member}.{node.attribute}"
    raise AssertionError(node)


def _target(copy: Copy) -> str:
    target: Any = copy.target
    if isinstance(target, Cases):
        return f"{target.expr} ? " + " | ".join(f"{text}: {_name(each)}" for text, each in target.options)
    given = (
        {n: v for n, v in copy.numbers.items() if n in target.params and n not in _quiet(target)}
        if isinstance(target, Graph)
        else {}
    )
    return _name(target) + (f"[{', '.join(f'{n}={v}' for n, v in given.items())}]" if given else "")


def _quiet(target: Graph) -> set[str]:
    """Params that are as their defaults say."""
    return set(target.defaults)


def _name(target: Op | Graph | None) -> str:
    if target is None:
        return "identity"
    return target.name if isinstance(target, Graph) else target.title()


def inner(found: Graph, name: str) -> list[Graph]:
    return [g for g in graphs(found) if g.name == name]


# -- the blocks that users start from --------------------------------------------------------


def test_resnet_block() -> None:
    found = graph(f"{NETS}#ResnetBlock")
    assert dump(found) == [
        "0 input x -> [B, C, H, W]",
        "1 input time_emb -> [B, D]?",
        "2 norm1: group_norm [groups](0) -> [B, C, H, W]",
        "3 silu(2) -> [B, C, H, W]",
        "4 conv1: conv2d [C → c_out, 3x3](3) -> [B, c_out, H, W]",
        "5 silu(1) -> [B, D]?",
        "6 time_proj: linear [D → c_out](5) -> [B, c_out]?",
        "7 rearrange [b c -> b c 1 1](6) -> [B, c_out, 1, 1]?",
        "8 add(4 7) -> [B, c_out, H, W]",
        "9 norm2: group_norm [groups](8) -> [B, c_out, H, W]",
        "10 silu(9) -> [B, c_out, H, W]",
        "11 drop: dropout [p = dropout](10) -> [B, c_out, H, W]",
        "12 conv2: conv2d [c_out → c_out, 3x3](11) -> [B, c_out, H, W]",
        "13 shortcut: conv_shortcut ? true: conv2d | false: conv2d(x=0) -> [B, c_out, H, W]",
        "14 ('undecided', 'C != c_out'): 13 or 0 -> [B, c_out, H, W]",
        "15 add(14 12) -> [B, c_out, H, W]",
    ]
    assert found.open == ("time_emb",)
    assert str(found.params["c_out"]) == "c_out" and isinstance(found.params["c_out"], Dim)
    assert isinstance(found.params["dropout"], Unsettled)
    cases = found.members["shortcut"].copies[0].target
    assert isinstance(cases, Cases)
    assert [label(op, [found.type(Ref(0))]) for _, op in cases.options if isinstance(op, Op)] == [  # type: ignore[list-item]
        "C → c_out, 3x3",
        "C → c_out, 1x1",
    ]


def test_sampler_block() -> None:
    found = graph(f"{NETS}#SamplerBlock")
    layer = "Layer[c_out=c_out, attention=attention, res=ResnetBlock, attn=AttentionBlock]"
    assert dump(found) == [
        "0 input x -> [B, C, H, W]",
        "1 input time_emb -> [B, D]?",
        f"2 layer repeat layers: {layer}(x=0 time_emb=1) -> [B, c_out, H, W]",
        "3 sampler: sampler ? down: Downsample | up: Upsample(x=2) -> [B, c_out, ?, ?]",
        "4 ('undecided', 'sampler != none'): 3 or 2 -> [B, c_out, ?, ?]",
    ]
    member = found.members["layer"]
    assert (member.count, member.indices) == ("layers", ("0", "layers - 1"))
    first, last = member.copies
    # The first layer changes the width, the last one keeps it.
    assert str(first.inputs["x"]) == "[B, C, H, W]" and str(last.inputs["x"]) == "[B, c_out, H, W]"
    assert isinstance(first.target, Graph) and isinstance(last.target, Graph)
    assert "shortcut" in inner(first.target, "ResnetBlock")[0].members
    assert "shortcut" not in inner(last.target, "ResnetBlock")[0].members


def test_mid_block() -> None:
    res = "ResnetBlock(x={} time_emb=1) -> [B, C, H, W]"
    assert dump(graph(f"{NETS}#MidBlock")) == [
        "0 input x -> [B, C, H, W]",
        "1 input time_emb -> [B, D]?",
        f"2 block_1: {res.format(0)}",
        "3 attn_1: AttentionBlock(x=2) -> [B, C, H, W]",
        f"4 block_2: {res.format(3)}",
    ]


def test_attention_block() -> None:
    assert dump(graph(f"{NETS}#AttentionBlock"))[8:] == [
        "8 transpose [1 ↔ 2](5) -> [B, C, H * W]",
        "9 mat_mul(3 8) -> [B, H * W, H * W]",
        "10 mul(9 `factor`) -> [B, H * W, H * W]",
        "11 attention(3 5 7) -> [B, H * W, C]",
        "12 mat_mul(10 7) -> [B, H * W, C]",
        "13 ('undecided', 'normalised'): 11 or 12 -> [B, H * W, C]",
        "14 rearrange [b (h w) c -> b c h w](13) -> [B, C, H, W]",
        "15 proj_out: conv2d [C → C, 1x1](14) -> [B, C, H, W]",
        "16 add(0 15) -> [B, C, H, W]",
    ]


def test_samplers() -> None:
    assert dump(graph(f"{NETS}#Upsample"))[1:] == [
        "1 upsample [×2 mode](0) -> [B, C, 2 * H, 2 * W]",
        "2 conv: conv2d [C → C, 3x3](1) -> [B, C, 2 * H, 2 * W]",
        "3 ('undecided', 'with_conv'): 2 or 1 -> [B, C, 2 * H, 2 * W]",
    ]
    assert dump(graph(f"{NETS}#Downsample"))[1:] == [
        "1 pad [0, 1, 0, 1](0) -> [B, C, H + 1, W + 1]",
        "2 ('undecided', 'padded'): 1 or 0 -> [B, C, ?, ?]",
        "3 conv: conv2d [C → C, 3x3 s2](2) -> [B, C, (? - 1) // 2, (? - 1) // 2]",
        "4 avg_pool2d [2x2 s2](0) -> [B, C, H // 2, W // 2]",
        "5 ('undecided', 'with_conv'): 3 or 4 -> [B, C, ?, ?]",
    ]


def test_encoder() -> None:
    found = graph(f"{NETS}#Encoder")
    rows = [row for row in dump(found) if not row.startswith(("2 ", "3 "))]
    last = "ch * ch_mult[levels - 1]"
    assert rows == [
        "0 input x -> [B, in_channels, H, W]",
        "1 conv_in: conv2d [in_channels → ch, 3x3](0) -> [B, ch, H, W]",
        f"4 norm_out: group_norm [groups](3) -> [B, {last}, ?, ?]",
        f"5 silu(4) -> [B, {last}, ?, ?]",
        f"6 conv_out: conv2d [{last} → 2 * z_channels if double_z else z_channels, 3x3](5)"
        " -> [B, 2 * z_channels if double_z else z_channels, ?, ?]",
    ]
    down = found.members["down"]
    assert (down.count, down.indices) == ("levels", ("0", "levels - 1"))
    told = [{n: str(v) for n, v in copy.numbers.items()} for copy in down.copies]
    names = ("c_out", "layers", "attention", "sampler", "C")
    assert [told[0][n] for n in names] == [
        "ch * ch_mult[0]",
        "num_res_blocks",
        "resolution in attn_resolutions",
        "down if 0 < samplers else none",
        "ch",
    ]
    assert [told[1][n] for n in names[:4]] == [
        "ch * ch_mult[levels - 1]",
        "num_res_blocks",
        "resolution // 2 ** (levels - 1) in attn_resolutions",
        "down if levels - 1 < samplers else none",
    ]
    # What arrives at the last level is not known, but for the batch.
    assert told[1]["B"] == "B" and all(told[1][n].startswith("?") for n in "CHW")
    # All levels are one drawing, in which the sampler can only be down.
    assert len({id(copy.target) for copy in down.copies}) == 1
    [level] = inner(found, "SamplerBlock")
    assert dump(level)[-2:] == [
        "3 sampler: Downsample[with_conv=with_conv, padded=padded](x=2) -> [B, c_out, ?, ?]",
        "4 ('undecided', 'sampler != none'): 3 or 2 -> [B, c_out, ?, ?]",
    ]
    assert str(level.params["res"]) == "ResnetBlock(dropout=dropout, groups=groups)"


def test_decoder() -> None:
    found = graph(f"{NETS}#Decoder")
    up = found.members["up"]
    told = [{n: str(v) for n, v in copy.numbers.items()} for copy in up.copies]
    assert [t["c_out"] for t in told] == ["ch * ch_mult[levels - 1]", "ch * ch_mult[0]"]
    assert [t["attention"] for t in told] == [
        "lowest in attn_resolutions",
        "lowest * 2 ** (levels - 1) in attn_resolutions",
    ]
    assert dump(found)[-1].endswith("[ch * ch_mult[0] → out_ch, 3x3](5) -> [B, out_ch, ?, ?]")
    assert found.block.direction == "BT"


def test_up_level() -> None:
    found = graph("specs/vq/unet.yaml#UpLevel")
    layer = "UpLayer[c_out=c_out, attention=attention, res=res, attn=attn]"
    assert dump(found) == [
        "0 input x -> [B, C, H, W]",
        "1 input skips -> a bundle of len(skips) x [...]",
        "2 input time_emb -> [B, D]?",
        f"3 layer repeat layers: {layer}(x=0 skip=each 1 time_emb=2) -> ?",
        "4 sampler: placeholder(3) -> ?",
        "5 ('undecided', 'sampled'): 4 or 3 -> ?",
    ]
    sampler = found.members["sampler"].copies[0].target
    assert isinstance(sampler, Placeholder) and sampler.name == "up"
    assert dump(inner(found, "UpLayer")[0])[3] == "3 concat [axis 1](0 1) -> [B, C + S, H, W]"


def test_down_level() -> None:
    rows = dump(graph("specs/vq/unet.yaml#DownLevel"))
    assert rows[2].endswith("-> ?, a bundle of layers x [...]")
    assert rows[-3:] == [
        "5 bundle(2.1 4) -> a bundle of layers + 1 x [...]",
        "6 bundle(2.1) -> a bundle of layers x [...]",
        "7 ('undecided', 'sampled'): 5 or 6 -> a bundle of ? x [...]",
    ]


def test_unet() -> None:
    found = graph("specs/vq/unet.yaml#UNet")
    rows = dump(found)
    assert rows[2] == "2 temb: TimeEmbedding[ch=ch](t=1) -> [B, 4 * ch]?"
    assert rows[6:8] == [
        "6 bundle(3 4.1) -> a bundle of ? * levels + 1 x [B, ?, ?, ?]",
        "7 6[slice(None, None, -1)] -> a bundle of ? * levels + 1 x [B, ?, ?, ?]",
    ]
    assert rows[-1] == "11 conv_out: conv2d [ch * ch_mult[0] → out_ch, 3x3](10) -> [B, out_ch, ?, ?]"
    # The last level is not sampled, whatever the number of levels.
    first, last = found.members["down"].copies
    assert isinstance(first.target, Graph) and isinstance(last.target, Graph)
    assert "sampler" in first.target.members and "sampler" not in last.target.members


def test_tokenizer() -> None:
    rows = dump(graph("specs/vq/tokenizer.yaml#Tokenizer"))
    assert [row.rpartition(" -> ")[2] for row in rows[1:3]] == [
        "[B, z_channels, H // 16, W // 16]",
        "[B, dim, H // 16, W // 16]",
    ]


# -- every block -----------------------------------------------------------------------------


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


def _language() -> Any:
    """The cases of the language: see its conftest.py."""
    path = ROOT / "tests" / "language" / "conftest.py"
    made = importlib.util.spec_from_file_location("language_cases", path)
    assert made is not None and made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules["language_cases"] = module
    made.loader.exec_module(module)
    return module


LANGUAGE = _language()
CASES = [case for path in sorted(LANGUAGE.HERE.glob("*.md")) for case in LANGUAGE.read(path)]
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
    as_given = outline(entry, case.settings, given=case.given, absent=case.absent, probe=LANGUAGE.ask_torch)
    bare = outline(entry.partition("@")[0], probe=LANGUAGE.ask_torch)
    wanted = {line[:4] for line in case.expected.get("error", "").splitlines() if line[:1] == "A"}
    for found in (as_given, bare):
        told = {d.code for d in found.diagnostics if d.severity == "error"}
        if found is as_given or case.id not in ON_PRESENCE:
            assert told <= wanted, found.diagnostics
        if not told:
            assert found.graph is not None
            assert all(dump(inside) for inside in graphs(found.graph))


# -- what an outline says is so whatever the numbers ----------------------------------------

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
    options = {"given": case.given, "absent": case.absent, "probe": LANGUAGE.ask_torch}
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


# -- what is given ---------------------------------------------------------------------------


def test_settings_that_are_given_are_taken() -> None:
    found = graph(f"{NETS}#SamplerBlock", {"attention": True, "layers": 3, "sampler": "up"})
    assert found.members["layer"].count is None and len(found.members["layer"].copies) == 3
    assert dump(found)[-1] == "3 sampler: Upsample(x=2) -> [B, c_out, 2 * H, 2 * W]"
    [*_, last] = inner(found, "Layer")
    assert not any(isinstance(node, Choose) for node in last.nodes.values())


def test_presets_and_presence_are_taken() -> None:
    found = graph(f"{NETS}#Encoder@taming")
    assert len(found.members["down"].copies) == 5
    assert found.params["ch"] == 128 and str(found.params["in_channels"]) == "in_channels"
    assert "time_emb" not in graph(f"{NETS}#ResnetBlock", absent=["time_emb"]).inputs
    assert graph(f"{NETS}#ResnetBlock", given=["time_emb"]).open == ()


@pytest.mark.parametrize(
    "entry", [f"{NETS}#Encoder@iris", f"{NETS}#Decoder@taming", "specs/vq/unet.yaml#UNet"]
)
def test_all_given_is_the_ordinary_graph(entry: str) -> None:
    ordinary = bound(str(ROOT / entry)).graph
    assert ordinary is not None
    given = {n: v for n, v in ordinary.params.items() if isinstance(v, int | float | str | list)}
    found = graph(entry, given)
    for mine, theirs in zip(graphs(found), graphs(ordinary), strict=True):
        assert [type(n) for n in mine.nodes.values()] == [type(n) for n in theirs.nodes.values()]
        assert [n.outputs for n in mine.nodes.values()] == [n.outputs for n in theirs.nodes.values()]
        assert mine.edges == theirs.edges
        assert {n: len(m.copies) for n, m in mine.members.items()} == {
            n: len(m.copies) for n, m in theirs.members.items()
        }


# -- conditions ------------------------------------------------------------------------------


def test_lines_with_conditions() -> None:
    flow = """
        h: "x -> p if on", y: "x -> relu if n > 3 else x -> tanh if on else x", out: "h or y"
    """.strip()
    found = graph(spec(block(flow, "p: linear(n)", params="on: bool = true, n: int")))
    assert dump(found)[1:] == [
        "1 p: linear [C → n](0) -> [B, n]",
        "2 ('undecided', 'on'): 1 or None -> [B, n]",
        "3 relu(0) -> [B, C]",
        "4 tanh(0) -> [B, C]",
        "5 ('undecided', 'on'): 4 or 0 -> [B, C]",
        "6 ('undecided', 'n > 3'): 3 or 5 -> [B, C]",
        "7 None: 2 or 6 -> [B, ?]",
    ]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("C != n", "[B, n]"),
        ("C != n or s != 1", "[B, n]"),
        ("2 * C != 2 * n", "[B, n]"),
        ("C > n", "[B, ?]"),
        ("s != 1", "[B, ?]"),
        ("C == n", "[B, C]"),
    ],
)
def test_a_condition_tells_sizes_where_it_holds(condition: str, kept: str) -> None:
    node = f"p: {{call: linear(n), when: {condition}}}"
    rows = dump(graph(spec(block("y: x -> p", node, params="n: int, s: int"))))
    assert rows[-1] == f"2 ('undecided', '{condition}'): 1 or 0 -> {kept}"


def test_what_may_be_absent_adds_no_size() -> None:
    part = block('y: "x, t -> concat(1)"', name="P", params="", inputs='x: [B, C], t: "[B, E]?"')
    flow = 'h: "x -> relu if on", y: "x, h -> concat(1)", z: "x -> p(h)", w: x + h'
    found = graph(spec(part, block(flow, "p: P", params="on: bool", more=", outputs: [y, z, w]")))
    assert dump(found)[3:] == [
        "3 concat [axis 1](0 2) -> [B, ?]",
        "4 p: P(x=0 t=2) -> [B, ?]",
        "5 add(0 2) -> [B, C]",
    ]
    assert inner(found, "P")[0].open == ("t",)


def test_sizes_that_may_differ_are_unknown() -> None:
    rows = dump(graph(spec(block("y: x + (x -> p)", "p: linear(n)"))))
    assert rows[-1] == "2 add(0 1) -> [B, ?]"


@pytest.mark.parametrize(
    ("condition", "decided"), [("n >= 0", False), ("n > 0", False), ("n * n >= 0", True), ("C >= 1", True)]
)
def test_a_param_may_be_negative_or_zero(condition: str, decided: bool) -> None:
    rows = dump(graph(spec(block(f"y: x -> relu if {condition} else x"))))
    assert (len(rows) == 2) == decided, rows


def test_an_undecided_branch_that_cannot_be_is_left_out() -> None:
    flow = 'y: "x -> transpose(1, 5) if on else x -> relu"'
    assert dump(graph(spec(block(flow, params="on: bool"))))[1:] == ["1 relu(0) -> [B, C]"]


def test_an_undecided_node_that_cannot_be_is_bypassed() -> None:
    node = "p: {call: max_pool2d(2), when: on}"
    assert dump(graph(spec(block("y: x -> p", node, params="on: bool")))) == ["0 input x -> [B, C]"]


# -- copies ----------------------------------------------------------------------------------


def test_copies_of_undecided_number_that_keep_what_arrives() -> None:
    found = graph(spec(block("y: x -> p", "p: {call: linear(C), repeat: n}")))
    assert dump(found)[1:] == ["1 p repeat n: linear(x=0) -> [B, C]"]
    assert found.members["p"].indices == ("0", "n - 1")


def test_copies_of_undecided_number_that_change_what_arrives() -> None:
    part = block('y: "x, x -> concat(1)"', name="Part", params="")
    found = graph(spec(part, block("y: x -> p", "p: {call: Part, repeat: n}")))
    first, last = found.members["p"].copies
    assert str(first.inputs["x"]) == "[B, C]" and str(last.inputs["x"]).startswith("[B, ?")
    assert dump(found)[1:] == ["1 p repeat n: Part(x=0) -> [B, 2 * ?]"]


def test_axes_that_turn_are_not_taken_to_be_kept() -> None:
    node = 'p: {call: "transpose(0, 2)", repeat: n}'
    rows = dump(graph(spec(block("y: x -> p", node, inputs="x: [C, C, D]"))))
    assert rows[-1].endswith("-> [?, C, ?]")


def test_copies_over_a_list() -> None:
    node = 'p: {call: "linear(c, b)", repeat: "rows as i, c, b"}'
    member = graph(spec(block("y: x -> p", node, params='rows: "(int, bool)[]"'))).members["p"]
    assert (member.count, member.indices) == ("len(rows)", ("0", "len(rows) - 1"))
    told = [(str(copy.target.n), str(copy.target.bias)) for copy in member.copies]  # type: ignore[union-attr]
    assert told == [("rows[0][0]", "rows[0][1]"), ("rows[-1][0]", "rows[-1][1]")]


def test_a_copy_that_may_be_bypassed() -> None:
    node = "p: {call: linear(C), when: i < n, repeat: 3 as i}"
    copies = graph(spec(block("y: x -> p", node))).members["p"].copies
    cases: Any = [copy.target for copy in copies]
    assert [case.expr for case in cases] == ["0 < n", "1 < n", "2 < n"]
    assert [text for text, _ in cases[0].options] == ["true", "false"]


def test_each_of_a_bundle_of_unknown_length() -> None:
    part = block('y: "x, s -> concat(1)"', name="Part", params="", inputs="x: [B, C], s: [B, S]")
    main = block(
        'y: "x -> p(each(skips))", z: "y[0]"',
        "p: {call: Part, parallel: n}",
        inputs="x: [B, C], skips: {bundle: true, shape: [B, D]}",
        more=", outputs: [y, z]",
    )
    assert dump(graph(spec(part, main)))[1:] == [
        "1 input skips -> a bundle of len(skips) x [B, D]",
        "2 p parallel n: Part(x=0 s=each 1) -> a bundle of n x [B, C + D]",
        "3 2[0] -> [B, C + D]",
    ]


# -- operators -------------------------------------------------------------------------------


def test_operators_with_attributes_that_are_not_given() -> None:
    found = graph(
        spec(
            block(
                'y: "x -> p -> n -> r -> upsample(2, mode=m)", z: "x -> mean([2, 3])"',
                'p: "conv2d(c, k, s, padding=k // 2, bias=b)", n: "group_norm(k, eps=d)", r: dropout(d)',
                params="c: int, k: int = 3, s: int = 1, b: bool, d: float = 0.1, m: nearest | bilinear",
                inputs="x: [B, C, H, W]",
                more=", outputs: [y, z]",
            )
        )
    )
    shape = "[B, c, (H - k % 2) // s + 1, (W - k % 2) // s + 1]"
    assert dump(found)[1:] == [
        f"1 p: conv2d [C → c, k x k s = s](0) -> {shape}",
        f"2 n: group_norm [k](1) -> {shape}",
        f"3 r: dropout [p = d](2) -> {shape}",
        "4 upsample [×2 m](3) -> [B, c, 2 * ((H - k % 2) // s) + 2, 2 * ((W - k % 2) // s) + 2]",
        "5 mean [axis 2, 3](0) -> [B, C]",
    ]


def test_an_operator_that_cannot_tell_is_no_error() -> None:
    found = graph(spec(block('h: "x -> unsqueeze(n)", y: h -> p', "p: 'conv2d(n, 3)'")))
    assert dump(found)[1:] == ["1 unsqueeze(0) -> ?", "2 p: conv2d [→ n, 3x3](1) -> ?"]


def test_an_operator_that_nobody_gave() -> None:
    main = block(
        '"h, g": "x -> p(time=t)", y: h + g',
        'p: "act(c, 3)"',
        params="act: op, c: int",
        inputs="x: [B, C], t: [B, D]",
    )
    found = graph(spec(main))
    assert dump(found)[2:] == ["2 p: placeholder [c, 3](0 1) -> ?, ?", "3 add(2 2.1) -> ?"]
    target = found.members["p"].copies[0].target
    assert isinstance(target, Placeholder) and target.name == "act"


# -- what is wrong ---------------------------------------------------------------------------

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


# -- bounds ----------------------------------------------------------------------------------

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
