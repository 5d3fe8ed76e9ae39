"""specs/text/lstm_seq2seq.yaml beside JoeyNMT's recurrent encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from .originals import original

STUBS = {
    "torch.utils.tensorboard": {"SummaryWriter": None},
    "joeynmt.plotting": {"plot_heatmap": None},
}

encoders = original("joeynmt.encoders", stubs=STUBS)
decoders = original("joeynmt.decoders", stubs=STUBS)

SOURCE = torch.tensor([[2, 5, 9, 4, 3], [7, 7, 1, 10, 3]])
TARGET = torch.tensor([[2, 8, 1, 3], [2, 4, 6, 9]])
MASK = torch.tensor([[True, True, True, True, True], [True, True, False, False, True]])


class Words(nn.Module):
    """JoeyNMT's embedding, without the vocabulary that it wants to know."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.lut = nn.Embedding(count, width, padding_idx=1)


class Translator(nn.Module):
    """Encoder and decoder, put together as JoeyNMT's model does."""

    def __init__(
        self, attention: str, layers: int, feeding: bool, embed: int = 6, hidden: int = 4, words: int = 11
    ) -> None:
        super().__init__()
        options = {"rnn_type": "lstm", "hidden_size": hidden, "emb_size": embed, "num_layers": layers}
        self.src_embed = Words(words, embed)
        self.trg_embed = Words(words, embed)
        self.encoder = encoders.RecurrentEncoder(bidirectional=True, **options)
        self.decoder = decoders.RecurrentDecoder(
            encoder=self.encoder, attention=attention, vocab_size=words, input_feeding=feeding, **options
        )

    def forward(self, source: Tensor, target: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        lengths = torch.full((source.shape[0],), source.shape[1])
        memory, whole = self.encoder(self.src_embed.lut(source), lengths, mask=None)
        return self.decode(target, memory, whole, mask)[:2]

    def decode(self, target: Tensor, memory: Tensor, whole: Tensor, mask: Tensor | None = None) -> Any:
        everything = torch.ones(memory.shape[:2], dtype=torch.bool)
        logits, (h, c), weights, vectors = self.decoder(
            self.trg_embed.lut(target),
            memory,
            whole,
            (everything if mask is None else mask).unsqueeze(1),
            unroll_steps=target.shape[1],
        )
        return logits, weights, h.transpose(0, 1), c.transpose(0, 1), vectors[:, -1:]


@pytest.mark.parametrize(("attention", "layers"), [("luong", 1), ("bahdanau", 2)])
def test_translation(parity: Callable[..., None], attention: str, layers: int) -> None:
    parity(
        "text/lstm_seq2seq.yaml",
        names="joeynmt",
        package="joeynmt",
        original=lambda: Translator(attention, layers, feeding=False),
        settings={
            "source_vocab": 11, "target_vocab": 11, "embed": 6, "hidden": 4,
            "layers": layers, "attention": attention,
        },
        run=lambda model, **inputs: model(**inputs),
        inputs=[
            {"source": SOURCE, "target": TARGET},
            {"source": SOURCE, "target": TARGET, "mask": MASK},
            {"source": SOURCE[:1, :1], "target": TARGET[:1]},
        ],
    )  # fmt: skip


def word_by_word(model: Any, target: Tensor, memory: Tensor, **inputs: Tensor) -> list[Tensor]:
    """The decoder, called for each word with what it gave for the one before."""
    mask = inputs.get("mask")
    logits, weights = [], []
    state = {"whole": inputs["whole"]}
    for word in target.split(1, dim=1):
        said, looked, h, c, attended = model(word, memory, mask, **state)
        logits.append(said)
        weights.append(looked)
        state = {"h": h, "c": c, "attended": attended}
    return [torch.cat(logits, 1), torch.cat(weights, 1), h, c, attended]


@pytest.mark.parametrize("feeding", [True, False])
@pytest.mark.parametrize("attention", ["luong", "bahdanau"])
def test_word_by_word(parity: Callable[..., None], attention: str, feeding: bool) -> None:
    parity(
        "text/lstm_seq2seq.yaml#Decoder",
        names="joeynmt",
        package="joeynmt",
        original=lambda: Translator(attention, layers=2, feeding=feeding),
        unused=("encoder.*", "src_embed.*"),
        settings={
            "vocab": 11, "embed": 6, "hidden": 4, "layers": 2,
            "attention": attention, "input_feeding": feeding, "E": 8,
        },
        run=lambda model, **inputs: model.decode(**inputs),
        ours=word_by_word,
        inputs=[
            {"target": TARGET, "memory": (2, 5, 8), "whole": (2, 8)},
            {"target": TARGET, "memory": (2, 5, 8), "whole": (2, 8), "mask": MASK},
        ],
    )  # fmt: skip


def test_published(published: Callable[..., None]) -> None:
    published(
        "text/lstm_seq2seq.yaml",
        names="joeynmt",
        package="joeynmt",
        original=lambda: Translator("luong", 1, feeding=False, embed=256, hidden=256, words=32_000),
        parameters=26_614_272,
    )
