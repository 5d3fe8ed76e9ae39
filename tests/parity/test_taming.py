"""The VQ networks and the U-Net against their originals, taming-transformers.

The original's modules run beside the specs' with the same random weights: state_dict names through
the map `taming`, outputs and gradients must be the same.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import archc
from archc.runtime import save_weights

try:
    from taming.modules.diffusionmodules import model as taming
    from taming.modules.vqvae.quantize import VectorQuantizer
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    reason = "taming-transformers is not installed: pip install --no-deps taming-transformers==0.0.1"
    pytest.skip(reason, allow_module_level=True)

pytestmark = pytest.mark.parity

SPECS = Path(__file__).parents[2] / "specs" / "vq"
DTYPES = (torch.float64, torch.float32)

dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=("float64", "float32"))


def load(address: str, dtype: torch.dtype, **options: Any) -> nn.Module:
    return archc.load(f"{SPECS}/{address}", dtype=dtype, **options)


def draw(dtype: torch.dtype, *shape: int, seed: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def single(model: nn.Module, *more: Any):
    """A model of one output as a function that gives a list of outputs."""
    return lambda *inputs: [model(*inputs, *more)]


# Networks: the settings of both, and the sizes of the image

BASE = {
    "ch": 32,
    "ch_mult": [1, 2],
    "num_res_blocks": 2,
    "resolution": 16,
    "attn_resolutions": [8],
    "resamp_with_conv": True,
    "dropout": 0.3,  # evaluation knows none
    "in_channels": 3,
    "out_ch": 3,
}

CASES: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "one level": ({"ch_mult": [1], "attn_resolutions": []}, (8, 12)),
    "one level with attention": ({"ch_mult": [2], "attn_resolutions": [16], "num_res_blocks": 1}, (12, 8)),
    "two levels, attention at the lowest": ({}, (16, 16)),
    "two levels, attention at the highest": ({"attn_resolutions": [16]}, (8, 16)),
    "two levels by interpolation": ({"resamp_with_conv": False}, (16, 8)),
    "three levels, attention at all": ({"ch_mult": [1, 2, 1], "attn_resolutions": [4, 8, 16]}, (16, 24)),
    "three levels, no attention": ({"ch_mult": [2, 1, 3], "attn_resolutions": []}, (24, 16)),
    "three levels of a size that halves unevenly": (
        {"ch_mult": [1, 1, 2], "resolution": 90, "attn_resolutions": [44, 45], "num_res_blocks": 1},
        (16, 16),
    ),
    "four levels": ({"ch_mult": [1, 1, 2, 2], "attn_resolutions": [2, 8], "num_res_blocks": 1}, (32, 16)),
    "four levels by interpolation": (
        {"ch_mult": [1, 2, 2, 4], "attn_resolutions": [], "resamp_with_conv": False, "num_res_blocks": 3},
        (16, 32),
    ),
    "five levels": ({"ch_mult": [1, 1, 2, 1, 3], "resolution": 64, "attn_resolutions": [4, 16]}, (32, 48)),
    "small": ({"ch_mult": [1, 2], "num_res_blocks": 1}, (8, 8)),
    "other channels": ({"in_channels": 1, "out_ch": 5, "ch": 64, "ch_mult": [1, 1]}, (8, 8)),
}

cases = pytest.mark.parametrize("case", CASES)
few = pytest.mark.parametrize("case", ["two levels, attention at the lowest", "three levels, no attention"])
compilations = pytest.mark.parametrize("how", [True, "whole"], ids=("by block", "whole"))


def settings(case: str, *left_out: str) -> tuple[dict[str, Any], dict[str, Any], tuple[int, int]]:
    """The settings of a spec, which lacks some of them; all of them for the original; the sizes."""
    own, sizes = CASES[case]
    all_ = {**BASE, **own}
    return {k: v for k, v in all_.items() if k not in left_out}, all_, sizes


def encoders(
    case: str, dtype: torch.dtype, double_z: bool, **options: Any
) -> tuple[nn.Module, nn.Module, Tensor]:
    ours, theirs, (h, w) = settings(case, "out_ch")
    more = {"z_channels": 6, "double_z": double_z}
    model = load("nets.yaml#Encoder", dtype, **ours, **more, **options)
    return model, taming.Encoder(**theirs, **more), draw(dtype, 2, theirs["in_channels"], h, w)


def decoders(case: str, dtype: torch.dtype, **options: Any) -> tuple[nn.Module, nn.Module, Tensor]:
    ours, theirs, (h, w) = settings(case, "in_channels")
    down = 2 ** (len(theirs["ch_mult"]) - 1)
    model = load("nets.yaml#Decoder", dtype, **ours, z_channels=6, **options)
    return model, taming.Decoder(**theirs, z_channels=6), draw(dtype, 2, 6, h // down, w // down)


@dtypes
@cases
def test_encoder(case: str, dtype: torch.dtype, paired) -> None:
    model, original, x = encoders(case, dtype, double_z=len(case) % 2 == 0)
    paired(model, original).check({"x": x}, single(model), single(original))


@dtypes
@pytest.mark.parametrize("double_z", [False, True])
def test_encoder_of_one_vector_or_two(double_z: bool, dtype: torch.dtype, paired) -> None:
    model, original, x = encoders("one level", dtype, double_z)
    paired(model, original).check({"x": x}, single(model), single(original))
    assert model(x).shape[1] == (12 if double_z else 6)


@dtypes
@cases
def test_decoder(case: str, dtype: torch.dtype, paired) -> None:
    model, original, z = decoders(case, dtype)
    paired(model, original).check({"z": z}, single(model), single(original))


@compilations
def test_compiled_encoder(how: Any, paired) -> None:
    model, original, x = encoders("small", torch.float32, False, compile=how)
    paired(model, original).check({"x": x}, single(model), single(original))


@compilations
def test_compiled_decoder_in_training(how: Any, paired) -> None:
    model, original, z = decoders("one level with attention", torch.float32, compile=how)
    paired(model, original).check({"z": z}, single(model), single(original))


def test_files_of_the_original_load_and_are_written(tmp_path: Path) -> None:
    """A file that the original wrote loads by its own names; what is written fits the original again."""
    settings = {"ch": 32, "ch_mult": [1, 2], "attn_resolutions": [8], "resolution": 16, "z_channels": 6}
    original = taming.Decoder(in_channels=3, out_ch=3, num_res_blocks=1, **settings).eval()
    save_file(original.state_dict(), tmp_path / "theirs.safetensors")
    model = load(
        "nets.yaml#Decoder",
        torch.float32,
        num_res_blocks=1,
        weights=tmp_path / "theirs.safetensors",
        names="taming",
        **settings,
    ).eval()
    z = draw(torch.float32, 1, 6, 4, 4)
    torch.testing.assert_close(model(z), original(z), rtol=0, atol=1e-5)

    save_weights(model, tmp_path / "ours.safetensors", names="taming")
    written = load_file(tmp_path / "ours.safetensors")
    torch.testing.assert_close(written, dict(original.state_dict()), rtol=0, atol=0)


# The U-Net


def unets(
    case: str, dtype: torch.dtype, timed: bool, **options: Any
) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    ours, theirs, (h, w) = settings(case)
    presence = {"given": ["t"]} if timed else {"absent": ["t"]}
    model = load("unet.yaml#UNet", dtype, **ours, **presence, **options)
    original = taming.Model(**theirs, use_timestep=timed)
    t = torch.tensor([3, 41])
    return model, original, draw(dtype, 2, theirs["in_channels"], h, w), t


@pytest.mark.parametrize("case", [c for c in CASES if "three" in c or "one" in c or "interpolation" in c])
def test_unet(case: str, paired) -> None:
    model, original, x, t = unets(case, torch.float32, timed=True)
    paired(model, original).check({"x": x, "t": t}, single(model), single(original))


@cases
def test_unet_behind_its_waves(case: str, paired) -> None:
    """Both compute the waves of the time embedding in float32, each rounding in its own way. Given the
    same ones, all behind them is equal to float64's precision."""
    model, original, x, t = unets(case, torch.float64, timed=True)
    waves = draw(torch.float64, 2, original.ch).detach()
    for first in (model.temb.dense_0, original.temb.dense[0]):
        first.register_forward_pre_hook(lambda module, inputs: (waves,))
    paired(model, original).check({"x": x, "t": t}, single(model), single(original))


@dtypes
@cases
def test_unet_without_time(case: str, dtype: torch.dtype, paired) -> None:
    """The original keeps the projections of a time embedding that it never gets; the spec has none."""
    model, original, x, _ = unets(case, dtype, timed=False)
    paired(model, original, unused="temb_proj").check({"x": x}, single(model), single(original))


def test_compiled_unet(paired) -> None:
    model, original, x, t = unets("one level with attention", torch.float32, True, compile=True)
    paired(model, original).check({"x": x, "t": t}, single(model), single(original))


@pytest.mark.parametrize("steps", [[0, 1, 2], [10, 999, 500]])
def test_waves_of_the_time_embedding(steps: list[int]) -> None:
    """Angles of up to 1000 in float32 are exact to 6e-5, and so are their sines."""
    model = load("unet.yaml#TimeEmbedding", torch.float32, ch=64)
    seen: list[Tensor] = []
    model.dense_0.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    t = torch.tensor(steps)
    model(t)
    assert (seen[0] - taming.get_timestep_embedding(t, 64)).abs().max() <= 1.2e-7 * max(1, max(steps)) + 1e-7


# Blocks


@dtypes
@pytest.mark.parametrize("timed", [True, False], ids=("time", "no time"))
@pytest.mark.parametrize("shortcut", ["none", "1x1", "3x3"])
def test_residual_block(shortcut: str, timed: bool, dtype: torch.dtype, paired) -> None:
    c_out = 64 if shortcut == "none" else 96
    presence = {"given": ["time_emb"], "D": 20} if timed else {"absent": ["time_emb"]}
    conv_shortcut = shortcut == "3x3"
    model = load(
        "nets.yaml#ResnetBlock",
        dtype,
        C=64,
        c_out=c_out,
        dropout=0.5,
        conv_shortcut=conv_shortcut,
        **presence,
    )
    original = taming.ResnetBlock(
        in_channels=64,
        out_channels=c_out,
        conv_shortcut=conv_shortcut,
        dropout=0.5,
        temb_channels=20 if timed else 0,
    )
    x = draw(dtype, 2, 64, 7, 5)
    pair = paired(model, original)
    if timed:
        inputs = {"x": x, "time_emb": draw(dtype, 2, 20, seed=4)}
        pair.check(inputs, single(model), single(original))
    else:
        pair.check({"x": x}, single(model), single(original, None))


@dtypes
@pytest.mark.parametrize("sizes", [(1, 1), (4, 4), (3, 8)])
def test_attention_block(sizes: tuple[int, int], dtype: torch.dtype, paired) -> None:
    model, original = load("nets.yaml#AttentionBlock", dtype, C=64), taming.AttnBlock(64)
    x = draw(dtype, 3, 64, *sizes)
    paired(model, original).check({"x": x}, single(model), single(original))


@dtypes
@pytest.mark.parametrize("with_conv", [True, False])
@pytest.mark.parametrize("name", ["Upsample", "Downsample"])
@pytest.mark.parametrize("sizes", [(8, 8), (5, 7), (2, 3)])
def test_sampler(sizes: tuple[int, int], name: str, with_conv: bool, dtype: torch.dtype, paired) -> None:
    model = load(f"nets.yaml#{name}", dtype, C=5, with_conv=with_conv)
    original = getattr(taming, name)(5, with_conv)
    if with_conv:
        pair = paired(model, original)
        pair.check({"x": draw(dtype, 2, 5, *sizes)}, single(model), single(original))
    else:
        assert not model.state_dict()
        x = draw(dtype, 2, 5, *sizes)
        assert torch.equal(model(x), original(x))


# The tokenizer


def quantized(outputs: tuple[Tensor, Tensor, Any]) -> list[Tensor]:
    """The original's quantized vectors and loss."""
    return [outputs[0], outputs[1]]


@dtypes
@pytest.mark.parametrize(("codes", "beta"), [(1, 0.25), (20, 0.25), (300, 1.5)])
def test_quantizer(codes: int, beta: float, dtype: torch.dtype, paired) -> None:
    model = load("tokenizer.yaml#Quantizer", dtype, C=6, codes=codes, beta=beta)
    original = VectorQuantizer(codes, 6, beta)
    z = draw(dtype, 3, 6, 4, 5)
    pair = paired(model, original)
    pair.check({"z": z}, lambda z: [*model(z)[:2]], lambda z: quantized(original(z)))
    ids = model(z)[2]
    assert ids.shape == (3, 4, 5)
    assert torch.equal(ids.flatten(), original(z)[2][2].flatten())
    assert codes == 1 or ids.unique().numel() > 5, "several codes are in use"


@pytest.fixture
def vq_model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The original's VQModel, without the training framework that its file wants."""
    lightning, main = ModuleType("pytorch_lightning"), ModuleType("taming.main")
    lightning.LightningModule = nn.Module  # type: ignore[attr-defined]
    main.instantiate_from_config = lambda config: None  # type: ignore[attr-defined]
    for name, stub in (("pytorch_lightning", lightning), ("taming.main", main)):
        monkeypatch.setitem(sys.modules, name, stub)
    monkeypatch.delitem(sys.modules, "taming.models.vqgan", raising=False)
    from taming.models.vqgan import VQModel

    return VQModel


@dtypes
@few
def test_tokenizer(case: str, dtype: torch.dtype, paired, vq_model) -> None:
    _, theirs, (h, w) = settings(case)
    listed = {k: theirs[k] for k in ("ch_mult", "attn_resolutions")}
    arguments = "resolution=16, ch=32, ch_mult={ch_mult}, attn_resolutions={attn_resolutions}, z_channels=6"
    arguments = arguments.format(**listed)
    model = load(
        "tokenizer.yaml",
        dtype,
        codes=50,
        dim=8,
        z_channels=6,
        encoder=f"Encoder({arguments})",
        decoder=f"Decoder({arguments})",
    )
    original = vq_model({**theirs, "z_channels": 6, "double_z": False}, None, 50, 8)
    pair = paired(model, original)
    pair.check({"x": draw(dtype, 2, 3, h, w)}, lambda x: [*model(x)[:2]], lambda x: [*original(x)])
