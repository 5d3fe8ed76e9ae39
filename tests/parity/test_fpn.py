"""specs/vision/fpn.yaml beside torchvision's `resnet_fpn_backbone`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor, nn

from .originals import original

detection = original("torchvision.models.detection.backbone_utils")
norms = original("torchvision.ops.misc")


def pyramid(size: str, norm: Callable[..., nn.Module] = norms.FrozenBatchNorm2d) -> nn.Module:
    return detection.resnet_fpn_backbone(
        backbone_name=size, weights=None, norm_layer=norm, trainable_layers=5
    )


def run(network: Any, x: Tensor) -> list[Tensor]:
    return list(network(x).values())


# 97 and 65 pixels give levels of 25, 13, 7, 4 and of 17, 9, 5, 3 pixels: none is twice the next.
INPUTS = [{"x": (2, 3, 64, 64)}, {"x": (1, 3, 97, 65)}]


def test_frozen(parity: Callable[..., None]) -> None:
    parity(
        "vision/fpn.yaml@resnet18",
        names="torchvision",
        original=lambda: pyramid("resnet18"),
        run=run,
        inputs=INPUTS,
    )


def test_bottlenecks_with_batch_norm(parity: Callable[..., None]) -> None:
    parity(
        "vision/fpn.yaml@resnet50",
        names="torchvision",
        original=lambda: pyramid("resnet50", nn.BatchNorm2d),
        settings={"norm": "batch_norm"},
        run=run,
        inputs=[{"x": (1, 3, 65, 97)}],
    )


@pytest.mark.parametrize(
    ("size", "parameters"),
    [
        ("resnet18", 13_774_016),
        ("resnet34", 23_874_752),
        ("resnet50", 26_799_296),
        ("resnet101", 45_739_200),
    ],
)
def test_published(published: Callable[..., None], size: str, parameters: int) -> None:
    published(
        f"vision/fpn.yaml@{size}",
        names="torchvision",
        original=lambda: pyramid(size),
        parameters=parameters,
    )
