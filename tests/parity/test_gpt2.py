"""GPT-2 against transformers', and by a map of names alone against taming-transformers' minGPT."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import archc

from .harness import SPECS, randomise
from .originals import original

transformers = original("transformers")
mingpt = original("taming.modules.transformer.mingpt")

SMALL: dict[str, Any] = {"vocab": 50, "positions": 12, "width": 24, "layers": 2, "heads": 3}

PUBLISHED = {
    "small": 124_439_808,
    "medium": 354_823_168,
    "large": 774_030_080,
    "xl": 1_557_611_200,
    "distil": 81_912_576,
}

TAMING = {"act": "gelu", "tied": False, "dropout": 0.0}


def gpt2(tied: bool = True, **settings: Any) -> Any:
    """transformers' model with the spec's settings."""
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=settings["vocab"],
            n_positions=settings["positions"],
            n_embd=settings["width"],
            n_layer=settings["layers"],
            n_head=settings["heads"],
            tie_word_embeddings=tied,
        )
    )


def taming(**settings: Any) -> Any:
    """taming's model with the spec's settings."""
    return mingpt.GPT(
        settings["vocab"],
        settings["positions"],
        n_layer=settings["layers"],
        n_head=settings["heads"],
        n_embd=settings["width"],
    )


def tokens(*shape: int) -> Tensor:
    return torch.randint(0, SMALL["vocab"], shape, generator=torch.Generator().manual_seed(3))


def padded(*lengths: int, total: int) -> Tensor:
    """A mask of texts padded behind their ends."""
    return torch.arange(total) < torch.tensor(lengths)[:, None]


@pytest.mark.parametrize("own", [{}, {"tied": False}, {"layers": 3, "heads": 1}])
def test_gpt2(own: dict[str, Any], parity) -> None:
    settings = {**SMALL, **own}

    def run(model: Any, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        return model(ids, attention_mask=None if mask is None else mask.long()).logits

    parity(
        "text/gpt2.yaml",
        names="transformers",
        original=lambda: gpt2(**settings),
        settings=settings,
        inputs=[
            {"ids": tokens(2, 7)},
            {"ids": tokens(1, 1)},
            {"ids": tokens(3, 12)},
            {"ids": tokens(2, 7), "mask": padded(7, 4, total=7)},
        ],
        run=run,
    )


def test_vectors_before_the_tokens(parity) -> None:
    """transformers takes vectors in place of tokens; the spec takes them before tokens."""

    def run(model: Any, ids: Tensor, prefix: Tensor, mask: Tensor) -> Tensor:
        vectors = torch.cat([prefix, model.transformer.wte(ids)], 1)
        return model(inputs_embeds=vectors, attention_mask=mask.long()).logits

    parity(
        "text/gpt2.yaml",
        names="transformers",
        original=lambda: gpt2(**SMALL),
        settings=SMALL,
        inputs=[{"ids": tokens(2, 4), "prefix": (2, 3, 24), "mask": padded(7, 5, total=7)}],
        run=run,
    )


@pytest.mark.parametrize("own", [{}, {"layers": 3, "heads": 1}])
def test_taming(own: dict[str, Any], parity) -> None:
    settings = {**SMALL, **own}
    parity(
        "text/gpt2.yaml",
        names="taming",
        original=lambda: taming(**settings),
        settings={**settings, **TAMING},
        inputs=[{"ids": tokens(2, 7)}, {"ids": tokens(1, 1)}, {"ids": tokens(2, 4), "prefix": (2, 8, 24)}],
        run=lambda model, ids, prefix=None: model(ids, embeddings=prefix)[0],
    )


def test_more_tokens_than_positions_are_refused() -> None:
    model = archc.load(f"{SPECS}/text/gpt2.yaml", **SMALL)
    with pytest.raises(ValueError, match="as there are positions"):
        model(tokens(1, 13))
    with pytest.raises(ValueError, match="as there are positions"):
        model(tokens(1, 10), prefix=torch.zeros(1, 3, 24))


def test_names_of_the_hub() -> None:
    """A file as `openai-community/gpt2` has it: no prefix, masks beside the weights, no head of its own."""
    theirs = gpt2(**SMALL).eval()
    randomise(theirs)
    file = {
        name.removeprefix("transformer."): tensor
        for name, tensor in theirs.state_dict().items()
        if name != "lm_head.weight"
    }
    file |= {f"h.{i}.attn.bias": torch.ones(1, 1, 12, 12).tril() for i in range(2)}
    model = archc.load(f"{SPECS}/text/gpt2.yaml", **SMALL).eval()
    archc.load_weights(model, file, names="hub")
    with torch.no_grad():
        torch.testing.assert_close(model(tokens(2, 7)), theirs(tokens(2, 7)).logits)


@pytest.mark.parametrize("preset", PUBLISHED)
def test_published(preset: str, published) -> None:
    sizes = {n: v for n, v in archc.graph(f"{SPECS}/text/gpt2.yaml@{preset}").params.items() if n != "act"}
    published(
        f"text/gpt2.yaml@{preset}",
        names="transformers",
        original=lambda: gpt2(**sizes),
        parameters=PUBLISHED[preset],
    )


def test_published_by_taming(published) -> None:
    """Of `configs/faceshq_transformer.yaml`."""
    sizes = archc.graph(f"{SPECS}/text/gpt2.yaml@taming-faceshq").params
    published(
        "text/gpt2.yaml@taming-faceshq",
        names="taming",
        original=lambda: taming(**sizes),
        parameters=304_932_864,
    )
