"""Operators and initialisers by name. A module is imported when something of it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archc.ops.base import Op
    from archc.ops.initialisers import Initialiser

_MODULES = {
    "conv": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    "linear": "linear bilinear embedding",
    "weight": "param buffer",
    "norm": "layer_norm rms_norm group_norm batch_norm instance_norm l2_normalize local_response_norm",
    "activation": "identity relu relu6 leaky_relu elu gelu quick_gelu silu mish sigmoid hardsigmoid hardswish"
    " tanh softplus softmax log_softmax prelu",
    "pointwise": "exp log sqrt rsqrt abs sin cos sign floor round clamp detach cast where masked_fill",
    "noise": "dropout dropout2d drop_path random_replace",
    "arithmetic": "add mul",
    "pool": "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool2d"
    " adaptive_max_pool2d",
    "resize": "upsample resize pixel_shuffle pixel_unshuffle pad pad_like crop_like",
    "arrange": "rearrange reduce repeat_axes einsum",
    "layout": "transpose flatten unsqueeze squeeze expand roll flip unfold fold",
    "join": "concat stack split unbind",
    "reduction": "sum mean max min prod var norm cumsum",
    "selection": "argmax argmin sort topk one_hot pick gather scatter",
    "source": "arange zeros ones full eye linspace",
    "attention": "attention",
    "rope": "rope",
    "positions": "sinusoidal_embedding gaussian_fourier t5_bucket alibi",
    "recurrent": "lstm gru rnn lstm_cell gru_cell rnn_cell",
}
_ALIASES = {"swish": "silu"}
_INITIALISERS = (
    "zeros ones constant normal trunc_normal uniform xavier_uniform xavier_normal kaiming_uniform"
    " kaiming_normal orthogonal eye dirac sincos_1d sincos_2d"
)


def class_name(name: str) -> str:
    """`log_softmax` -> `LogSoftmax`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


TABLE: dict[str, str] = {
    name: f"archc.ops.{module}:{class_name(name)}"
    for module, names in _MODULES.items()
    for name in names.split()
}
TABLE |= {alias: TABLE[name] for alias, name in _ALIASES.items()}
"""Operator -> "module:Class"."""

INITIALISERS: dict[str, str] = {
    name: f"archc.ops.initialisers:{class_name(name)}" for name in _INITIALISERS.split()
}
"""Initialiser -> "module:Class"."""


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def initialiser(name: str) -> type[Initialiser] | None:
    """The initialiser's class, or None where there is none of that name."""
    return _load(INITIALISERS[name]) if name in INITIALISERS else None


class Operators:
    """The operators and initialisers that a file may use: those of the tables, and those of its `ops`
    modules. `initialisers` are the names of all; `whole` is false where a module could not be loaded;
    `elsewhere` tells the module of an operator that another file uses."""

    def __init__(
        self,
        extra: Mapping[str, type[Op]] | None = None,
        initialisers: Mapping[str, type[Initialiser]] | None = None,
        *,
        whole: bool = True,
        elsewhere: Callable[[str], str | None] = lambda name: None,
    ):
        self.extra = dict(extra or {})
        self.own_initialisers = dict(initialisers or {})
        self.initialisers = {*INITIALISERS, *self.own_initialisers}
        self.whole = whole
        self.elsewhere = elsewhere

    def names(self) -> Iterable[str]:
        return [*TABLE, *self.extra]

    def __contains__(self, name: str) -> bool:
        return name in TABLE or name in self.extra

    def get(self, name: str) -> type[Op] | None:
        """The operator's class, or None where there is none of that name."""
        if name in self.extra:
            return self.extra[name]
        return _load(TABLE[name]) if name in TABLE else None

    def initialiser(self, name: str) -> type[Initialiser] | None:
        """The initialiser's class, or None where there is none of that name."""
        return self.own_initialisers.get(name) or initialiser(name)


_BUILT_IN = Operators()
names = _BUILT_IN.names
get = _BUILT_IN.get
