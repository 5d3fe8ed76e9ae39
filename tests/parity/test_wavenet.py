"""specs/audio/wavenet.yaml beside the package `wavenet_vocoder`, with weight norm worked into the weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import archc

from .harness import SPECS, randomise
from .originals import original

wavenet = original("wavenet_vocoder")
pytestmark = pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")

SMALL = {"residual_channels": 6, "gate_channels": 8, "skip_out_channels": 10, "out_channels": 12}
OURS = {"width": 6, "gate": 8, "skip": 10, "levels": 12}


def network(**options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's older weight norm
        made = wavenet.WaveNet(**options)
        made.make_generation_fast_()
    return made


def run(model: Any, x: Tensor, features: Tensor | None = None, speaker: Tensor | None = None) -> Tensor:
    return model(x, features, None if speaker is None else speaker[:, None])


def test_bare(parity: Callable[..., None]) -> None:
    parity(
        "audio/wavenet.yaml@wavenet_vocoder",
        names="wavenet_vocoder",
        original=lambda: network(layers=6, stacks=2, **SMALL),
        settings={"layers": 6, "stacks": 2, "absent": ["features", "speaker"], **OURS},
        run=run,
        inputs=[{"x": (2, 12, 40)}, {"x": (1, 12, 3)}],
    )


def test_unscaled_skips(parity: Callable[..., None]) -> None:
    """Not `legacy`: what goes to the end is summed as it is."""
    parity(
        "audio/wavenet.yaml@wavenet_vocoder",
        names="wavenet_vocoder",
        original=lambda: network(layers=4, stacks=1, kernel_size=2, legacy=False, **SMALL),
        settings={
            "layers": 4, "stacks": 1, "kernel": 2, "skip_scale": 1.0,
            "absent": ["features", "speaker"], **OURS,
        },
        run=run,
        inputs=[{"x": (2, 12, 40)}],
    )  # fmt: skip


@pytest.mark.parametrize("stretched", [False, True])
def test_conditioned(parity: Callable[..., None], stretched: bool) -> None:
    """On features of each moment, with and without the convolutions that stretch them, and on a speaker."""
    who = torch.tensor([3, 1])
    frames = (2, 5, 10 if stretched else 40)
    parity(
        "audio/wavenet.yaml@wavenet_vocoder",
        names="wavenet_vocoder",
        original=lambda: network(
            layers=4, stacks=2, cin_channels=5, gin_channels=3, n_speakers=4,
            upsample_conditional_features=stretched, upsample_scales=[2, 2], **SMALL,
        ),
        settings={
            "layers": 4, "stacks": 2, "mels": 5, "speakers": 4, "speaker_width": 3,
            "scales": [2, 2] if stretched else [], **OURS,
        },
        run=run,
        inputs=[{"x": (2, 12, 40), "features": frames, "speaker": who}],
    )  # fmt: skip


@torch.no_grad()
def test_as_it_generates() -> None:
    """What all samples at once give, the original gives sample by sample, from its buffers."""
    theirs = network(layers=6, stacks=2, **SMALL).double()
    randomise(theirs)
    spec = f"{SPECS}/audio/wavenet.yaml@wavenet_vocoder"
    ours = archc.load(
        spec, layers=6, stacks=2, absent=["features", "speaker"], dtype=torch.float64, **OURS
    ).eval()
    archc.load_weights(ours, theirs.state_dict(), names="wavenet_vocoder")
    x = torch.randn(1, 12, 20, dtype=torch.float64)
    one_by_one = theirs.eval().incremental_forward(
        x[..., :1], test_inputs=x, T=20, softmax=False, quantize=False
    )
    torch.testing.assert_close(ours(x), one_by_one, rtol=1e-9, atol=1e-9)


def test_published(published: Callable[..., None]) -> None:
    published(
        "audio/wavenet.yaml@wavenet_vocoder",
        names="wavenet_vocoder",
        original=network,
        settings={"absent": ["features", "speaker"]},
        parameters=21_527_808,
    )
