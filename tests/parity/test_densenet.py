"""DenseNet against torchvision's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from torch import Tensor

from .originals import original

models = original("torchvision.models")

SPEC = "vision/densenet.yaml"


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_densenet(parity: Any, training: bool) -> None:
    layers = [2, 1, 3, 2]
    parity(
        SPEC,
        names="torchvision",
        original=lambda: models.DenseNet(
            growth_rate=6, block_config=layers, num_init_features=10, bn_size=3, num_classes=10
        ),
        settings={"layers": layers, "growth": 6, "stem": 10, "bottleneck": 3, "classes": 10},
        inputs=[{"x": (2, 3, 64, 64)}, {"x": (2, 3, 61, 35)}],
        training=training,
    )


def test_published_files(parity: Any) -> None:
    """The files are older than the modules: torchvision renames what it loads."""

    def renamed(_original: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {
            re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): tensor
            for name, tensor in tensors.items()
            if not name.endswith("num_batches_tracked")
        }

    parity(
        SPEC,
        names="torchvision_old",
        file=renamed,
        original=lambda: models.DenseNet(growth_rate=4, block_config=[1, 2, 1, 1], num_classes=10),
        settings={"layers": [1, 2, 1, 1], "growth": 4, "stem": 64, "classes": 10},
        inputs=[{"x": (1, 3, 32, 40)}],
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    {
        "densenet121": 7_978_856,
        "densenet169": 14_149_480,
        "densenet201": 20_013_928,
        "densenet161": 28_681_000,
    }.items(),
)
def test_sizes(published: Any, name: str, parameters: int) -> None:
    published(f"{SPEC}@{name}", names="torchvision", original=getattr(models, name), parameters=parameters)
