"""The U-Net of pixel diffusion against diffusers' `UNet2DModel`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from .diffusers_names import older_attention
from .originals import original

diffusers = original("diffusers")

DOWN = {
    "conv": {False: "DownBlock2D", True: "AttnDownBlock2D"},
    "resnet": {False: "ResnetDownsampleBlock2D", True: "AttnDownBlock2D"},
}
UP = {
    "conv": {False: "UpBlock2D", True: "AttnUpBlock2D"},
    "resnet": {False: "ResnetUpsampleBlock2D", True: "AttnUpBlock2D"},
}

CIFAR: dict[str, Any] = {
    "block_out_channels": [128, 256, 256, 256],
    "attention": [False, True, False, False],
    "layers_per_block": 2,
    "head_dim": None,
    "sampler": "conv",
    "downsample_padding": 0,
    "time": "add",
    "waves": "positional",
    "cosines_first": False,
    "freq_shift": 1.0,
    "classes": 0,
    "eps": 1e-6,
}
"""The spec's defaults."""

LATER = {"head_dim": 64, "sampler": "resnet", "cosines_first": True, "freq_shift": 0.0, "eps": 1e-5}

PUBLISHED: dict[str, tuple[int, dict[str, Any]]] = {
    "ddpm-cifar10-32": (35_746_307, {}),
    "ddpm-celebahq-256": (
        113_673_219,
        {"block_out_channels": [128, 128, 256, 256, 512, 512], "attention": [False] * 4 + [True, False]},
    ),
    "cd_imagenet64": (
        295_899_267,
        {
            **LATER,
            "block_out_channels": [192, 384, 576, 768],
            "attention": [False, True, True, True],
            "layers_per_block": 3,
            "time": "scale_shift",
            "classes": 1000,
        },
    ),
    "cd_bedroom256": (
        526_304_771,
        {
            **LATER,
            "block_out_channels": [256, 256, 512, 512, 1024, 1024],
            "attention": [False] * 3 + [True] * 3,
        },
    ),
}
"""Each preset's number of parameters, and what it sets."""


def unet(**settings: Any) -> Any:
    """The original with the spec's settings."""
    own = {**CIFAR, **settings}
    groups, sampler = own.get("groups", 32), own["sampler"]
    return diffusers.UNet2DModel(
        in_channels=own.get("in_channels", 3),
        out_channels=own.get("out_channels", 3),
        time_embedding_type=own["waves"],
        freq_shift=own["freq_shift"],
        flip_sin_to_cos=own["cosines_first"],
        down_block_types=tuple(DOWN[sampler][here] for here in own["attention"]),
        up_block_types=tuple(UP[sampler][here] for here in reversed(own["attention"])),
        block_out_channels=tuple(own["block_out_channels"]),
        layers_per_block=own["layers_per_block"],
        downsample_padding=own["downsample_padding"],
        downsample_type=sampler,
        upsample_type=sampler,
        dropout=own.get("dropout", 0.0),
        attention_head_dim=own["head_dim"],
        norm_num_groups=groups,
        attn_norm_num_groups=groups,
        norm_eps=own["eps"],
        resnet_time_scale_shift={"add": "default"}.get(own["time"], own["time"]),
        num_class_embeds=own["classes"] or None,
    )


SMALL: dict[str, Any] = {
    "groups": 4,
    "block_out_channels": [8, 16],
    "attention": [False, True],
    "layers_per_block": 1,
}

CASES: dict[str, dict[str, Any]] = {
    "as DDPM's": {},
    "one level": {"block_out_channels": [8], "attention": [True]},
    "attention in the first level, others padded all around": {
        "attention": [True, False],
        "downsample_padding": 1,
        "dropout": 0.2,  # evaluation knows none
    },
    "three levels of two layers": {
        "block_out_channels": [8, 16, 12],
        "attention": [False, True, False],
        "layers_per_block": 2,
        "in_channels": 2,
        "out_channels": 5,
    },
    "heads, as today's defaults": {
        "head_dim": 4,
        "cosines_first": True,
        "freq_shift": 0.0,
        "downsample_padding": 1,
        "eps": 1e-5,
    },
    "scale and shift, residual samplers": {
        "head_dim": 8,
        "sampler": "resnet",
        "time": "scale_shift",
        "attention": [True, False],
    },
    "three levels with residual samplers": {
        "block_out_channels": [8, 16, 16],
        "attention": [False, True, True],
        "sampler": "resnet",
    },
    "random waves": {"waves": "fourier"},
}


@pytest.mark.parametrize("case", CASES)
def test_unet2d(case: str, parity) -> None:
    settings = {**SMALL, **CASES[case]}
    channels = settings.get("in_channels", 3)
    parity(
        "diffusion/unet2d.yaml",
        names="diffusers",
        original=lambda: unet(**settings),
        settings=settings,
        inputs=[
            {"x": (2, channels, 8, 12), "t": torch.tensor([3.0, 999.0])},
            {"x": (1, channels, 4, 4), "t": torch.tensor([41.25])},
        ],
        run=lambda model, x, t: model(x, t).sample,
    )


def test_classes(parity) -> None:
    settings = {**SMALL, "classes": 10}
    parity(
        "diffusion/unet2d.yaml",
        names="diffusers",
        original=lambda: unet(**settings),
        settings=settings,
        inputs=[{"x": (2, 3, 8, 8), "t": torch.tensor([7, 500]), "label": torch.tensor([9, 0])}],
        run=lambda model, x, t, label: model(x, t, label).sample,
    )


def test_an_image_without_a_label(parity) -> None:
    """The original asks for one; without, ours is the original with a class whose vector is zero."""

    def run(model: Any, x: Tensor, t: Tensor) -> Tensor:
        with torch.no_grad():
            model.class_embedding.weight[3] = 0
        return model(x, t, torch.tensor([3, 3])).sample

    settings = {**SMALL, "classes": 10}
    parity(
        "diffusion/unet2d.yaml",
        names="diffusers",
        original=lambda: unet(**settings),
        settings=settings,
        inputs=[{"x": (2, 3, 8, 8), "t": torch.tensor([7, 500])}],
        run=run,
        gradients=False,
    )


def test_names_of_older_files(parity) -> None:
    settings = {**SMALL, "attention": [True, True]}
    parity(
        "diffusion/unet2d.yaml",
        names="diffusers_old",
        original=lambda: unet(**settings),
        settings=settings,
        inputs=[{"x": (2, 3, 8, 8), "t": torch.tensor([7, 500])}],
        run=lambda model, x, t: model(x, t).sample,
        file=older_attention,
    )


@pytest.mark.parametrize("preset", PUBLISHED)
def test_published_sizes(preset: str, published) -> None:
    parameters, settings = PUBLISHED[preset]
    older = preset.startswith("ddpm")
    published(
        f"diffusion/unet2d.yaml@{preset}",
        names="diffusers_old" if older else "diffusers",
        original=lambda: unet(**settings),
        parameters=parameters,
        file=older_attention if older else None,
    )
