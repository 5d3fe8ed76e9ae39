"""The VQ tokenizer and its discriminator against taming-transformers' `VQModel` and `NLayerDiscriminator`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc

from .harness import SPECS
from .originals import original

taming = original("taming.modules.discriminator.model")
vqgan = original(
    "taming.models.vqgan",
    {
        "pytorch_lightning": {"LightningModule": nn.Module},  # what trains the model
        "taming.main": {"instantiate_from_config": lambda config: None},  # what makes its losses
    },
)


def vq_model(codes: int, dim: int, **settings: Any) -> Any:
    """The original with the discriminator among its losses, as checkpoints have it."""
    network = {
        "double_z": False,
        "in_channels": 3,
        "out_ch": 3,
        "num_res_blocks": 2,
        "dropout": 0.0,
        "resamp_with_conv": True,
        **settings,
    }
    model = vqgan.VQModel(network, None, codes, dim)
    model.loss = nn.ModuleDict({"discriminator": taming.NLayerDiscriminator(ndf=8)})
    return model


@pytest.mark.parametrize(
    ("mult", "attention", "sizes"),
    [([1, 2], [8], (16, 16)), ([1, 1, 2], [16], (16, 24)), ([2, 1, 3], [], (24, 16))],
    ids=["attention at the lowest level", "attention at the highest level", "no attention"],
)
def test_tokenizer(mult: list[int], attention: list[int], sizes: tuple[int, int], parity) -> None:
    network = f"16, ch=32, ch_mult={mult}, attn_resolutions={attention}, z_channels=6"
    seen: set[int] = set()

    def run(model: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        quantized, loss, (_, _, ids) = model.encode(x)
        grid = ids.view(len(x), *quantized.shape[2:])
        seen.update(grid.flatten().tolist())
        return model.decode(quantized), loss, grid

    parity(
        "vq/tokenizer.yaml",
        names="taming",
        original=lambda: vq_model(
            50, 8, z_channels=6, resolution=16, ch=32, ch_mult=mult, attn_resolutions=attention
        ),
        settings={
            "codes": 50,
            "dim": 8,
            "z_channels": 6,
            "encoder": f"Encoder({network})",
            "decoder": f"Decoder({network})",
        },
        inputs=[{"x": (2, 3, *sizes)}, {"x": (1, 3, 8, 8)}],
        run=run,
    )
    assert len(seen) > 5, "several codes are in use"


def test_detokenizer(parity) -> None:
    """The original's own `decode_code` calls what its quantizer lacks: here is what it means."""

    def run(model: Any, ids: Tensor) -> Tensor:
        return model.decode(model.quantize.embedding(ids).permute(0, 3, 1, 2))

    parity(
        "vq/tokenizer.yaml#Detokenizer",
        names="taming",
        original=lambda: vq_model(
            50, 8, z_channels=6, resolution=16, ch=32, ch_mult=[1, 2], attn_resolutions=[8]
        ),
        settings={
            "codes": 50,
            "dim": 8,
            "z_channels": 6,
            "decoder": "Decoder(16, ch=32, ch_mult=[1, 2], attn_resolutions=[8], z_channels=6)",
        },
        inputs=[{"ids": torch.tensor([[[0, 49, 7], [3, 3, 12]]])}],
        run=run,
    )


@pytest.mark.parametrize(("codes", "parameters"), [(1024, 72_141_699), (16384, 76_073_859)])
def test_published_tokenizers(codes: int, parameters: int, published) -> None:
    published(
        f"vq/tokenizer.yaml@imagenet_f16_{codes}",
        names="taming",
        original=lambda: vq_model(
            codes,
            256,
            z_channels=256,
            resolution=256,
            ch=128,
            ch_mult=[1, 1, 2, 2, 4],
            attn_resolutions=[16],
        ),
        unused=["loss.*"],
        parameters=parameters,
    )


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("layers", [1, 2, 3, 5])
def test_discriminator(layers: int, training: bool, parity) -> None:
    parity(
        "vq/discriminator.yaml",
        names="taming",
        original=lambda: taming.NLayerDiscriminator(input_nc=3, ndf=8, n_layers=layers),
        settings={"ch": 8, "layers": layers},
        inputs=[{"x": (3, 3, 128, 100)}, {"x": (2, 3, 97, 131)}],
        training=training,
    )


@pytest.mark.parametrize(
    ("preset", "layers", "parameters"),
    [("imagenet_f16_1024", 3, 2_765_633), ("imagenet_f16_16384", 2, 663_361)],
)
def test_published_discriminators(preset: str, layers: int, parameters: int, published) -> None:
    published(
        f"vq/discriminator.yaml@{preset}",
        names="taming",
        original=lambda: taming.NLayerDiscriminator(n_layers=layers),
        parameters=parameters,
    )


@pytest.mark.parametrize(("layers", "pixels"), [(3, 70), (2, 34)])
def test_pixels_that_a_number_looks_at(layers: int, pixels: int) -> None:
    model = archc.load(f"{SPECS}/vq/discriminator.yaml", ch=4, layers=layers).eval()
    x = torch.randn(1, 3, 160, 160, requires_grad=True)
    logits = model(x)
    height, width = (size // 2 for size in logits.shape[2:])
    logits[0, 0, height, width].backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0) > 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (pixels, pixels)
