"""The autoencoder of latent diffusion against diffusers' `AutoencoderKL`, and against taming's networks that
the authors made theirs of."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc

from .diffusers_names import older_attention
from .harness import SPECS
from .originals import original

diffusers = original("diffusers")
taming = original("taming.modules.diffusionmodules.model")

SPEC = "diffusion/autoencoder_kl.yaml"


def autoencoder(
    ch_mult: list[int],
    ch: int = 8,
    groups: int = 4,
    latent_channels: int = 4,
    layers_per_block: int = 2,
    quant_conv: bool = True,
    mid_attention: bool = True,
    in_channels: int = 3,
    out_channels: int = 3,
) -> Any:
    """The original with the spec's settings."""
    return diffusers.AutoencoderKL(
        in_channels=in_channels,
        out_channels=out_channels,
        down_block_types=("DownEncoderBlock2D",) * len(ch_mult),
        up_block_types=("UpDecoderBlock2D",) * len(ch_mult),
        block_out_channels=tuple(ch * m for m in ch_mult),
        layers_per_block=layers_per_block,
        latent_channels=latent_channels,
        norm_num_groups=groups,
        use_quant_conv=quant_conv,
        use_post_quant_conv=quant_conv,
        mid_block_add_attention=mid_attention,
    )


SMALL: dict[str, Any] = {"ch": 8, "groups": 4}

CASES: dict[str, dict[str, Any]] = {
    "one level": {"ch_mult": [1]},
    "two levels": {"ch_mult": [1, 2], "layers_per_block": 1},
    "three levels, without the convolutions around the latent image": {
        "ch_mult": [1, 2, 2],
        "layers_per_block": 1,
        "quant_conv": False,
        "latent_channels": 3,
    },
    "no attention, other channels": {
        "ch_mult": [1, 1],
        "mid_attention": False,
        "in_channels": 1,
        "out_channels": 2,
    },
}


def spread(model: Any) -> None:
    """Some logarithms of variances beyond either end of where they are cut."""
    last = model.quant_conv or model.encoder.conv_out
    with torch.no_grad():
        last.bias[-2:] = torch.tensor([19.5, -29.5])
        last.weight[-2:] *= 3


def both(model: Any, x: Tensor | None, z: Tensor | None) -> tuple[Tensor | None, ...]:
    """What the original gives for an image and for a latent image."""
    moments = None if x is None else model.encode(x).latent_dist
    return (
        None if moments is None else moments.mean,
        None if moments is None else moments.logvar,
        None if z is None else model.decode(z).sample,
    )


@pytest.mark.parametrize("case", CASES)
def test_autoencoder(case: str, parity) -> None:
    settings = {**SMALL, **CASES[case]}
    channels, latents = settings.get("in_channels", 3), settings.get("latent_channels", 4)
    parity(
        SPEC,
        names="diffusers",
        original=lambda: autoencoder(**settings),
        settings=settings,
        inputs=[
            {"x": (2, channels, 8, 12), "z": (1, latents, 3, 2)},
            {"x": (1, channels, 9, 7), "z": None},  # an odd size loses a row or a column
            {"x": None, "z": (2, latents, 1, 4)},
        ],
        run=both,
        randomise=spread,
    )


@pytest.mark.parametrize("part", ["x", "z"])
def test_half_of_it(part: str, parity) -> None:
    """With one input alone, the model is the encoder or the decoder, and has no other weights."""
    settings = {**SMALL, "ch_mult": [1, 2], "layers_per_block": 1}
    other = {"x": ["decoder.*", "post_quant_conv.*"], "z": ["encoder.*", "quant_conv.*"]}

    def run(model: Any, **given: Tensor) -> list[Tensor]:
        return [o for o in both(model, given.get("x"), given.get("z")) if o is not None]

    parity(
        SPEC,
        names="diffusers",
        original=lambda: autoencoder(**settings),
        settings={**settings, "absent": ["z" if part == "x" else "x"]},
        inputs=[{part: (1, {"x": 3, "z": 4}[part], 4, 6)}],
        run=run,
        unused=other[part],
    )


def test_reconstruction() -> None:
    """The mean decoded is what the original's forward gives."""
    settings = {**SMALL, "ch_mult": [1, 2], "layers_per_block": 1}
    theirs = autoencoder(**settings).eval()
    model = archc.load(f"{SPECS}/{SPEC}", **settings).eval()
    archc.load_weights(model, theirs.state_dict(), names="diffusers")
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        mean, _, _ = model(x)
        _, _, image = model(z=mean)
        torch.testing.assert_close(image, theirs(x).sample, rtol=0, atol=1e-5)


def test_names_of_older_files(parity) -> None:
    settings = {**SMALL, "ch_mult": [1, 2], "layers_per_block": 1}
    parity(
        SPEC,
        names="diffusers_old",
        original=lambda: autoencoder(**settings),
        settings=settings,
        inputs=[{"x": (1, 3, 8, 8), "z": (1, 4, 2, 3)}],
        run=both,
        file=older_attention,
    )


class Authors(nn.Module):
    """Latent diffusion's own autoencoder: taming's networks with a moment each in place of a code."""

    def __init__(self, latent_channels: int, **settings: Any) -> None:
        super().__init__()
        network = {"in_channels": 3, "out_ch": 3, "z_channels": latent_channels, **settings}
        self.encoder = taming.Encoder(**network, double_z=True)
        self.decoder = taming.Decoder(**network)
        self.quant_conv = nn.Conv2d(2 * latent_channels, 2 * latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(latent_channels, latent_channels, 1)

    def forward(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, logvar = self.quant_conv(self.encoder(x)).chunk(2, dim=1)
        return mean, logvar.clamp(-30, 20), self.decoder(self.post_quant_conv(z))


def test_names_of_the_authors(parity) -> None:
    parity(
        SPEC,
        names="taming",
        original=lambda: Authors(
            4, resolution=16, ch=32, ch_mult=(1, 2), num_res_blocks=1, attn_resolutions=[]
        ),
        settings={"ch": 32, "ch_mult": [1, 2], "layers_per_block": 1},
        inputs=[{"x": (1, 3, 8, 8), "z": (1, 4, 2, 3)}],
    )


STABLE_DIFFUSION: dict[str, Any] = {"ch": 128, "ch_mult": [1, 2, 4, 4], "groups": 32}

PUBLISHED: dict[str, tuple[int, dict[str, Any]]] = {
    "sd": (83_653_863, {}),
    "sdxl": (83_653_863, {}),
    "sd3": (83_819_683, {"latent_channels": 16, "quant_conv": False}),
    "flux": (83_819_683, {"latent_channels": 16, "quant_conv": False}),
}


@pytest.mark.parametrize("preset", PUBLISHED)
def test_published_sizes(preset: str, published) -> None:
    parameters, settings = PUBLISHED[preset]
    older = preset == "sd"
    published(
        f"{SPEC}@{preset}",
        names="diffusers_old" if older else "diffusers",
        original=lambda: autoencoder(**STABLE_DIFFUSION, **settings),
        parameters=parameters,
        file=older_attention if older else None,
    )
