"""The blocks that ship with archc, beside what torch has of the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archc

STD = Path(__file__).parents[2] / "specs" / "std"


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def made(block: str, **settings: object) -> nn.Module:
    """A block in float64 with weights that defaults cannot hide behind."""
    net = archc.load(f"{STD / block}", **settings).double().eval()
    for p in net.parameters():
        nn.init.normal_(p, std=0.3)
    for b in net.buffers():
        if b.is_floating_point():
            nn.init.uniform_(b, 0.5, 1.5)
    return net


def close(found: Tensor, want: Tensor) -> None:
    torch.testing.assert_close(found, want, rtol=1e-10, atol=1e-10)


def images(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def conv_norm(net: nn.Module, x: Tensor, stride: int = 1) -> Tensor:
    w = net.conv.weight
    x = F.conv2d(x, w, stride=stride, padding=w.shape[-1] // 2)
    n = net.norm
    return F.batch_norm(x, n.running_mean, n.running_var, n.weight, n.bias, eps=1e-5)


@pytest.mark.parametrize(("c_out", "stride"), [(8, 1), (16, 1), (8, 2), (16, 2)])
def test_basic_block(c_out: int, stride: int) -> None:
    net = made("vision.yaml#BasicBlock", C=8, c_out=c_out, stride=stride)
    x = images(2, 8, 9, 12)
    h = conv_norm(net.conv2, F.relu(conv_norm(net.conv1, x, stride)))
    changed = c_out != 8 or stride != 1
    assert hasattr(net, "shortcut") == changed
    close(net(x), F.relu(h + (conv_norm(net.shortcut, x, stride) if changed else x)))


def test_bottleneck() -> None:
    net = made("vision.yaml#Bottleneck", C=8, width=4, stride=2)
    x = images(2, 8, 8, 6)
    h = F.relu(conv_norm(net.conv2, F.relu(conv_norm(net.conv1, x)), 2))
    close(net(x), F.relu(conv_norm(net.conv3, h) + conv_norm(net.shortcut, x, 2)))


def test_squeeze_excite() -> None:
    net = made("vision.yaml#SqueezeExcite", C=16, reduction=4)
    x = images(2, 16, 5, 5)
    w = net.expand(F.relu(net.reduce(F.adaptive_avg_pool2d(x, 1))))
    close(net(x), x * torch.sigmoid(w))


def test_squeeze_excite_of_a_width_of_its_own() -> None:
    net = made("vision.yaml#SqueezeExcite", C=16, hidden=3, act="silu", gate="hardsigmoid")
    x = images(2, 16, 5, 5)
    w = net.expand(F.silu(net.reduce(F.adaptive_avg_pool2d(x, 1))))
    assert net.reduce.out_channels == 3
    close(net(x), x * F.hardsigmoid(w))


NEEDED: dict[str, dict[str, int]] = {"BasicBlock": {"c_out": 16}, "Bottleneck": {"width": 4}}
PARTS = {"BasicBlock": ["conv1", "conv2", "shortcut"], "Bottleneck": ["conv1", "conv2", "conv3", "shortcut"]}


@pytest.mark.parametrize("block", ["BasicBlock", "Bottleneck"])
def test_residual_blocks_take_another_norm(block: str) -> None:
    net = made(f"vision.yaml#{block}", C=8, stride=2, norm="group_norm(2)", **NEEDED[block])
    norms = [name for name, part in net.named_modules() if isinstance(part, nn.GroupNorm)]
    assert norms == [f"{name}.norm" for name in PARTS[block]]
    assert not any(isinstance(part, nn.BatchNorm2d) for part in net.modules())


def test_patch_embed() -> None:
    net = made("vision.yaml#PatchEmbed", C=3, dim=6, patch=4)
    x = images(2, 3, 8, 12)
    close(net(x), net.proj(x).flatten(2).transpose(1, 2))
    with pytest.raises(ValueError, match="whole patches"):
        net(images(2, 3, 8, 13))


def multihead(net: nn.Module, query: Tensor, source: Tensor, heads: int, **options: object) -> Tensor:
    """torch's own multi-head attention with the weights of ours."""
    found, _ = F.multi_head_attention_forward(
        query.transpose(0, 1),
        source.transpose(0, 1),
        source.transpose(0, 1),
        query.shape[-1],
        heads,
        None,
        torch.cat([net.q.bias, net.k.bias, net.v.bias]),
        None,
        None,
        False,
        0.0,
        net.out.weight,
        net.out.bias,
        need_weights=False,
        use_separate_proj_weight=True,
        q_proj_weight=net.q.weight,
        k_proj_weight=net.k.weight,
        v_proj_weight=net.v.weight,
        **options,
    )
    return found.transpose(0, 1)


def test_self_attention() -> None:
    net = made("transformer.yaml#SelfAttention", D=12, heads=3)
    x = images(2, 5, 12)
    close(net(x), multihead(net, x, x, 3))
    mask = torch.rand(2, 5, 5) > 0.3
    mask |= torch.eye(5, dtype=torch.bool)
    close(net(x, mask), multihead(net, x, x, 3, attn_mask=~mask.repeat_interleave(3, 0)))


def test_causal_self_attention() -> None:
    net = made("transformer.yaml#SelfAttention", D=12, heads=3, causal=True, absent=["mask"])
    x = images(2, 5, 12)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    close(net(x), multihead(net, x, x, 3, attn_mask=later))


def test_cross_attention() -> None:
    net = made("transformer.yaml#CrossAttention", D=12, E=7, heads=3)
    x, context = images(2, 5, 12), images(2, 4, 7)
    close(net(x, context), multihead(net, x, context, 3))


def test_encoder_layer() -> None:
    net = made("transformer.yaml#EncoderLayer", D=12, heads=3, hidden=20)
    own = nn.TransformerEncoderLayer(12, 3, 20, 0.0, "gelu", batch_first=True, norm_first=True)
    own = own.double().eval()
    attn = net.attn
    with torch.no_grad():
        own.self_attn.in_proj_weight.copy_(torch.cat([attn.q.weight, attn.k.weight, attn.v.weight]))
        own.self_attn.in_proj_bias.copy_(torch.cat([attn.q.bias, attn.k.bias, attn.v.bias]))
    pairs = [(own.self_attn.out_proj, attn.out), (own.linear1, net.mlp.fc1), (own.linear2, net.mlp.fc2)]
    pairs += [(own.norm1, net.norm1), (own.norm2, net.norm2)]
    for theirs, ours in pairs:
        theirs.load_state_dict(ours.state_dict())
    x = images(2, 5, 12)
    close(net(x), own(x))


def test_the_library_is_named_by_std() -> None:
    spec = """
archc: 1
use: [std:vision, {Layer: "std:transformer#EncoderLayer"}]
blocks:
  Vit:
    inputs: {x: [B, 3, H, W]}
    nodes: {embed: "PatchEmbed(32, 8)", layer: {call: Layer(4), repeat: 2}}
    flow: {out: x -> embed -> layer}
"""
    assert archc.load(archc.text(spec))(torch.randn(2, 3, 16, 24)).shape == (2, 6, 32)
