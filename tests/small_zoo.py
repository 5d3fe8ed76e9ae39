"""The zoo in sizes small enough to compile, export and optimise in a test.

Every published architecture once or twice, with the parts that its larger sizes have: a stage that repeats,
a shortcut, attention. Weights are drawn at random (`built`), since what starts as zero hides mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import archc
from archc.runtime.example import inputs, sizes
from tests.parity.harness import randomise

SPECS = Path(__file__).parents[1] / "specs"


class Small(NamedTuple):
    """A spec with settings, and sizes of free dimensions."""

    address: str
    settings: Mapping[str, Any] = {}
    sizes: Mapping[str, int] = {}

    def graph(self) -> archc.Graph:
        return archc.graph(f"{SPECS}/{self.address}", **self.settings)

    def built(self, graph: archc.Graph | None = None, **options: Any) -> nn.Module:
        """The model, with random weights that are the same each time; options as of `archc.load`."""
        model = archc.load(graph or self.graph(), **options)
        randomise(model)
        return model

    def inputs(self, graph: archc.Graph, **others: int) -> dict[str, Tensor | list[Tensor]]:
        """Random inputs, the same each time; `others` are sizes that differ from the usual ones."""
        torch.manual_seed(2)
        free = sizes(graph, {**self.sizes, **others})
        return inputs(graph, free, "cpu", torch.get_default_dtype())


_BNECKS = [[3, 8, 8, True, "relu", 1], [5, 16, 8, False, "hardswish", 1], [3, 16, 12, True, "hardswish", 2]]
_STAGES = [[1, 3, 1, 8, 1], [4, 3, 2, 12, 2], [4, 5, 2, 16, 2]]
_LLAMA = {"vocab": 50, "width": 32, "layers": 2, "heads": 4, "kv_heads": 2, "inner": 40, "absent": ["past"]}
_TEXT = "TextTower(32, 2, heads=2, vocab=50, context=9, eos=49)"
_KL = {"ch": 8, "groups": 4, "ch_mult": [1, 2], "layers_per_block": 1}

SMALL = {
    "crepe": Small("audio/crepe.yaml@tiny", {"capacity": 1}, {"B": 2}),
    "silero_vad": Small(
        "audio/silero_vad.yaml", {"hidden": 16, "chunk": 128, "margin": 32, "window": 64}, {"B": 2}
    ),
    "wavenet": Small(
        "audio/wavenet.yaml@wavenet_vocoder",
        {
            "layers": 4,
            "stacks": 2,
            "width": 6,
            "gate": 8,
            "skip": 10,
            "levels": 12,
            "mels": 5,
            "speakers": 4,
            "speaker_width": 3,
            "dropout": 0.0,
        },
        {"B": 2, "T": 24},
    ),
    "autoencoder_kl": Small(
        "diffusion/autoencoder_kl.yaml", {**_KL, "absent": ["z"]}, {"B": 2, "H": 8, "W": 8}
    ),
    "autoencoder_kl decoding": Small(
        "diffusion/autoencoder_kl.yaml", {**_KL, "absent": ["x"]}, {"N": 2, "P": 4, "Q": 4}
    ),
    "dit": Small(
        "diffusion/dit.yaml", {"dim": 48, "depth": 2, "heads": 4, "size": 8, "classes": 10}, {"B": 2}
    ),
    "unet2d": Small(
        "diffusion/unet2d.yaml",
        {
            "groups": 4,
            "block_out_channels": [8, 16],
            "attention": [False, True],
            "layers_per_block": 1,
            "absent": ["label"],
        },
        {"B": 2, "H": 8, "W": 8},
    ),
    "clip": Small(
        "multimodal/clip.yaml",
        {
            "dim": 24,
            "size": 16,
            "vision": "VisionTower(32, 2, heads=2, patch=8)",
            "text": _TEXT,
            "absent": ["mask"],
        },
        {"B": 2, "N": 3, "T": 5},
    ),
    "bert": Small(
        "text/bert.yaml",
        {"vocab": 60, "width": 24, "layers": 2, "heads": 3, "positions": 12, "dropout": 0.0},
        {"B": 2, "T": 6},
    ),
    "gpt2": Small(
        "text/gpt2.yaml",
        {
            "vocab": 50,
            "positions": 12,
            "width": 24,
            "layers": 2,
            "heads": 3,
            "dropout": 0.0,
            "absent": ["prefix", "mask"],
        },
        {"B": 2, "T": 6},
    ),
    "llama": Small("text/llama.yaml", {**_LLAMA, "absent": ["past", "mask", "positions"]}, {"B": 2, "T": 6}),
    "qwen2": Small("text/qwen2.yaml", {**_LLAMA, "absent": ["past", "positions"]}, {"B": 2, "T": 6}),
    "lstm_seq2seq": Small(
        "text/lstm_seq2seq.yaml",
        {"source_vocab": 11, "target_vocab": 11, "embed": 6, "hidden": 4, "layers": 2},
        {"B": 2, "S": 5, "T": 4},
    ),
    "convnext": Small(
        "vision/convnext.yaml",
        {"depths": [1, 2, 1, 1], "widths": [8, 12, 16, 20], "drop_path": 0.0, "classes": 10},
        {"B": 2, "H": 32, "W": 32},
    ),
    "densenet": Small(
        "vision/densenet.yaml",
        {"layers": [2, 2, 1, 1], "growth": 4, "stem": 8, "bottleneck": 2, "classes": 10},
        {"B": 2, "H": 64, "W": 64},
    ),
    "efficientnet": Small(
        "vision/efficientnet.yaml",
        {"stages": _STAGES, "classes": 10, "dropout": 0.0, "drop_path": 0.0},
        {"B": 2, "H": 32, "W": 32},
    ),
    "fpn": Small(
        "vision/fpn.yaml@resnet18",
        {"width": 16, "layers": [1, 2, 1, 1]},
        {"B": 1, "H": 64, "W": 64},
    ),
    "lpips": Small("vision/lpips.yaml@alex", {}, {"B": 1, "H": 32, "W": 32}),
    "mlp_mixer": Small(
        "vision/mlp_mixer.yaml", {"dim": 32, "depth": 2, "patch": 8, "size": 32, "classes": 10}, {"B": 2}
    ),
    "mobilenet_v3": Small(
        "vision/mobilenet_v3.yaml",
        {"bnecks": _BNECKS, "features": 24, "hidden": 16, "dropout": 0.0, "classes": 10},
        {"B": 2, "H": 32, "W": 32},
    ),
    "resnet basic": Small(
        "vision/resnet.yaml",
        {"block": "BasicBlock", "layers": [2, 1, 1, 1], "width": 8, "classes": 10},
        {"B": 2, "H": 64, "W": 64},
    ),
    "resnet bottleneck": Small(
        "vision/resnet.yaml",
        {"layers": [1, 3, 1, 1], "width": 8, "classes": 10},
        {"B": 2, "H": 64, "W": 64},
    ),
    "retinanet": Small(
        "vision/retinanet.yaml@resnet50_fpn",
        {"classes": 5, "layers": [1, 1, 1, 1], "block": "BasicBlock", "width": 16},
        {"B": 1, "H": 64, "W": 64},
    ),
    "siamese": Small("vision/siamese.yaml", {"tower": "Tower(8, [[4, 3], [6, 3]])", "size": 18}, {"B": 2}),
    "unet": Small(
        "vision/unet.yaml@unet",
        {"widths": [4, 8, 16], "ups": [16, 8], "padding": 1},
        {"B": 2, "H": 16, "W": 16},
    ),
    "vit": Small(
        "vision/vit.yaml",
        {"dim": 32, "depth": 2, "heads": 2, "size": 32, "patch": 8, "classes": 10},
        {"B": 2},
    ),
    "discriminator": Small("vq/discriminator.yaml", {"ch": 8, "layers": 2}, {"B": 2, "H": 32, "W": 32}),
    "tokenizer": Small(
        "vq/tokenizer.yaml",
        {
            "codes": 50,
            "dim": 8,
            "z_channels": 6,
            "encoder": "Encoder(16, ch=32, ch_mult=[1, 2], attn_resolutions=[8], z_channels=6)",
            "decoder": "Decoder(16, ch=32, ch_mult=[1, 2], attn_resolutions=[8], z_channels=6)",
        },
        {"B": 1, "H": 16, "W": 16},
    ),
    "vq unet": Small(
        "vq/unet.yaml",
        {"ch": 32, "ch_mult": [1, 2], "num_res_blocks": 1, "attn_resolutions": [16], "resolution": 16},
        {"B": 1, "H": 16, "W": 16},
    ),
}
