"""CLIP against transformers', and against OpenAI's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from .originals import original

transformers = original("transformers")
clip = original("clip.model", stubs={"clip.clip": {}})

EOS = 49
IDS = torch.tensor([[48, 3, 7, 11, EOS, 0, 0], [48, EOS, 5, 5, EOS, 0, EOS], [48, 1, 2, 3, 4, 5, EOS]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 1, 1]]).bool()
"""Padding behind a text changes nothing, as nobody looks there: the third one has holes."""

SMALL = {
    "dim": 24,
    "size": 24,
    "vision": "VisionTower(64, 2, heads=2, patch=8)",
    "text": f"TextTower(32, 3, heads=2, vocab=50, context=9, eos={EOS})",
}
"""Towers of other widths and depths. Of a text with several ends the first one counts."""

PUBLISHED = {
    "vit-b-32": (151_277_313, {}, {"patch_size": 32}),
    "vit-b-16": (149_620_737, {}, {"patch_size": 16}),
    "vit-l-14": (427_616_513, {"hidden_size": 768}, {"patch_size": 14, "hidden_size": 1024}),
    "vit-l-14-336": (
        427_944_193,
        {"hidden_size": 768},
        {"patch_size": 14, "hidden_size": 1024, "image_size": 336},
    ),
}


def hubs(text: dict[str, Any], vision: dict[str, Any], dim: int = 512) -> Any:
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=dim)
    return transformers.CLIPModel(config)


def small_hubs() -> Any:
    text = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 128}
    text |= {"vocab_size": 50, "max_position_embeddings": 9, "eos_token_id": EOS}
    vision = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 256}
    return hubs(text, vision | {"image_size": 24, "patch_size": 8}, dim=24)


def run_hubs(model: Any, image: Tensor | None, ids: Tensor | None, mask: Tensor | None) -> list[Tensor]:
    if image is not None and ids is not None:
        found = model(input_ids=ids, pixel_values=image, attention_mask=mask)
        return [found.image_embeds, found.text_embeds, found.logits_per_image, found.logits_per_text]
    if image is not None:
        found = model.get_image_features(image)
    else:
        found = model.get_text_features(ids, attention_mask=mask)
    return [nn.functional.normalize(found.pooler_output, dim=-1)]


def ours(model: Any, **inputs: Any) -> list[Tensor]:
    found = model(**{name: value for name, value in inputs.items() if value is not None})
    return [value for value in (found if isinstance(found, tuple) else [found]) if value is not None]


def test_transformers(parity) -> None:
    image = (2, 3, 24, 24)
    parity(
        "multimodal/clip.yaml",
        names="transformers",
        original=small_hubs,
        settings=SMALL,
        inputs=[
            {"image": image, "ids": IDS, "mask": MASK},
            {"image": image, "ids": IDS, "mask": None},
            {"image": None, "ids": IDS[1:], "mask": MASK[1:]},
            {"image": None, "ids": IDS[:, :5], "mask": None},
            {"image": image, "ids": None, "mask": None},
        ],
        run=run_hubs,
        ours=ours,
    )


@pytest.mark.parametrize("absent", [["image"], ["ids", "mask"], ["mask"]], ids=lambda names: "-".join(names))
def test_parts(absent: list[str], parity) -> None:
    """A model of which a part is left out has no weights of it."""
    unused = {"image": ["vision_model.*", "visual_*", "logit_scale"], "ids": ["text_*", "logit_scale"]}
    given: dict[str, Any] = {"image": (2, 3, 24, 24), "ids": IDS, "mask": MASK}
    parity(
        "multimodal/clip.yaml",
        names="transformers",
        original=small_hubs,
        settings={**SMALL, "absent": absent},
        inputs=[{name: None if name in absent else value for name, value in given.items()}],
        run=run_hubs,
        ours=ours,
        unused=unused.get(absent[0], ()),
    )


def openais() -> Any:
    model = clip.CLIP(24, 24, 2, 64, 8, 9, 50, 64, 1, 3)
    for norm in model.modules():  # it computes them in float32, whatever arrives
        if isinstance(norm, clip.LayerNorm):
            norm.forward = nn.LayerNorm.forward.__get__(norm)
    return model


def test_openai(parity) -> None:
    parity(
        "multimodal/clip.yaml",
        names="openai",
        original=openais,
        settings={
            "dim": 24,
            "size": 24,
            "vision": "VisionTower(64, 2, patch=8)",
            "text": f"TextTower(64, 3, vocab=50, context=9, eos={EOS})",
        },
        inputs=[{"image": (2, 3, 24, 24), "ids": IDS}, {"image": (1, 3, 24, 24), "ids": IDS[:, :5]}],
        run=lambda model, image, ids: model(image, ids),
        ours=lambda model, image, ids: model(image, ids)[2:],
    )


@pytest.mark.parametrize("size", PUBLISHED)
def test_published(size: str, published) -> None:
    parameters, text, vision = PUBLISHED[size]
    large = "l-14" in size
    text = {**text, "num_attention_heads": 12, "intermediate_size": 3072} if large else text
    deep = {"num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
    vision = {**vision, **deep} if large else vision
    published(
        f"multimodal/clip.yaml@{size}",
        names="transformers",
        original=lambda: hubs(text, vision, dim=768 if large else 512),
        parameters=parameters,
    )
