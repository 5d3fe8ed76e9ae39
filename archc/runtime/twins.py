"""Layers of torch.nn that torch tells no symbolic shape of, and the operators of archc that do.

They are held against torch with plain sizes, as everything else is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.ops.base import Op
from archc.ops.pool import MaxPool1d
from archc.ops.recurrent import Gru, Lstm, Rnn
from archc.ops.resize import PixelUnshuffle


def _recurrent(kind: Callable[..., Op]) -> Callable[[Any], Op | None]:
    def twin(layer: Any) -> Op | None:
        if layer.proj_size:
            return None
        return kind(
            hidden=layer.hidden_size,
            layers=layer.num_layers,
            batch_first=layer.batch_first,
            bidirectional=layer.bidirectional,
        )

    return twin


def _max_pool1d(layer: Any) -> Op | None:
    if layer.return_indices:
        return None
    return MaxPool1d(
        kernel=layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        ceil_mode=layer.ceil_mode,
    )


TWINS: dict[str, Callable[[Any], Op | None]] = {
    "LSTM": _recurrent(Lstm),
    "GRU": _recurrent(Gru),
    "RNN": _recurrent(Rnn),
    "MaxPool1d": _max_pool1d,
    "PixelUnshuffle": lambda layer: PixelUnshuffle(r=layer.downscale_factor),
}
"""Layer -> the operator of one that is built, None where there is none."""
