"""Llama and Qwen2 against transformers', with and without what is kept of earlier tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc

from .harness import SPECS, randomise
from .originals import original

transformers = original("transformers")

SMALL: dict[str, Any] = {"vocab": 50, "width": 32, "layers": 2, "heads": 4, "kv_heads": 2, "inner": 40}

STRETCHED = "rope(500, scaling=llama3, factor=8, low_freq_factor=1, high_freq_factor=4, max_positions=16)"

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
"""The same to transformers."""

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama.yaml", {}),
    "a key for each query, narrow heads": ("llama.yaml", {"kv_heads": 4, "head_dim": 6, "eps": 1e-3}),
    "one key for all, tied": ("llama.yaml", {"kv_heads": 1, "tied": True}),
    "llama 3, stretched": ("llama.yaml", {"rotary": STRETCHED}),
    "qwen2": ("qwen2.yaml", {}),
    "qwen2, tied": ("qwen2.yaml", {"tied": True, "theta": 500.0, "eps": 1e-3, "layers": 3}),
}

PUBLISHED = {
    "llama.yaml@1-7b": 6_738_415_616,
    "llama.yaml@1-13b": 13_015_864_320,
    "llama.yaml@1-33b": 32_528_943_616,
    "llama.yaml@1-65b": 65_285_660_672,
    "llama.yaml@2-7b": 6_738_415_616,
    "llama.yaml@2-13b": 13_015_864_320,
    "llama.yaml@2-70b": 68_976_648_192,
    "llama.yaml@tiny-1.1b": 1_100_048_384,
    "llama.yaml@3-8b": 8_030_261_248,
    "llama.yaml@3-70b": 70_553_706_496,
    "llama.yaml@3.1-8b": 8_030_261_248,
    "llama.yaml@3.1-70b": 70_553_706_496,
    "llama.yaml@3.1-405b": 405_853_388_800,
    "llama.yaml@3.2-1b": 1_235_814_400,
    "llama.yaml@3.2-3b": 3_212_749_824,
    "qwen2.yaml@0.5b": 494_032_768,
    "qwen2.yaml@1.5b": 1_543_714_304,
    "qwen2.yaml@7b": 7_615_616_512,
    "qwen2.yaml@72b": 72_706_203_648,
    "qwen2.yaml@2.5-3b": 3_085_938_688,
    "qwen2.yaml@2.5-14b": 14_770_033_664,
    "qwen2.yaml@2.5-32b": 32_763_876_352,
}


def build(spec: str, **settings: Any) -> Any:
    """The original with the spec's settings."""
    qwen = spec.startswith("qwen2")
    theta = settings.get("theta", 1e6 if qwen else 1e4)
    config, model = (
        (transformers.Qwen2Config, transformers.Qwen2ForCausalLM)
        if qwen
        else (transformers.LlamaConfig, transformers.LlamaForCausalLM)
    )
    return model(
        config(
            vocab_size=settings["vocab"],
            hidden_size=settings["width"],
            num_hidden_layers=settings["layers"],
            num_attention_heads=settings["heads"],
            num_key_value_heads=settings["kv_heads"],
            head_dim=settings.get("head_dim", settings["width"] // settings["heads"]),
            intermediate_size=settings["inner"],
            rms_norm_eps=settings.get("eps", 1e-6 if qwen else 1e-5),
            tie_word_embeddings=settings.get("tied", False),
            rope_parameters=LLAMA3 if "rotary" in settings else {"rope_type": "default", "rope_theta": theta},
        )
    )


def exact(model: Any) -> Any:
    """The original, whose norms compute in float32 whatever its dtype is; in float64 they become torch's,
    which have the same formula."""
    if torch.get_default_dtype() == torch.float64:
        for module in list(model.modules()):
            for name, norm in list(module.named_children()):
                if type(norm).__name__.endswith("RMSNorm"):
                    setattr(module, name, nn.RMSNorm(norm.weight.shape[0], eps=norm.variance_epsilon))
    return model


def run(
    model: Any,
    ids: Tensor,
    mask: Tensor | None = None,
    past: list[Tensor] | None = None,
    positions: Tensor | None = None,
) -> list[Tensor]:
    """The original's logits, and its cache as the spec's `kept`."""
    cache = transformers.DynamicCache()
    for layer in range(len(past or ()) // 2):
        cache.update(*past[2 * layer : 2 * layer + 2], layer)  # type: ignore[index]
    mask = None if mask is None else mask.long()
    found = model(ids, attention_mask=mask, position_ids=positions, cache=cache, use_cache=True)
    return [found.logits, *(tensor for layer in found.cache.layers for tensor in (layer.keys, layer.values))]


def tokens(*shape: int, seed: int = 3) -> Tensor:
    return torch.randint(0, SMALL["vocab"], shape, generator=torch.Generator().manual_seed(seed))


def padded(*lengths: int, total: int) -> Tensor:
    """A mask of texts padded behind their ends."""
    return torch.arange(total) < torch.tensor(lengths)[:, None]


def kept_shapes(settings: dict[str, Any], batch: int, length: int) -> list[tuple[int, ...]]:
    width = settings.get("head_dim", settings["width"] // settings["heads"])
    return [(batch, settings["kv_heads"], length, width)] * (2 * settings["layers"])


@pytest.mark.parametrize("case", CASES)
def test_logits_and_what_is_kept(case: str, parity) -> None:
    spec, own = CASES[case]
    settings = {**SMALL, **own}
    past = kept_shapes(settings, 2, 5)
    parity(
        f"text/{spec}",
        names="transformers",
        original=lambda: exact(build(spec, **settings)),
        settings=settings,
        inputs=[
            {"ids": tokens(2, 7)},
            {"ids": tokens(1, 1)},
            {"ids": tokens(2, 7), "mask": padded(7, 4, total=7)},
            {"ids": tokens(2, 3), "past": past},
            {"ids": tokens(2, 1), "past": past, "mask": padded(6, 3, total=6)},
            {"ids": tokens(2, 3), "past": past, "positions": torch.tensor([[0, 4, 40], [7, 8, 9]])},
        ],
        run=run,
    )


@pytest.mark.parametrize("spec", ["llama.yaml", "qwen2.yaml"])
def test_padding_before_the_text(spec: str, parity) -> None:
    """As in generation of several texts. What stands at the padding is nobody's concern."""
    mask = padded(7, 4, total=7).flip(1)
    parity(
        f"text/{spec}",
        names="transformers",
        original=lambda: exact(build(spec, **SMALL)),
        settings=SMALL,
        inputs=[{"ids": tokens(2, 7), "mask": mask, "positions": (mask.cumsum(1) - 1).clamp(min=0)}],
        run=lambda model, **inputs: run(model, **inputs)[0][mask],
        ours=lambda model, **inputs: model(**inputs)[0][mask],
    )


@pytest.mark.parametrize("given", [False, True], ids=("open", "given"))
def test_generation_with_what_is_kept_equals_the_full_forward(given: bool) -> None:
    """Token by token, in pieces, and from nothing kept: the logits are those of the whole text at once."""
    options: dict[str, Any] = {"given": ["past"]} if given else {}
    model = archc.load(f"{SPECS}/text/llama.yaml", dtype=torch.float64, **SMALL, **options).eval()
    randomise(model, seed=4)
    whole = archc.load(f"{SPECS}/text/llama.yaml", dtype=torch.float64, absent=["past"], **SMALL).eval()
    whole.load_state_dict(model.state_dict())
    nothing = [torch.zeros(shape, dtype=torch.float64) for shape in kept_shapes(SMALL, 2, 0)]

    ids = tokens(2, 4)
    logits, kept = model(ids, past=nothing) if given else model(ids)
    for _ in range(6):
        new = logits[:, -1:].argmax(-1)
        ids = torch.cat([ids, new], 1)
        logits, kept = model(new, past=kept)
        full, all_kept = whole(ids)
        torch.testing.assert_close(logits, full[:, -1:], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(kept, all_kept, rtol=1e-12, atol=1e-12)

    _, first = model(ids[:, :3], past=nothing)
    pieces, kept = model(ids[:, 3:], past=first)
    torch.testing.assert_close(pieces, full[:, 3:], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(kept, all_kept, rtol=1e-12, atol=1e-12)
    assert ids[:, 4:].unique().numel() > 3, "several tokens were generated"


def test_generation_equals_the_originals() -> None:
    """The tokens that transformers' own loop generates."""
    theirs = build("llama.yaml", **SMALL).eval()
    randomise(theirs, seed=4)
    model = archc.load(f"{SPECS}/text/llama.yaml", **SMALL).eval()
    archc.load_weights(model, theirs.state_dict(), names="transformers")
    prompt = tokens(1, 4)
    wanted = theirs.generate(
        prompt, max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0, use_cache=True
    )
    ids, past, new = prompt, None, prompt
    with torch.no_grad():
        for _ in range(12):
            logits, past = model(new, past=past)
            new = logits[:, -1:].argmax(-1)
            ids = torch.cat([ids, new], 1)
    assert ids.tolist() == wanted.tolist()
    assert ids[:, 4:].unique().numel() > 3, "several tokens were generated"


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(address, marks=pytest.mark.long if parameters > 20e9 else ())
        for address, parameters in PUBLISHED.items()
    ],
)
def test_published(address: str, published) -> None:
    spec, _, _ = address.partition("@")
    sizes = {n: v for n, v in archc.graph(f"{SPECS}/text/{address}").params.items() if n != "rotary"}
    published(
        f"text/{address}",
        names="transformers",
        original=lambda: build(spec, **sizes),
        parameters=PUBLISHED[address],
    )
