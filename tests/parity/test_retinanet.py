"""specs/vision/retinanet.yaml beside torchvision's backbone and heads."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import archc

from .harness import SPECS, randomise
from .originals import original

detection = original("torchvision.models.detection")
backbones = original("torchvision.models.detection.backbone_utils")
resnet = original("torchvision.models.resnet")
pyramids = original("torchvision.ops.feature_pyramid_network")
retinanet = original("torchvision.models.detection.retinanet")
frozen = original("torchvision.ops.misc").FrozenBatchNorm2d


def network(
    size: str = "resnet18", classes: int = 5, width: int = 512, v2: bool = False, eps: float = 0.0
) -> nn.Module:
    """torchvision's `retinanet_resnet50_fpn` or its `_v2`, but for the size; `width` is that of c5."""
    norm = nn.BatchNorm2d if v2 else partial(frozen, eps=eps)
    backbone = backbones._resnet_fpn_extractor(
        getattr(resnet, size)(norm_layer=norm),
        5,
        returned_layers=[2, 3, 4],
        extra_blocks=pyramids.LastLevelP6P7(width if v2 else 256, 256),
    )
    head = retinanet.RetinaNetHead(256, 9, classes, norm_layer=partial(nn.GroupNorm, 32) if v2 else None)
    return retinanet.RetinaNet(backbone, classes, head=head)


def run(model: Any, x: Tensor) -> tuple[Any, ...]:
    levels = list(model.backbone(x).values())
    said = model.head(levels)
    return said["cls_logits"], said["bbox_regression"], levels


SMALL = {"classes": 5, "layers": [2, 2, 2, 2], "block": "BasicBlock"}


def test_frozen(parity: Callable[..., None]) -> None:
    parity(
        "vision/retinanet.yaml@resnet50_fpn",
        names="torchvision",
        original=network,
        settings=SMALL,
        run=run,
        inputs=[{"x": (2, 3, 32, 64)}, {"x": (1, 3, 97, 65)}],
    )


def test_v2(parity: Callable[..., None]) -> None:
    parity(
        "vision/retinanet.yaml@resnet50_fpn_v2",
        names="torchvision",
        original=lambda: network(v2=True),
        settings=SMALL,
        run=run,
        inputs=[{"x": (2, 3, 97, 65)}],
    )


def test_published(published: Callable[..., None]) -> None:
    published(
        "vision/retinanet.yaml@resnet50_fpn",
        names="torchvision",
        original=lambda: network("resnet50", 91),
        parameters=34_014_999,
    )
    published(
        "vision/retinanet.yaml@resnet50_fpn_v2",
        names="torchvision",
        original=lambda: detection.retinanet_resnet50_fpn_v2(weights=None, weights_backbone=None),
        parameters=38_198_935,
    )


def test_names_of_the_older_file() -> None:
    """torchvision loads a file by its older names, and we do the same."""
    theirs = network()
    randomise(theirs)
    older = {}
    for name, tensor in theirs.state_dict().items():
        name = re.sub(r"(inner|layer)_blocks\.(\d)\.0\.", r"\1_blocks.\2.", name)
        name = re.sub(r"_head\.conv\.(\d)\.0\.", lambda found: f"_head.conv.{2 * int(found[1])}.", name)
        older[name] = tensor
    again = network()
    assert not again.load_state_dict(dict(older)).missing_keys
    model = archc.load(f"{SPECS}/vision/retinanet.yaml@resnet50_fpn", **SMALL)
    archc.load_weights(model, older, names="torchvision_old")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        logits, boxes, _ = model.eval()(x)
        same = run(again.eval(), x)
    torch.testing.assert_close(logits, same[0])
    torch.testing.assert_close(boxes, same[1])


def test_weights_begin_alike() -> None:
    """What training starts from: the spread of weights, and a probability of 1 in 100 for every class."""
    ours = archc.load(f"{SPECS}/vision/retinanet.yaml@resnet50_fpn", **SMALL)
    theirs = network()
    begun = archc.load(f"{SPECS}/vision/retinanet.yaml@resnet50_fpn", **SMALL)
    archc.load_weights(begun, theirs.state_dict(), names="torchvision")
    known = begun.state_dict()
    for name, tensor in ours.state_dict().items():
        if tensor.numel() > 4000:
            assert abs(tensor.std() / known[name].std() - 1) < 0.1, name
        elif name.endswith("bias"):
            torch.testing.assert_close(tensor, known[name])
