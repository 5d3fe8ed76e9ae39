"""LPIPS against the package of that name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import archc

from .originals import original

original("torchvision.models")
lpips = original("lpips", stubs={"scipy": {}, "scipy.ndimage": {"zoom": None}})

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torchvision")

SPEC = Path(__file__).parents[2] / "specs/vision/lpips.yaml"
PUBLISHED = {"alex": 2_470_848, "vgg": 14_716_160}


def make(net: str) -> Any:
    return lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, pnet_tune=True, verbose=False)


def exact(net: str) -> Any:
    """The colours' means and deviations in the dtype of the comparison: a state_dict would round them."""
    model = make(net)
    scaling = model.scaling_layer
    for name, values in (("shift", (-0.030, -0.088, -0.188)), ("scale", (0.458, 0.448, 0.450))):
        assert torch.equal(getattr(scaling, name).flatten(), torch.tensor(values))
        scaling.register_buffer(name, torch.tensor(values)[None, :, None, None], persistent=False)
    return model


def run(model: Any, a: Tensor, b: Tensor) -> list[Tensor]:
    distance, distances = model(a, b, retPerLayer=True)
    return [value.flatten() for value in (distance, *distances)]


@pytest.mark.parametrize(
    ("net", "sizes"),
    [
        ("alex", [(2, 3, 32, 32), (1, 3, 31, 50)]),
        pytest.param("vgg", [(1, 3, 17, 37)], marks=pytest.mark.long),
    ],
)
def test_lpips(net: str, sizes: list[tuple[int, ...]], parity) -> None:
    parity(
        f"vision/lpips.yaml@{net}",
        names="lpips",
        original=lambda: exact(net),
        inputs=[{"a": size, "b": size} for size in sizes],
        run=run,
    )


@pytest.mark.parametrize("net", PUBLISHED)
def test_published(net: str, published) -> None:
    published(
        f"vision/lpips.yaml@{net}",
        names="lpips",
        original=lambda: make(net),
        parameters=PUBLISHED[net],
    )


@pytest.mark.parametrize("net", PUBLISHED)
def test_weighing_that_was_learnt(net: str) -> None:
    """The package's files hold that alone: how much each feature matters."""
    model: Any = archc.load(f"{SPEC}@{net}")
    file = Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth"
    archc.load_weights(model, file, names="lpips", strict=False)
    theirs = torch.load(file, map_location="cpu", weights_only=True)
    for level, (name, learnt) in zip(model.level, theirs.items(), strict=True):
        assert torch.equal(level.weigh.weight, learnt), name
