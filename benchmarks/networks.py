"""The networks that benchmarks compare: specs of the zoo beside the originals, in sizes for a laptop.

The originals are those of the tests of parity: `pip install -e '.[parity]'` and
`pip install --no-deps -r tests/parity/requirements.txt`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from measure import ROOT
from torch import Tensor, nn

import archc

sys.path.append(str(ROOT))

from tests.parity.originals import original as package  # noqa: E402

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A spec's model and its original, with the same weights, and what they are called on.

    `small` and `large` are the inputs of two sizes, by the names of the spec: a shape of normal floats, or
    `ids(most, *shape)`. `run(original, *inputs)` gives the tensor that `model(*inputs)` gives.
    """

    address: str
    original: Callable[[], nn.Module]
    names: str
    small: Mapping[str, Shape | Tensor]
    large: Mapping[str, Shape | Tensor]
    settings: Mapping[str, Any] = field(default_factory=dict)
    run: Callable[..., Tensor] = lambda original, *inputs: original(*inputs)
    result: Callable[[Any], Tensor] = lambda made: made

    @cached_property
    def theirs(self) -> nn.Module:
        """The original in evaluation mode, with weights drawn from a seed: made once."""
        torch.manual_seed(0)
        return self.original().eval()

    def ours(self, **options: Any) -> nn.Module:
        """The spec's model in evaluation mode, with the original's weights; options as of `archc.load`."""
        model = archc.load(f"{ROOT}/specs/{self.address}", **self.settings, **options)
        archc.load_weights(model, self.theirs.state_dict(), names=self.names)
        return model.eval()

    def inputs(self, size: str = "small", dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
        """The inputs of a size, drawn from a seed."""
        generator = torch.Generator().manual_seed(1)
        chosen: Mapping[str, Shape | Tensor] = getattr(self, size)
        return tuple(
            value if isinstance(value, Tensor) else torch.randn(value, generator=generator).to(dtype)
            for value in chosen.values()
        )

    def call_theirs(self, inputs: Sequence[Tensor]) -> Tensor:
        return self.run(self.theirs, *inputs)

    def call_ours(self, model: nn.Module, inputs: Sequence[Tensor]) -> Tensor:
        return self.result(model(*inputs))


def ids(most: int, *shape: int) -> Tensor:
    """Numbers of tokens below `most`."""
    return torch.randint(most, shape, generator=torch.Generator().manual_seed(2))


VQ: Mapping[str, Any] = {
    "ch": 64,
    "ch_mult": [1, 1, 2],
    "num_res_blocks": 2,
    "resolution": 64,
    "attn_resolutions": [16],
}
_TAMING_VQ: Mapping[str, Any] = {**VQ, "in_channels": 3, "out_ch": 3, "dropout": 0.0}


def _taming() -> Any:
    return package("taming.modules.diffusionmodules.model")


def gpt(
    layers: int, width: int, heads: int, vocab: int, positions: int, **sizes: Mapping[str, Tensor]
) -> Network:
    """minGPT, as taming-transformers has it."""

    def original() -> nn.Module:
        mingpt = package("taming.modules.transformer.mingpt")
        return mingpt.GPT(vocab, positions, n_layer=layers, n_head=heads, n_embd=width)

    return Network(
        "text/gpt2.yaml",
        original,
        "taming",
        settings={
            **{"layers": layers, "width": width, "heads": heads, "vocab": vocab, "positions": positions},
            **{"act": "gelu", "tied": False, "dropout": 0.0},
        },
        run=lambda original, *inputs: original(*inputs)[0],
        **sizes,  # type: ignore[arg-type]
    )


def transformer(layers: int) -> Network:
    """minGPT of a width of 256 and so many layers, for the time that compilation takes."""
    return gpt(
        *(layers, 256, 8, 1000, 128), small={"ids": ids(1000, 2, 64)}, large={"ids": ids(1000, 8, 128)}
    )


def _gpt2() -> nn.Module:
    transformers = package("transformers")
    sizes = {"vocab_size": 4096, "n_positions": 256, "n_embd": 384, "n_layer": 6, "n_head": 6}
    no_tokens = {"bos_token_id": None, "eos_token_id": None}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, **no_tokens))


def _vit() -> nn.Module:
    return package("timm.models.vision_transformer").vit_tiny_patch16_224(num_classes=1000)


_TINY = gpt(*(4, 32, 4, 64, 32), small={"ids": ids(64, 1, 8)}, large={"ids": ids(64, 4, 32)})

NETWORKS: Mapping[str, Network] = {
    "VQ encoder": Network(
        "vq/nets.yaml#Encoder",
        lambda: _taming().Encoder(**_TAMING_VQ, z_channels=64, double_z=False),
        "taming",
        settings={**VQ, "z_channels": 64},
        small={"x": (1, 3, 32, 32)},
        large={"x": (8, 3, 64, 64)},
    ),
    "VQ decoder": Network(
        "vq/nets.yaml#Decoder",
        lambda: _taming().Decoder(**_TAMING_VQ, z_channels=64),
        "taming",
        settings={**VQ, "z_channels": 64},
        small={"z": (1, 64, 8, 8)},
        large={"z": (8, 64, 16, 16)},
    ),
    "VQ U-Net": Network(
        "vq/unet.yaml#UNet",
        lambda: _taming().Model(**_TAMING_VQ, resamp_with_conv=True, use_timestep=True),
        "taming",
        settings={**VQ, "given": ["t"]},
        small={"x": (1, 3, 32, 32), "t": ids(1000, 1)},
        large={"x": (4, 3, 64, 64), "t": ids(1000, 4)},
    ),
    "GPT-2": Network(
        "text/gpt2.yaml",
        _gpt2,
        "transformers",
        settings={"vocab": 4096, "positions": 256, "width": 384, "layers": 6, "heads": 6},
        run=lambda original, tokens: original(tokens, use_cache=False).logits,
        small={"ids": ids(4096, 1, 32)},
        large={"ids": ids(4096, 4, 256)},
    ),
    "ViT": Network(
        "vision/vit.yaml@tiny",
        _vit,
        "timm",
        result=lambda made: made[0],
        small={"x": (1, 3, 224, 224)},
        large={"x": (8, 3, 224, 224)},
    ),
    "ResNet-50": Network(
        "vision/resnet.yaml@resnet50",
        lambda: package("torchvision.models").resnet50(),
        "torchvision",
        result=lambda made: made[0],
        small={"x": (1, 3, 64, 64)},
        large={"x": (4, 3, 160, 160)},
    ),
    "tiny GPT": _TINY,
    "tiny GPT as written": replace(
        _TINY,
        address="../benchmarks/mingpt.yaml",
        settings={name: _TINY.settings[name] for name in ("layers", "width", "heads", "vocab", "positions")},
    ),
}
"""By name: those of the README's table, and a GPT so tiny that Python takes most of its time, also by a spec
that repeats the very arithmetic of minGPT."""
