"""ConvNeXt against torchvision's."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor, nn

from .originals import original

timm = original("timm")
models = original("torchvision.models")
convnext = original("torchvision.models.convnext")

SPEC = "vision/convnext.yaml"

SMALL = {"depths": [1, 2, 3, 1], "widths": [8, 16, 24, 32]}


def small(classes: int = 10) -> nn.Module:
    widths = [*SMALL["widths"], None]
    blocks = [
        convnext.CNBlockConfig(widths[n], widths[n + 1], depth) for n, depth in enumerate(SMALL["depths"])
    ]
    return convnext.ConvNeXt(blocks, stochastic_depth_prob=0.5, num_classes=classes)


def test_logits(parity: Any) -> None:
    parity(
        SPEC,
        names="torchvision",
        original=small,
        settings={**SMALL, "classes": 10},
        inputs=[{"x": (2, 3, 64, 64)}, {"x": (1, 3, 35, 70)}],
    )


def test_features(parity: Any) -> None:
    def stages(net: Any, x: Tensor) -> list[Tensor]:
        kept = []
        for n, part in enumerate(net.features):
            x = part(x)
            if n % 2:
                kept.append(x)
        return kept

    parity(
        f"{SPEC}#Backbone",
        names="torchvision",
        original=small,
        settings=SMALL,
        inputs=[{"x": (1, 3, 64, 96)}],
        run=stages,
        unused=["classifier.*"],
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    {"tiny": 28_589_128, "small": 50_223_688, "base": 88_591_464, "large": 197_767_336}.items(),
)
def test_sizes(published: Any, name: str, parameters: int) -> None:
    published(
        f"{SPEC}@{name}",
        names="torchvision",
        original=getattr(models, f"convnext_{name}"),
        parameters=parameters,
    )


def test_timm(parity: Any) -> None:
    parity(
        SPEC,
        names="timm",
        original=lambda: timm.create_model(
            "convnext_tiny", depths=SMALL["depths"], dims=SMALL["widths"], num_classes=10
        ),
        settings={**SMALL, "classes": 10},
        inputs=[{"x": (1, 3, 64, 32)}],
    )


@pytest.mark.parametrize(
    ("name", "parameters"), {"tiny": 28_589_128, "base": 88_591_464, "xlarge": 350_196_968}.items()
)
def test_sizes_of_timm(published: Any, name: str, parameters: int) -> None:
    published(
        f"{SPEC}@{name}",
        names="timm",
        original=lambda: timm.create_model(f"convnext_{name}"),
        parameters=parameters,
    )
