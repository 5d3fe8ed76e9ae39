"""Operators in the place of those of a flow."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import archc

SILU = "F.silu(x)"
ATTENTION = "F.scaled_dot_product_attention("
KT = "(k -> transpose(-2, -1))"


def spec(flow: str, **inputs: str) -> Any:
    """A block `A` of a flow."""
    ports = ", ".join(f'{name}: "{kind}"' for name, kind in inputs.items())
    lines, _, outputs = flow.partition("; outputs: ")
    text = f"archc: 1\nblocks:\n  A:\n    inputs: {{{ports}}}\n    flow:\n"
    text += "".join(f"      {line}\n" for line in lines.split("; "))
    return archc.text(text + (f"    outputs: {outputs}\n" if outputs else ""))


ONE = {"x": "[B, T]"}
HEADS = {name: "[B, H, T, D]" for name in "qkv"}
ROWS = {name: "[B, T, D]" for name in "qkv"}
SIZES = {"B": 2, "T": 5, "H": 3, "D": 4}

REWRITTEN = {
    "x times its sigmoid": ("y: x * (x -> sigmoid)", ONE, SILU),
    "the sigmoid times x": ("y: (x -> sigmoid) * x", ONE, SILU),
    "by names": ("gate: x -> sigmoid; y: x, gate -> mul", ONE, SILU),
    "attention": (f"y: (q @ {KT} -> softmax) @ v", HEADS, ATTENTION),
    "scaled": (f"s: q @ {KT} * 0.25; y: (s -> softmax(axis=3)) @ v", HEADS, "scale=0.25"),
    "divided": (f"s: q @ {KT} / 4; y: (s -> softmax(-1)) @ v", HEADS, "scale=0.25"),
    "scaled by a width": (f"s: D ** -0.5 * (q @ {KT}); y: (s -> softmax) @ v", HEADS, ATTENTION),
    "scaled by an area": (f"s: q @ {KT} * (1 / T); y: (s -> softmax) @ v", HEADS, "scale=1 / t"),
    "by positive axes": ("y: (q @ (k -> transpose(3, 2)) -> softmax) @ v", HEADS, ATTENTION),
    "a relu of a sum": ("y: x + (x -> tanh) -> relu", ONE, "inplace=True"),
    "without heads": ("y: q, k, v -> attention", ROWS, "q * d**-0.5 @ k.transpose(1, 2)"),
    "without heads, scaled": ("y: q, k, v -> attention(scale=0.3)", ROWS, "q * 0.3 @ k.transpose(1, 2)"),
}

KEPT = {
    "another's sigmoid": ("y: x * (z -> sigmoid)", {"x": "[B, T]", "z": "[B, T]"}),
    "a sigmoid of two uses": ("g: x -> sigmoid; y: x * g; z: g + 1", ONE),
    "a sigmoid that is a result": ("g: x -> sigmoid; y: x * g; outputs: [y, g]", ONE),
    "a relu of an input": ("y: x -> relu", ONE),
    "a relu of a sum of two uses": ("h: x + 1; y: (h -> relu) + h", ONE),
    "a relu of one summand": ("y: x -> add -> relu", ONE),
    "a relu of a bundle's sum": ("xs: bundle(x); y: xs -> add -> relu", ONE),
    "a relu of a product": ("y: x * 2 -> relu", ONE),
    "three factors": ("y: x, (x -> sigmoid), x -> mul", ONE),
    "what may not be there": ("y: x * (x -> sigmoid) or z", {"x": "[B, T]?", "z": "[B, T]"}),
    "a softmax over queries": (f"y: (q @ {KT} -> softmax(axis=2)) @ v", HEADS),
    "other axes": ("y: (q @ (k -> transpose(1, 3)) -> softmax) @ v", {n: "[B, 4, 4, 4]" for n in "qkv"}),
    "causal, without heads": ("y: q, k, v -> attention(causal=true)", ROWS),
    "with dropout, without heads": ("y: q, k, v -> attention(dropout=0.5)", ROWS),
    "with a mask, without heads": ("y: q, k, v, mask=m -> attention", {**ROWS, "m": "bool[T, T]"}),
    "heads that others share": (
        "y: q, k, v -> attention",
        {"q": "[4, T, D]", "k": "[2, T, D]", "v": "[2, T, D]"},
    ),
    "rows": (f"y: (q @ {KT} -> softmax) @ v", ROWS),
    "weights that are a result": (f"w: q @ {KT} -> softmax; y: w @ v; outputs: [y, w]", HEADS),
    "one head for all": (
        f"y: (q @ {KT} -> softmax) @ v",
        {"q": "[B, H, T, D]", "k": "[B, 1, T, D]", "v": "[B, 1, T, D]"},
    ),
    "no scale": (f"s: q @ {KT} / 0; y: (s -> softmax) @ v", HEADS),
}


def drawn(inputs: dict[str, str]) -> dict[str, Tensor]:
    """Values of inputs, sizes by their names."""
    generator = torch.Generator().manual_seed(4)
    found = {}
    for name, kind in inputs.items():
        shape = [SIZES[s] if s in SIZES else int(s) for s in kind.partition("[")[2].strip("?]").split(", ")]
        found[name] = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    return found


@pytest.mark.parametrize("case", REWRITTEN)
def test_other_operators_compute_the_same(case: str) -> None:
    flow, inputs, expected = REWRITTEN[case]
    text = spec(flow, **inputs)
    assert expected in archc.source(text)
    assert expected not in archc.source(text, strict_numerics=True)
    values = drawn(inputs)
    results = []
    for strict in (False, True):
        out = archc.load(text, dtype=torch.float64, strict_numerics=strict)(**values)
        results.append((out, *torch.autograd.grad(out.square().sum(), list(values.values()))))
    torch.testing.assert_close(*results, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", KEPT)
def test_what_is_no_such_case_stays(case: str) -> None:
    flow, inputs = KEPT[case]
    text = spec(flow, **inputs)
    assert archc.source(text) == archc.source(text, strict_numerics=True)


def test_strict_numerics_are_the_specs_to_the_bit() -> None:
    """What a network computes that was written so."""
    flow = "h: x * (x -> sigmoid); s: h @ (h -> transpose(2, 3)) * 0.3; y: (s -> softmax) @ h"
    text = spec(flow, x="[B, H, T, D]")
    x = torch.randn(2, 3, 6, 8, generator=torch.Generator().manual_seed(5))
    h = x * torch.sigmoid(x)
    expected = F.softmax(h @ h.transpose(2, 3) * 0.3, dim=-1) @ h
    assert torch.equal(archc.load(text, strict_numerics=True)(x), expected)
    assert not torch.equal(archc.load(text)(x), expected)
