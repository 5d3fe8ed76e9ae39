"""specs/audio/silero_vad.yaml beside the TorchScript model of the package silero-vad, with its weights.

`silero_vad_16k.safetensors`, which lies beside it, is of an earlier training: the same network with other
numbers, for which the TorchScript model is given those of the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import archc

from .harness import SPECS
from .originals import original

silero = original("silero_vad")
pytestmark = [
    pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:DeprecationWarning"),
]

FILE = Path(silero.__file__).parent / "data" / "silero_vad_16k.safetensors"
RATES = {"16k": (16_000, 512, 64), "8k": (8_000, 256, 32)}
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))


def voice(rate: int, seconds: float = 2.0) -> Tensor:
    """Syllables with the formants of four vowels, and pauses, in a little noise."""
    time = torch.arange(int(rate * seconds), dtype=torch.float64) / rate
    pitch = 120 + 20 * torch.sin(2 * math.pi * 0.9 * time) + 2 * torch.sin(2 * math.pi * 5 * time)
    phase = 2 * math.pi * pitch.cumsum(0) / rate
    syllable = (4 * time).long() % len(VOWELS)
    loud = torch.sin(math.pi * (4 * time % 1)).clamp(min=0).sqrt() * ((time % 1.25) < 0.8)
    wave = torch.zeros_like(time)
    for n in range(1, 30):
        for number, formants in enumerate(VOWELS):
            for m, formant in enumerate(formants):
                part = 0.5**m / (1 + ((n * pitch - formant) / 70) ** 2) * torch.sin(n * phase)
                wave += part * (syllable == number) * (n * pitch < rate / 2)
    noise = torch.randn(time.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (0.25 * wave * loud + 0.002 * noise).float()


def with_weights_of_the_file(model: Any) -> Any:
    """The TorchScript model, its network for 16 kHz with the numbers of the file."""
    theirs, file = model.state_dict(), load_file(FILE)
    prefixes = {"lstm_cell": "decoder.rnn", "final_conv": "decoder.decoder.2"}
    prefixes |= {f"conv{n + 1}": f"encoder.{n}.reparam_conv" for n in range(4)}
    for name, tensor in file.items():
        part, _, weight = name.rpartition(".")
        if part == "stft_conv":
            theirs["_model.stft.forward_basis_buffer"].copy_(tensor)
        else:
            theirs[f"_model.{prefixes[part]}.{weight}"].copy_(tensor)
    return model


@torch.no_grad()
@pytest.mark.parametrize(("size", "names"), [("16k", "silero_vad"), ("16k", "jit"), ("8k", "jit_8k")])
def test_chunk_after_chunk(size: str, names: str) -> None:
    """Two sounds, one the other backwards: of every chunk we say what the package's own model says."""
    rate, chunk, _ = RATES[size]
    theirs = silero.load_silero_vad()
    if names == "silero_vad":
        with_weights_of_the_file(theirs)
    weights = FILE if names == "silero_vad" else theirs.state_dict()
    ours = archc.load(f"{SPECS}/audio/silero_vad.yaml@{size}").eval()
    archc.load_weights(ours, weights, names=names)
    signal = voice(rate)
    sounds = torch.stack([signal, signal.flip(0)])
    context = state = None
    told = []
    for x in sounds.unfold(1, chunk, chunk).unbind(1):
        probability, context, state = ours(x, context, state)
        torch.testing.assert_close(probability, theirs(x, rate), rtol=0, atol=2e-6)
        told.append(probability)
    heard = torch.cat(told, 1)
    assert heard.min() < 0.05, "silence is no speech"
    assert heard.max() > 0.95, "vowels are"


def test_saved_as_the_file_was(tmp_path: Path) -> None:
    model = archc.load(f"{SPECS}/audio/silero_vad.yaml", weights=FILE, names="silero_vad")
    archc.save_weights(model, tmp_path / "saved.safetensors", names="silero_vad")
    saved, file = load_file(tmp_path / "saved.safetensors"), load_file(FILE)
    assert saved.keys() == file.keys()
    assert all(torch.equal(saved[name], file[name]) for name in file)


class Parts(nn.Module):
    """The layers of the package's TorchScript model, put together as it does.

    The model itself casts to float32 on its way, so that it cannot be run in float64; and it keeps the
    kernels of the Fourier transform in a buffer, of which there would be no gradient."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.stft = nn.Module()
        self.stft.forward_basis_buffer = nn.Parameter(model.stft.forward_basis_buffer.clone())
        self.encoder = model.encoder
        self.decoder = model.decoder
        self.pad, self.hop = model.stft.padding, model.stft.hop_length

    def forward(self, x: Tensor, context: Tensor, state: Tensor | None = None) -> tuple[Tensor, ...]:
        heard = torch.cat([context, x], 1)
        kernels: Any = self.stft.forward_basis_buffer
        waves = nn.functional.conv1d(self.pad(heard).unsqueeze(1), kernels, stride=self.hop)
        half = waves.shape[1] // 2
        spectrum = (waves[:, :half] ** 2 + waves[:, half:] ** 2).sqrt()
        f = self.encoder(spectrum).squeeze(-1)
        h, c = self.decoder.rnn(f, None if state is None else (state[0], state[1]))
        out = self.decoder.decoder(h.unsqueeze(-1)).squeeze(1)
        return out, heard[:, -context.shape[1] :], torch.stack([h, c])


def parts(size: str) -> nn.Module:
    """Under the names that the TorchScript model has."""
    model = silero.load_silero_vad()
    holder = Parts(model._model if size == "16k" else model._model_8k)
    return nn.ModuleDict({"_model" if size == "16k" else "_model_8k": holder})


def run(model: Any, x: Tensor, context: Tensor, state: Tensor | None = None) -> tuple[Tensor, ...]:
    (network,) = model.values()
    return network(x, context, state)


@pytest.mark.parametrize(("size", "names"), [("16k", "jit"), ("8k", "jit_8k")])
def test_layers(parity: Callable[..., None], size: str, names: str) -> None:
    _, chunk, margin = RATES[size]
    parity(
        f"audio/silero_vad.yaml@{size}",
        names=names,
        package="silero-vad",
        original=lambda: parts(size),
        real=True,
        run=run,
        inputs=[
            {"x": (2, chunk), "context": (2, margin), "state": (2, 2, 128)},
            {"x": (1, chunk), "context": (1, margin)},
        ],
    )
