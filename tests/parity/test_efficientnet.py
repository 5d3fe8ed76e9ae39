"""EfficientNet against torchvision's."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from .originals import original

timm = original("timm")
models = original("torchvision.models")
efficientnet = original("torchvision.models.efficientnet")

SPEC = "vision/efficientnet.yaml"

STAGES = [
    # expand, kernel, stride, width, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 1),
    (4, 5, 2, 40, 2),
]


def small(width: float, depth: float) -> nn.Module:
    widths = [32, *(row[3] for row in STAGES)]
    stages = [
        efficientnet.MBConvConfig(expand, kernel, stride, before, c_out, blocks, width, depth)
        for before, (expand, kernel, stride, c_out, blocks) in zip(widths, STAGES, strict=False)
    ]
    return efficientnet.EfficientNet(stages, dropout=0.3, stochastic_depth_prob=0.4, num_classes=10)


@pytest.mark.parametrize(("width", "depth"), [(1.0, 1.0), (0.3, 1.4), (1.1, 0.5)])
def test_efficientnet(parity: Any, width: float, depth: float) -> None:
    parity(
        SPEC,
        names="torchvision",
        original=lambda: small(width, depth),
        settings={
            "stages": [list(row) for row in STAGES],
            "width": width,
            "depth": depth,
            "drop_path": 0.4,
            "classes": 10,
        },
        inputs=[{"x": (2, 3, 32, 48)}, {"x": (1, 3, 33, 50)}],
    )


def test_b0(parity: Any) -> None:
    parity(
        f"{SPEC}@b0",
        names="torchvision",
        original=models.efficientnet_b0,
        inputs=[{"x": (1, 3, 64, 64)}],
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    {
        "b0": 5_288_548,
        "b1": 7_794_184,
        "b2": 9_109_994,
        "b3": 12_233_232,
        "b4": 19_341_616,
        "b5": 30_389_784,
        "b6": 43_040_704,
        "b7": 66_347_960,
    }.items(),
)
def test_sizes(published: Any, name: str, parameters: int) -> None:
    published(
        f"{SPEC}@{name}",
        names="torchvision",
        original=getattr(models, f"efficientnet_{name}"),
        parameters=parameters,
    )


def test_timm(parity: Any) -> None:
    parity(
        f"{SPEC}@b1",
        names="timm",
        original=lambda: timm.create_model("efficientnet_b1", num_classes=10),
        settings={"classes": 10},
        inputs=[{"x": (1, 3, 64, 32)}],
    )


@pytest.mark.parametrize(("name", "parameters"), {"b0": 5_288_548, "b4": 19_341_616}.items())
def test_sizes_of_timm(published: Any, name: str, parameters: int) -> None:
    published(
        f"{SPEC}@{name}",
        names="timm",
        original=lambda: timm.create_model(f"efficientnet_{name}"),
        parameters=parameters,
    )
