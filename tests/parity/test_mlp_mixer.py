"""MLP-Mixer against timm's."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor

from .originals import original

timm = original("timm.models.mlp_mixer")

PUBLISHED = {
    "s-32": 19_104_624,
    "s-16": 18_528_264,
    "b-32": 60_293_428,
    "b-16": 59_880_472,
    "l-32": 206_939_264,
    "l-16": 208_196_168,
}


def run(model: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    tokens = model.forward_features(x)
    return model.forward_head(tokens), tokens


@pytest.mark.parametrize(
    ("settings", "theirs"),
    [
        ({"dim": 32, "depth": 2, "patch": 8, "size": 32}, {"embed_dim": 32, "num_blocks": 2}),
        (
            {"dim": 24, "depth": 1, "patch": 8, "size": 48, "token_hidden": 30, "channel_hidden": 36},
            {"embed_dim": 24, "num_blocks": 1, "mlp_ratio": (1.25, 1.5)},
        ),
        (
            {"dim": 16, "depth": 3, "patch": 8, "size": 16, "c_in": 1},
            {"embed_dim": 16, "num_blocks": 3, "in_chans": 1},
        ),
    ],
    ids=["plain", "of other widths", "of few patches"],
)
def test_timm(settings: dict[str, Any], theirs: dict[str, Any], parity) -> None:
    x = settings.get("c_in", 3), settings["size"], settings["size"]
    parity(
        "vision/mlp_mixer.yaml",
        names="timm",
        original=lambda: timm.MlpMixer(num_classes=10, patch_size=8, img_size=x[1], **theirs),
        settings={**settings, "classes": 10},
        inputs=[{"x": (2, *x)}, {"x": (1, *x)}],
        run=run,
    )


@pytest.mark.parametrize("size", PUBLISHED)
def test_published(size: str, published) -> None:
    make = getattr(timm, f"mixer_{size.replace('-', '')}_224")
    published(f"vision/mlp_mixer.yaml@{size}", names="timm", original=make, parameters=PUBLISHED[size])


def test_huge(published) -> None:
    """Of the paper's sizes timm has all but the largest, which it can be told to be."""
    published(
        "vision/mlp_mixer.yaml@h-14",
        names="timm",
        original=lambda: timm.MlpMixer(patch_size=14, num_blocks=32, embed_dim=1280),
        parameters=432_350_952,
    )
