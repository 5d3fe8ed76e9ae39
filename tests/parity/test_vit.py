"""The Vision Transformer against timm's and transformers'."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor

from .originals import original

timm = original("timm.models.vision_transformer")
transformers = original("transformers")
loading = original("transformers.core_model_loading")

SMALL = {"dim": 32, "depth": 2, "heads": 2, "size": 32, "patch": 8, "classes": 10}

PUBLISHED = {
    "tiny": 5_717_416,
    "small": 22_050_664,
    "base": 86_567_656,
    "large": 304_326_632,
    "huge": 632_045_800,
}


def timms(**settings: Any) -> Any:
    names = {"dim": "embed_dim", "heads": "num_heads", "size": "img_size", "patch": "patch_size"}
    names |= {"classes": "num_classes", "c_in": "in_chans", "depth": "depth"}
    return timm.VisionTransformer(**{names[name]: value for name, value in settings.items()})


def run_timms(model: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    tokens = model.forward_features(x)
    return model.forward_head(tokens), tokens


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        {**SMALL, "dim": 48, "depth": 1, "heads": 4, "size": 48, "patch": 16, "c_in": 1},
    ],
    ids=["plain", "of other sizes"],
)
def test_timm(settings: dict[str, Any], parity) -> None:
    x = settings.get("c_in", 3), settings["size"], settings["size"]
    parity(
        "vision/vit.yaml",
        names="timm",
        original=lambda: timms(**settings),
        settings=settings,
        inputs=[{"x": (2, *x)}, {"x": (1, *x)}],
        run=run_timms,
    )


def hubs(settings: dict[str, Any]) -> Any:
    """transformers' model. Its files have other names than it has in memory: see `files`."""
    config = transformers.ViTConfig(
        hidden_size=settings.get("dim", 768),
        num_hidden_layers=settings.get("depth", 12),
        num_attention_heads=settings.get("heads", 12),
        intermediate_size=settings.get("hidden", 4 * settings.get("dim", 768)),
        image_size=settings.get("size", 224),
        patch_size=settings.get("patch", 16),
        num_labels=settings.get("classes", 1000),
    )
    return transformers.ViTForImageClassification(config)


def files(model: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by the names of the files on the hub, such as google/vit-base-patch16-224's."""
    return loading.revert_weight_conversion(model, tensors)


@pytest.mark.parametrize("size", [(32, 32), (40, 64), (16, 32)], ids=["32x32", "40x64", "16x32"])
def test_transformers(size: tuple[int, int], parity) -> None:
    """Images of the size that the positions are learnt for, and of others."""
    settings = {**SMALL, "hidden": 80}

    def run(model: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        tokens = model.vit(x, interpolate_pos_encoding=size != (32, 32)).last_hidden_state
        return model.classifier(tokens[:, 0]), tokens

    parity(
        "vision/vit.yaml",
        names="transformers",
        file=files,
        original=lambda: hubs(settings),
        settings={**settings, "eps": 1e-12, "height": size[0], "width": size[1]},
        inputs=[{"x": (2, 3, *size)}],
        run=run,
    )


@pytest.mark.parametrize(("size", "parameters"), PUBLISHED.items())
def test_published(size: str, parameters: int, published) -> None:
    patch = 14 if size == "huge" else 16
    make = getattr(timm, f"vit_{size}_patch{patch}_224")
    published(
        f"vision/vit.yaml@{size}",
        names="timm",
        original=lambda: make(num_classes=1000),
        parameters=parameters,
    )


@pytest.mark.parametrize(
    ("size", "settings", "parameters"),
    [
        ("base", {}, PUBLISHED["base"]),
        ("base", {"patch": 32, "size": 384}, 88_297_192),
        ("large", {"patch": 16}, PUBLISHED["large"]),
    ],
    ids=["base-patch16-224", "base-patch32-384", "large-patch16-224"],
)
def test_published_on_the_hub(size: str, settings: dict[str, Any], parameters: int, published) -> None:
    presets = {"base": {}, "large": {"dim": 1024, "depth": 24, "heads": 16}}
    published(
        f"vision/vit.yaml@{size}",
        names="transformers",
        file=files,
        original=lambda: hubs({**presets[size], **settings}),
        settings=settings,
        parameters=parameters,
    )
