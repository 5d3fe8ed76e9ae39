"""MobileNetV3 against torchvision's."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from .originals import original

models = original("torchvision.models")
mobilenetv3 = original("torchvision.models.mobilenetv3")

SPEC = "vision/mobilenet_v3.yaml"

BNECKS = [
    # kernel, hidden, c_out, excite, act, stride
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (5, 88, 24, True, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (3, 40, 40, False, "hardswish", 1),
]
"""With and without widening, squeeze-and-excite and shortcut."""


def small() -> nn.Module:
    widths = [16, *(row[2] for row in BNECKS)]
    rows = [
        mobilenetv3.InvertedResidualConfig(
            before, kernel, hidden, c_out, excite, "HS" if act == "hardswish" else "RE", stride, 1, 1.0
        )
        for before, (kernel, hidden, c_out, excite, act, stride) in zip(widths, BNECKS, strict=False)
    ]
    return mobilenetv3.MobileNetV3(rows, last_channel=32, num_classes=10, dropout=0.0)


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_mobilenet_v3(parity: Any, training: bool) -> None:
    parity(
        SPEC,
        names="torchvision",
        original=small,
        settings={
            "bnecks": [list(row) for row in BNECKS],
            "features": 240,
            "hidden": 32,
            "dropout": 0.0,
            "classes": 10,
        },
        inputs=[{"x": (2, 3, 64, 64)}, {"x": (3, 3, 33, 50)}],
        training=training,
    )


def test_small(parity: Any) -> None:
    parity(
        f"{SPEC}@small",
        names="torchvision",
        original=models.mobilenet_v3_small,
        inputs=[{"x": (1, 3, 64, 96)}],
    )


@pytest.mark.parametrize(("name", "parameters"), {"small": 2_542_856, "large": 5_483_032}.items())
def test_sizes(published: Any, name: str, parameters: int) -> None:
    published(
        f"{SPEC}@{name}",
        names="torchvision",
        original=getattr(models, f"mobilenet_v3_{name}"),
        parameters=parameters,
    )
