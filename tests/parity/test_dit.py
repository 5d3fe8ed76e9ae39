"""The diffusion transformer against diffusers' `DiTTransformer2DModel`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import archc

from .originals import original

diffusers = original("diffusers")
embeddings = original("diffusers.models.embeddings")

SMALL: dict[str, Any] = {"dim": 48, "depth": 2, "heads": 4, "size": 8, "classes": 10}

PUBLISHED = {
    # Each paper's number less the table of positions, which is computed.
    "s-2": ({"dim": 384, "depth": 12, "heads": 6}, 32_865_056),
    "b-2": ({"dim": 768, "depth": 12, "heads": 12}, 130_315_808),
    "l-2": ({"dim": 1024, "depth": 24, "heads": 16}, 457_840_672),
    "xl-2": ({"dim": 1152, "depth": 28, "heads": 16}, 674_834_720),
    "xl-2-512": ({"dim": 1152, "depth": 28, "heads": 16, "size": 64}, 674_834_720),
}


def dit(
    dim: int,
    depth: int,
    heads: int,
    size: int = 32,
    patch: int = 2,
    c_in: int = 4,
    c_out: int = 8,
    classes: int = 1000,
) -> Any:
    """diffusers' model, in which every block keeps the embedding of the condition for itself. In its files
    all of them are copies of one, as the paper has it, and here they are one."""
    model = diffusers.DiTTransformer2DModel(
        num_attention_heads=heads,
        attention_head_dim=dim // heads,
        in_channels=c_in,
        out_channels=c_out,
        num_layers=depth,
        sample_size=size,
        patch_size=patch,
        num_embeds_ada_norm=classes,
        norm_eps=1e-6,
    )
    for block in model.transformer_blocks[1:]:
        block.norm1.emb = model.transformer_blocks[0].norm1.emb
    return model


def place(model: Any) -> None:
    """The table of positions, which diffusers computes in float64, before it rounds to float32."""
    patches = model.pos_embed
    table = embeddings.get_2d_sincos_pos_embed(
        patches.pos_embed.shape[-1], patches.height, base_size=patches.base_size
    )
    patches.pos_embed.copy_(table)


def run(model: Any, x: Tensor, t: Tensor, label: Tensor) -> Tensor:
    return model(x, t, label).sample


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        {**SMALL, "depth": 3, "heads": 2, "size": 12, "patch": 4},
        {**SMALL, "dim": 32, "depth": 1, "patch": 1, "c_in": 3, "c_out": 3},
    ],
    ids=["patches of 2", "patches of 4", "without variance"],
)
def test_dit(settings: dict[str, Any], parity) -> None:
    """t and label are whole numbers; `label` 10 stands for no class."""
    x = settings.get("c_in", 4), settings["size"], settings["size"]
    parity(
        "diffusion/dit.yaml",
        names="diffusers",
        original=lambda: dit(**settings),
        settings={**settings, "freq_shift": 1.0},
        inputs=[
            {"x": (2, *x), "t": torch.tensor([0, 999]), "label": torch.tensor([3, 10])},
            {"x": (1, *x), "t": torch.tensor([17]), "label": torch.tensor([0])},
        ],
        run=run,
        randomise=place,
    )


@pytest.mark.parametrize("size", PUBLISHED)
def test_published(size: str, published) -> None:
    settings, parameters = PUBLISHED[size]
    published(
        f"diffusion/dit.yaml@{size}",
        names="diffusers",
        original=lambda: dit(**settings),
        parameters=parameters,
    )


def test_the_authors_names() -> None:
    """The file that the authors published has q, k and v in one, and one embedding of the condition."""
    theirs = dit(**SMALL).state_dict()
    rows = {
        "pos_embed.proj": "x_embedder.proj",
        "transformer_blocks.0.norm1.emb.timestep_embedder.linear_1": "t_embedder.mlp.0",
        "transformer_blocks.0.norm1.emb.timestep_embedder.linear_2": "t_embedder.mlp.2",
        "transformer_blocks.0.norm1.emb.class_embedder.embedding_table": "y_embedder.embedding_table",
        "proj_out_1": "final_layer.adaLN_modulation.1",
        "proj_out_2": "final_layer.linear",
    }
    layers = {"norm1.linear": "adaLN_modulation.1", "attn1.to_out.0": "attn.proj"}
    layers |= {"ff.net.0.proj": "mlp.fc1", "ff.net.2": "mlp.fc2"}
    file = {"pos_embed": torch.zeros(1, 16, 48)}
    for part in ("weight", "bias"):
        file |= {f"{b}.{part}": theirs[f"{a}.{part}"] for a, b in rows.items() if f"{a}.{part}" in theirs}
        for i in range(SMALL["depth"]):
            ours, block = f"transformer_blocks.{i}", f"blocks.{i}"
            file |= {f"{block}.{b}.{part}": theirs[f"{ours}.{a}.{part}"] for a, b in layers.items()}
            qkv = [theirs[f"{ours}.attn1.to_{name}.{part}"] for name in "qkv"]
            file[f"{block}.attn.qkv.{part}"] = torch.cat(qkv)

    address = Path(__file__).parents[2] / "specs/diffusion/dit.yaml"
    one, other = (archc.load(address, **SMALL) for _ in range(2))
    archc.load_weights(one, theirs, names="diffusers")
    archc.load_weights(other, file, names="meta")
    torch.testing.assert_close(other.state_dict(), one.state_dict(), rtol=0, atol=0)


def test_a_new_block_hands_on_what_it_gets() -> None:
    address = Path(__file__).parents[2] / "specs/diffusion/dit.yaml"
    block = archc.load(f"{address}#Block", D=32, heads=4)
    x = torch.randn(2, 5, 32)
    assert torch.equal(block(x, torch.randn(2, 32)), x)
