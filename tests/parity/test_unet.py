"""specs/vision/unet.yaml beside the packages `unet` (valid convolutions) and MONAI (padded, odd sizes)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import archc

from .harness import SPECS
from .originals import original

unet = original("unet")
monai = original("monai.networks.nets.basic_unet")


def test_valid(parity: Callable[..., None]) -> None:
    parity(
        "vision/unet.yaml@unet",
        names="unet",
        original=lambda: unet.UNet2D(
            in_channels=2, out_classes=3, num_encoding_blocks=4, out_channels_first_layer=4
        ),
        settings={"c_in": 2, "classes": 3, "widths": [4, 8, 16, 32], "ups": [32, 16, 8]},
        inputs=[{"x": (2, 2, 92, 92)}, {"x": (1, 2, 92, 108)}],
    )


def test_padded(parity: Callable[..., None]) -> None:
    parity(
        "vision/unet.yaml@unet",
        names="unet",
        original=lambda: unet.UNet2D(num_encoding_blocks=3, out_channels_first_layer=4, padding=1),
        settings={"widths": [4, 8, 16], "ups": [16, 8], "padding": 1},
        inputs=[{"x": (2, 1, 32, 48)}],
    )


@pytest.mark.parametrize("space", [(32, 48), (33, 47), (61, 39)])
def test_odd_sizes(parity: Callable[..., None], space: tuple[int, int]) -> None:
    """Of 61 pixels the levels have 30, 15, 7 and 3: three of four are one short on the way up."""
    parity(
        "vision/unet.yaml@monai",
        names="monai",
        original=lambda: monai.BasicUNet(2, in_channels=3, out_channels=2, features=(4, 8, 8, 16, 16, 4)),
        settings={"c_in": 3, "widths": [4, 8, 8, 16, 16], "ups": [8, 8, 4, 8]},
        inputs=[{"x": (2, 3, *space)}],
    )


def test_published(published: Callable[..., None]) -> None:
    published(
        "vision/unet.yaml@unet",
        names="unet",
        original=unet.UNet2D,
        unused=["*.block.*"],  # each convolution is there under two names
        parameters=36_950_338,
    )
    published(
        "vision/unet.yaml@monai",
        names="monai",
        original=lambda: monai.BasicUNet(2),
        parameters=1_978_466,
    )


def test_the_papers_own() -> None:
    """The figure of the paper: 572 pixels to 388, and 28 at the bottom."""
    model = archc.load(f"{SPECS}/vision/unet.yaml@paper", device="meta")
    assert sum(p.numel() for p in model.parameters()) == 31_030_658
    assert model(torch.empty(1, 1, 572, 572, device="meta")).shape == (1, 2, 388, 388)
