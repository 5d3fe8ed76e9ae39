"""The siamese network of Koch et al. 2015. No package has it, so the paper's network is written here once
more, plainly, in torch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

PAPER = [(64, 10), (128, 7), (128, 4), (256, 4)]


class Reference(nn.Module):
    """Figure 4 of the paper, layer by layer."""

    def __init__(self, stages: Sequence[tuple[int, int]], dim: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for number, (width, kernel) in enumerate(stages):
            if number:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            layers += [nn.Conv2d(channels, width, kernel), nn.ReLU()]
            channels, side = width, side - kernel + 1
        layers += [nn.Flatten(), nn.Linear(channels * side * side, dim), nn.Sigmoid()]
        self.twin = nn.Sequential(*layers)
        self.alpha = nn.Linear(dim, 1)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h1, h2 = self.twin(a), self.twin(b)
        return torch.sigmoid(self.alpha((h1 - h2).abs()))[:, 0], h1, h2


def names(stages: int) -> dict[str, str]:
    """Our names to the reference's."""
    layers = {f"tower.stage.{i}.conv": f"twin.{3 * i}" for i in range(stages)}
    layers |= {"tower.fc": f"twin.{3 * stages}", "weigh": "alpha"}
    return {f"{a}.{p}": f"{b}.{p}" for a, b in layers.items() for p in ("weight", "bias")}


@pytest.mark.parametrize(
    ("stages", "dim", "side"),
    [([(6, 5), (8, 3), (10, 4)], 12, 31), ([(4, 3)], 7, 9)],
    ids=["three stages", "one stage"],
)
def test_siamese(stages: list[tuple[int, int]], dim: int, side: int, parity) -> None:
    x = (2, 1, side, side)
    listed = [list(stage) for stage in stages]
    parity(
        "vision/siamese.yaml",
        names=names(len(stages)),
        original=lambda: Reference(stages, dim, side),
        settings={"tower": f"Tower({dim}, {listed})", "size": side},
        inputs=[{"a": x, "b": x}, {"a": (1, *x[1:]), "b": (1, *x[1:])}],
    )


def test_published(published) -> None:
    published(
        "vision/siamese.yaml",
        names=names(4),
        original=lambda: Reference(PAPER, 4096, 105),
        parameters=38_951_745,
    )
