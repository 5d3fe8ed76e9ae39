"""Outlines of the blocks that users start from."""

from __future__ import annotations

from archc.graph.ir import Cases, Graph, Ref
from archc.lang.values import Unsettled
from archc.ops.base import Op
from archc.ops.outline import label
from archc.ops.placeholder import Placeholder
from archc.shapes import Dim
from tests.graph.outlines import NETS, dump, graph, inner


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
