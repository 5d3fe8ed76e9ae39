"""ResNet, ResNeXt and Wide ResNet against torchvision's."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor

from .originals import original

models = original("torchvision.models")
resnet = original("torchvision.models.resnet")

SPEC = "vision/resnet.yaml"


def stages(net: Any, x: Tensor) -> tuple[Tensor, ...]:
    """The logits, and what each stage made."""
    kept: list[Tensor] = []
    layers = (net.layer1, net.layer2, net.layer3, net.layer4)
    hooks = [layer.register_forward_hook(lambda _module, _input, out: kept.append(out)) for layer in layers]
    logits = net(x)
    for hook in hooks:
        hook.remove()
    return logits, *kept


SMALL = {
    "basic": ({"block": "BasicBlock"}, (resnet.BasicBlock, {})),
    "bottleneck": ({}, (resnet.Bottleneck, {})),
    "groups": (
        {"block": "Bottleneck(groups=4, expansion=2)", "width": 128},
        (resnet.Bottleneck, {"groups": 4, "width_per_group": 32}),
    ),
}


@pytest.mark.parametrize(("name", "training"), [("basic", True), ("bottleneck", False), ("groups", False)])
def test_resnet(parity: Any, name: str, training: bool) -> None:
    settings, (block, options) = SMALL[name]
    layers = [1, 2, 1, 1]
    parity(
        SPEC,
        names="torchvision",
        original=lambda: resnet.ResNet(block, layers, num_classes=10, **options),
        settings={"layers": layers, "classes": 10, **settings},
        inputs=[{"x": (2, 3, 32, 64)}, {"x": (3, 3, 33, 65)}],
        run=stages,
        training=training,
    )


def test_resnet18(parity: Any) -> None:
    parity(
        f"{SPEC}@resnet18",
        names="torchvision",
        original=models.resnet18,
        inputs=[{"x": (1, 3, 64, 96)}, {"x": (2, 3, 1, 1)}],
        run=stages,
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    {
        "resnet18": 11_689_512,
        "resnet34": 21_797_672,
        "resnet50": 25_557_032,
        "resnet101": 44_549_160,
        "resnet152": 60_192_808,
        "resnext50_32x4d": 25_028_904,
        "resnext101_32x8d": 88_791_336,
        "resnext101_64x4d": 83_455_272,
        "wide_resnet50_2": 68_883_240,
        "wide_resnet101_2": 126_886_696,
    }.items(),
)
def test_sizes(published: Any, name: str, parameters: int) -> None:
    published(f"{SPEC}@{name}", names="torchvision", original=getattr(models, name), parameters=parameters)
