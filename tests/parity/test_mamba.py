"""The worked example of docs/own_operators.md beside transformers' Mamba."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archc
from archc.runtime.weights import translated

from .compare import default_dtype
from .harness import randomise
from .originals import original

ROOT = Path(__file__).parents[2]
MAMBA = ROOT / "docs/mamba"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(MAMBA)


def small(dtype: torch.dtype, **settings: int) -> nn.Module:
    sizes = {"vocab": 11, "width": 20, "depth": 2, "state": 3, "expand": 2, **settings}
    with default_dtype(dtype):
        return archc.load(MAMBA / "mamba.yaml", ops=["scan_ops"], **sizes)


def test_excerpts_of_the_page_stand_in_the_files() -> None:
    page = (ROOT / "docs/own_operators.md").read_text(encoding="utf-8")
    found = re.findall(r"```\w+ skip it stands in (\S+)\n(.*?)```", page, re.DOTALL)
    assert len(found) == 2
    for file, text in found:
        assert text in (ROOT / file).read_text(encoding="utf-8"), file


def test_the_scan_is_its_definition() -> None:
    import scan_ops  # type: ignore[import-not-found]

    draw = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return torch.randn(shape, dtype=torch.float64, generator=draw)

    u, dt, a, b, c = (
        random(2, 4, 6),
        random(2, 4, 6).exp(),
        -random(4, 3).exp(),
        random(2, 3, 6),
        random(2, 3, 6),
    )
    skip, gate = random(4), random(2, 4, 6)
    found = scan_ops.selective_scan(u, dt, a, b, c, skip, gate)
    expected = torch.empty_like(u)
    for n in range(2):
        for d in range(4):
            h = torch.zeros(3, dtype=torch.float64)
            for t in range(6):
                h = (dt[n, d, t] * a[d]).exp() * h + dt[n, d, t] * b[n, :, t] * u[n, d, t]
                expected[n, d, t] = (c[n, :, t] @ h + skip[d] * u[n, d, t]) * F.silu(gate[n, d, t])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_weights_begin_as_published() -> None:
    model = small(torch.float64)
    mixer = model.layers[0].mixer
    torch.testing.assert_close(mixer.A_log.exp(), torch.arange(1.0, 4.0, dtype=torch.float64).expand(40, 3))
    step = F.softplus(mixer.dt_proj.bias)
    assert step.min() >= 0.001 and step.max() <= 0.1
    assert mixer.dt_proj.weight.abs().max() <= 2**-0.5


@pytest.mark.parametrize("length", [1, 7])
def test_same_numbers(length: int) -> None:
    """In float32 only: the original scans in float32 whatever its dtype. Its own rounding there is what
    ours in float32 differs by from ours in float64."""
    transformers = original("transformers")
    config = transformers.MambaConfig(
        vocab_size=11, hidden_size=20, num_hidden_layers=2, state_size=3, expand=2, use_cache=False
    )
    theirs = transformers.MambaForCausalLM(config).eval()
    randomise(theirs)
    ids = torch.randint(11, (3, length), generator=torch.Generator().manual_seed(1))
    weight = torch.randn((3, length, 11), generator=torch.Generator().manual_seed(2))
    expected = run(theirs, theirs(ids).logits, weight)
    expected["lm_head.weight"] = expected["backbone.embeddings.weight"]
    logits = expected.pop("")
    expected = translated(small(torch.float32).graph, expected, "transformers")
    found, exact = (ours(dtype, theirs, ids, weight) for dtype in (torch.float32, torch.float64))
    close(found.pop(""), logits, exact.pop(""))
    assert found.keys() <= expected.keys()
    for name, gradient in found.items():
        close(gradient, expected[name], exact[name])


def ours(dtype: torch.dtype, theirs: nn.Module, ids: Tensor, weight: Tensor) -> dict[str, Tensor]:
    model = small(dtype).eval()
    archc.load_weights(model, theirs.state_dict(), names="transformers")
    return run(model, model(ids)[0], weight.to(dtype))


def run(model: nn.Module, logits: Tensor, weight: Tensor) -> dict[str, Tensor]:
    """The logits, under "", and the gradients by the weights' names."""
    (logits * weight).sum().backward()
    return {"": logits} | {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def close(found: Tensor, expected: Tensor, exact: Tensor) -> None:
    """Two results in float32 differ by ten times what float32 does to them, at most."""
    assert found.shape == expected.shape
    noise = max((found - exact).abs().max().item(), 1e-7 * exact.abs().max().item())
    assert (found - expected).abs().max() <= 10 * noise


@pytest.mark.parametrize(("preset", "parameters"), [("130m", 129_135_360), ("2.8b", 2_768_345_600)])
def test_published_sizes(preset: str, parameters: int) -> None:
    total = archc.summary(f"{MAMBA}/mamba.yaml@{preset}", ops=["scan_ops"]).total
    assert total.parameters == parameters


def test_it_stays_importable() -> None:
    source = archc.source(MAMBA / "mamba.yaml", ops=["scan_ops"])
    assert "import scan_ops\n" in source and "scan_ops" in sys.modules
