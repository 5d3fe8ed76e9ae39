"""The VQ networks and the U-Net against their originals, taming-transformers.

The original's modules run beside the specs' with the same random weights: state_dict names through
the map `taming`, outputs and gradients must be the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import archc
from archc.runtime.saving import save_weights

from .harness import SPECS
from .originals import original

taming = original("taming.modules.diffusionmodules.model")
VectorQuantizer = original("taming.modules.vqvae.quantize").VectorQuantizer


@pytest.fixture
def same(parity: Callable[..., None]) -> Callable[..., None]:
    """`parity` of a block of specs/vq with a network of taming-transformers."""

    def check(address: str, original: Callable[[], nn.Module], inputs: Any, **options: Any) -> None:
        parity(f"vq/{address}", names="taming", original=original, inputs=[inputs], **options)

    return check


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
compilations = pytest.mark.parametrize("how", [True, "whole"], ids=("by block", "whole"))


def settings(case: str, *left_out: str) -> tuple[dict[str, Any], dict[str, Any], tuple[int, int]]:
    """The settings of a spec, which lacks some of them; all of them for the original; the sizes."""
    own, sizes = CASES[case]
    all_ = {**BASE, **own}
    return {k: v for k, v in all_.items() if k not in left_out}, all_, sizes


# Encoder and decoder


def encoder(case: str, double_z: bool) -> tuple[str, Callable[[], nn.Module], dict[str, Any], dict[str, Any]]:
    """The address, the original, the inputs and the settings."""
    ours, theirs, (h, w) = settings(case, "out_ch")
    more = {"z_channels": 6, "double_z": double_z}
    inputs = {"x": (2, theirs["in_channels"], h, w)}
    return "nets.yaml#Encoder", lambda: taming.Encoder(**theirs, **more), inputs, {**ours, **more}


def decoder(case: str) -> tuple[str, Callable[[], nn.Module], dict[str, Any], dict[str, Any]]:
    """The same of a decoder."""
    ours, theirs, (h, w) = settings(case, "in_channels")
    down = 2 ** (len(theirs["ch_mult"]) - 1)
    inputs = {"z": (2, 6, h // down, w // down)}
    return (
        "nets.yaml#Decoder",
        lambda: taming.Decoder(**theirs, z_channels=6),
        inputs,
        {**ours, "z_channels": 6},
    )


@cases
def test_encoder(case: str, same) -> None:
    address, theirs, inputs, own = encoder(case, double_z=len(case) % 2 == 0)
    same(address, theirs, inputs, settings=own)


@pytest.mark.parametrize("double_z", [False, True])
def test_encoder_of_one_vector_or_two(double_z: bool, same) -> None:
    address, theirs, inputs, own = encoder("one level", double_z)
    same(address, theirs, inputs, settings=own)
    assert archc.check(f"{SPECS}/vq/{address}", **own).shapes["z"].shape[1] == (12 if double_z else 6)


@cases
def test_decoder(case: str, same) -> None:
    address, theirs, inputs, own = decoder(case)
    same(address, theirs, inputs, settings=own)


TAMING = {
    **{"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "num_res_blocks": 2, "attn_resolutions": [16]},
    **{"in_channels": 3, "out_ch": 3, "resolution": 256, "z_channels": 256},
}


@pytest.mark.parametrize(("name", "parameters"), [("Encoder", 29_298_176), ("Decoder", 42_449_795)])
def test_published(name: str, parameters: int, published) -> None:
    """Those of the tokenizers of ImageNet that shrink by 16."""
    original = getattr(taming, name)
    more = {"double_z": False} if name == "Encoder" else {}
    published(
        f"vq/nets.yaml#{name}@taming",
        names="taming",
        original=lambda: original(**TAMING, **more),
        parameters=parameters,
    )


@compilations
def test_compiled_encoder(how: Any, same) -> None:
    address, theirs, inputs, own = encoder("small", double_z=False)
    same(address, theirs, inputs, settings={**own, "compile": how}, exact=False)


@compilations
def test_compiled_decoder_with_attention(how: Any, same) -> None:
    address, theirs, inputs, own = decoder("one level with attention")
    same(address, theirs, inputs, settings={**own, "compile": how}, exact=False)


def test_files_of_the_original_load_and_are_written(tmp_path: Path) -> None:
    """A file that the original wrote loads by its own names; what is written fits the original again."""
    settings = {"ch": 32, "ch_mult": [1, 2], "attn_resolutions": [8], "resolution": 16, "z_channels": 6}
    original = taming.Decoder(in_channels=3, out_ch=3, num_res_blocks=1, **settings).eval()
    save_file(original.state_dict(), tmp_path / "theirs.safetensors")
    model = archc.load(
        f"{SPECS}/vq/nets.yaml#Decoder",
        num_res_blocks=1,
        weights=tmp_path / "theirs.safetensors",
        names="taming",
        **settings,
    ).eval()
    z = torch.randn(1, 6, 4, 4, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(model(z), original(z), rtol=0, atol=1e-5)

    save_weights(model, tmp_path / "ours.safetensors", names="taming")
    written = load_file(tmp_path / "ours.safetensors")
    torch.testing.assert_close(written, dict(original.state_dict()), rtol=0, atol=0)


# The U-Net

STEPS = torch.tensor([3, 41])


def unet(case: str, timed: bool) -> tuple[str, Callable[[], nn.Module], dict[str, Any], dict[str, Any]]:
    ours, theirs, (h, w) = settings(case)
    inputs: dict[str, Any] = {"x": (2, theirs["in_channels"], h, w)}
    presence = {"given": ["t"]} if timed else {"absent": ["t"]}
    original = lambda: taming.Model(**theirs, use_timestep=timed)  # noqa: E731
    return "unet.yaml#UNet", original, {**inputs, "t": STEPS} if timed else inputs, {**ours, **presence}


def cast_waves(original: Any) -> None:
    """The original gives the float32 waves to a layer of whatever dtype, which only float32's takes."""
    original.temb.dense[0].register_forward_pre_hook(lambda layer, inputs: (inputs[0].to(layer.weight),))


@pytest.mark.parametrize("case", [c for c in CASES if "three" in c or "one" in c or "interpolation" in c])
def test_unet(case: str, same) -> None:
    """In float32 alone: that is what both compute the waves of the time embedding in, whatever the dtype,
    each rounding in its own way."""
    address, theirs, inputs, own = unet(case, timed=True)
    same(address, theirs, inputs, settings=own, exact=False, randomise=cast_waves)


@cases
def test_unet_behind_its_waves(case: str, same) -> None:
    """Given the same waves, all behind them is equal to float64's precision."""
    address, theirs, inputs, own = unet(case, timed=True)

    def run(first: nn.Module, network: nn.Module, x: Tensor, t: Tensor, waves: Tensor) -> Tensor:
        hook = first.register_forward_pre_hook(lambda module, inputs: (waves,))
        result = network(x, t)
        hook.remove()
        return result

    same(
        address,
        theirs,
        {**inputs, "waves": (2, own["ch"])},
        settings=own,
        ours=lambda model, x, t, waves: run(model.temb.dense_0, model, x, t, waves),
        run=lambda original, x, t, waves: run(original.temb.dense[0], original, x, t, waves),
    )


@cases
def test_unet_without_time(case: str, same) -> None:
    """The original keeps the projections of a time embedding that it never gets; the spec has none."""
    address, theirs, inputs, own = unet(case, timed=False)
    same(address, theirs, inputs, settings=own, unused=["*.temb_proj.*"])


@pytest.mark.parametrize(
    ("preset", "parameters", "resolution", "mult"),
    [("cifar10", 35_746_307, 32, [1, 2, 2, 2]), ("lsun", 113_673_219, 256, [1, 1, 2, 2, 4, 4])],
)
def test_published_unets(
    preset: str, parameters: int, resolution: int, mult: list[int], published: Callable[..., None]
) -> None:
    published(
        f"vq/unet.yaml@{preset}",
        names="taming",
        original=lambda: taming.Model(
            ch=128,
            out_ch=3,
            ch_mult=mult,
            num_res_blocks=2,
            attn_resolutions=[16],
            in_channels=3,
            resolution=resolution,
        ),
        parameters=parameters,
    )


def test_compiled_unet(same) -> None:
    address, theirs, inputs, own = unet("one level with attention", timed=True)
    same(address, theirs, inputs, settings={**own, "compile": True}, exact=False, randomise=cast_waves)


@pytest.mark.parametrize("steps", [[0, 1, 2], [10, 999, 500]])
def test_waves_of_the_time_embedding(steps: list[int]) -> None:
    """Angles of up to 1000 in float32 are exact to 6e-5, and so are their sines."""
    model = archc.load(f"{SPECS}/vq/unet.yaml#TimeEmbedding", ch=64)
    seen: list[Tensor] = []
    model.dense_0.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    t = torch.tensor(steps)
    model(t)
    assert (seen[0] - taming.get_timestep_embedding(t, 64)).abs().max() <= 1.2e-7 * max(1, max(steps)) + 1e-7


# Blocks


@pytest.mark.parametrize("timed", [True, False], ids=("time", "no time"))
@pytest.mark.parametrize("shortcut", ["none", "1x1", "3x3"])
def test_residual_block(shortcut: str, timed: bool, same) -> None:
    c_out = 64 if shortcut == "none" else 96
    presence = {"given": ["time_emb"], "D": 20} if timed else {"absent": ["time_emb"]}
    both: dict[str, Any] = {"conv_shortcut": shortcut == "3x3", "dropout": 0.5}
    width = 20 if timed else 0
    same(
        "nets.yaml#ResnetBlock",
        lambda: taming.ResnetBlock(in_channels=64, out_channels=c_out, temb_channels=width, **both),
        {"x": (2, 64, 7, 5), **({"time_emb": (2, 20)} if timed else {})},
        settings={"C": 64, "c_out": c_out, **both, **presence},
        run=lambda original, x, time_emb=None: original(x, time_emb),
    )


@pytest.mark.parametrize("sizes", [(1, 1), (4, 4), (3, 8)])
def test_attention_block(sizes: tuple[int, int], same) -> None:
    same("nets.yaml#AttentionBlock", lambda: taming.AttnBlock(64), {"x": (3, 64, *sizes)}, settings={"C": 64})


@pytest.mark.parametrize("name", ["Upsample", "Downsample"])
@pytest.mark.parametrize("sizes", [(8, 8), (5, 7), (2, 3)])
def test_sampler(sizes: tuple[int, int], name: str, same) -> None:
    theirs = getattr(taming, name)
    same(
        f"nets.yaml#{name}",
        lambda: theirs(5, True),
        {"x": (2, 5, *sizes)},
        settings={"C": 5, "with_conv": True},
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", ["Upsample", "Downsample"])
@pytest.mark.parametrize("sizes", [(8, 8), (5, 7), (2, 3)])
def test_sampler_without_weights(sizes: tuple[int, int], name: str, dtype: torch.dtype) -> None:
    model = archc.load(f"{SPECS}/vq/nets.yaml#{name}", dtype=dtype, C=5, with_conv=False)
    assert not model.state_dict()
    x = torch.randn(2, 5, *sizes, dtype=dtype, generator=torch.Generator().manual_seed(3))
    assert torch.equal(model(x), getattr(taming, name)(5, False)(x))


# The tokenizer


@pytest.mark.parametrize(("codes", "beta"), [(1, 0.25), (20, 0.25), (300, 1.5)])
def test_quantizer(codes: int, beta: float, same) -> None:
    """The quantized vectors, the loss, and the ids."""

    def run(original: nn.Module, z: Tensor) -> list[Tensor]:
        quantized, loss, (_, _, ids) = original(z)
        assert codes == 1 or ids.unique().numel() > 5, "several codes are in use"
        return [quantized, loss, ids.view(3, 4, 5)]

    same(
        "tokenizer.yaml#Quantizer",
        lambda: VectorQuantizer(codes, 6, beta),
        {"z": (3, 6, 4, 5)},
        settings={"C": 6, "codes": codes, "beta": beta},
        run=run,
    )
