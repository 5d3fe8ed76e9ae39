"""Layers that are applied as one in inference. They keep their weights; what is made of these is made here.

A block that `archc.graph.inference` has changed builds its layers as before and, behind them, a `Chain` or
`Siblings` that knows them by name. At a call that prepares nothing new, the answer comes from a *form*: a
function that holds what was made of the weights, such as a batch norm folded into a convolution. Forms are
made when they are first needed and again when the weights have changed, be it by `load_state_dict`, `.to()`,
an assignment or in place. Only writing through `.data` hides from that: call `renew` afterwards.

Where a form would not be the same as the layers themselves, these are called: for gradients, under
`torch.compile` and `torch.export`, with autocast, hooks, or tensors and layers of other classes.

What gains was measured (`benchmarks/inference.py`): float32 on a CPU through oneDNN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

LARGE = 2**21
"""So many multiplications has a linear layer at least whose weights are worth packing for oneDNN,"""
LARGE_CONVOLUTION = 3 * 2**21
"""and a convolution; below, a call of oneDNN's operators costs more than it saves."""

MOST = 4
"""So many forms are kept. oneDNN packs a convolution's weights for one shape of inputs: on others its answer
is the same and may take twice as long."""


class Activation(NamedTuple):
    """A function, the same on its argument's own memory, and what oneDNN's operators call it: a name,
    numbers and a kind."""

    function: Callable[[Tensor], Tensor]
    in_place: Callable[[Tensor], Tensor]
    name: str = "none"
    scalars: tuple[float, ...] = ()
    algorithm: str = ""


def _same(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: dict[str, Activation] = {
    "": Activation(_same, _same),
    "relu": Activation(F.relu, torch.relu_, "relu"),
    "relu6": Activation(F.relu6, partial(F.relu6, inplace=True), "hardtanh", (0.0, 6.0)),
    "silu": Activation(F.silu, partial(F.silu, inplace=True), "swish"),
    "sigmoid": Activation(torch.sigmoid, torch.sigmoid_, "sigmoid"),
    "tanh": Activation(torch.tanh, torch.tanh_, "tanh"),
    "hardswish": Activation(F.hardswish, partial(F.hardswish, inplace=True), "hardswish"),
    "hardsigmoid": Activation(F.hardsigmoid, partial(F.hardsigmoid, inplace=True), "hardsigmoid"),
    "gelu": Activation(F.gelu, F.gelu, "gelu", (), "none"),
    "gelu_tanh": Activation(
        partial(F.gelu, approximate="tanh"), partial(F.gelu, approximate="tanh"), "gelu", (), "tanh"
    ),
}
"""By the names that `archc.graph.inference` gives them."""

Form = Callable[[Tensor], Any]

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_SMALL = (*_NORMS, nn.Conv2d)
"""What has a form that gains also where a call is small."""


def packs() -> bool:
    """Has this torch the operators of oneDNN whose weights can be packed?"""
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def renew(model: nn.Module) -> None:
    """Forget what was made of a model's weights, after they were written through `.data`."""
    for module in model.modules():
        if isinstance(module, Fused):
            module.forget()


class Fused(nn.Module):
    """Layers of `owner`, by their names. It owns nothing: the names of a state_dict stay."""

    def __init__(self, owner: nn.Module, *names: str, activation: str = "") -> None:
        super().__init__()
        self.names = names
        self.activation = activation
        self._owner = (owner,)  # in a tuple: a module here would be a child
        self._kinds = [type(owner.get_submodule(name)) for name in names]
        self._work = self._multiplications()
        self._gains_small = any(issubclass(kind, _SMALL) for kind in self._kinds)
        self.forget()

    def forget(self) -> None:
        """Drop all forms: they are made anew at the next call."""
        self._forms: dict[tuple[bool, Any], Form] = {}
        self._made_of: list[int] | None = None
        self._held: list[Tensor] = []

    def forward(self, x: Tensor) -> Any:
        """What the layers give, one after the other or all of the same input: see `plainly`."""
        if torch.compiler.is_compiling():
            return self.plainly(x)
        large = self._large(x)
        if not (large or self._gains_small) or not _plain_inference(x):
            return self.plainly(x)
        weights = self._weights()
        if weights is None:
            return self.plainly(x)
        try:
            x.data_ptr()
            made_of = [number for t in weights for number in (t.data_ptr(), t._version)]
        except RuntimeError:
            # Tensors inside torch.func have no memory, and weights that were made in torch.inference_mode()
            # do not tell whether they have changed.
            return self.plainly(x)
        if made_of != self._made_of:
            # While they are held nothing else can come to lie where they are.
            self._forms, self._held = {}, [t.detach() for t in weights]
            self._made_of = made_of  # last, since other threads may call meanwhile
        if x.dtype is not weights[0].dtype:
            return self.plainly(x)
        like = large, x.shape if large and x.dim() == 4 else x.dim()
        form = self._forms.get(like)
        if form is None:
            form = self._made(x, like, weights[0].device)
        return form(x)

    def plainly(self, x: Tensor) -> Any:
        """What the layers give, called as they are."""
        raise NotImplementedError

    def _made(self, x: Tensor, like: tuple[bool, Any], device: torch.device) -> Form:
        """A new form for inputs like this one; `device` is that of the weights."""
        kept = list(self._forms.items())[1 - MOST :]
        with torch.inference_mode(False), torch.no_grad():
            form = self._form(x, like[0]) if x.device == device else self.plainly
        self._forms = {**dict(kept), like: form}
        return form

    def extra_repr(self) -> str:
        return ", ".join([*self.names, *[self.activation] * bool(self.activation)])

    def _form(self, x: Tensor, large: bool) -> Form:
        """The function for inputs like `x`; `large`: they are worth oneDNN's own operators."""
        raise NotImplementedError

    def _applied(
        self, layer: Any, weight: Tensor, bias: Tensor | None, x: Tensor, large: bool
    ) -> Form | None:
        """A layer with these weights for its own, and the activation; None where that gains nothing."""
        activation = ACTIVATIONS[self.activation]
        on_cpu = x.device.type == "cpu" and x.dtype is torch.float32 and packs()
        own = weight.data_ptr() == layer.weight.data_ptr()
        if isinstance(layer, nn.Linear):
            if on_cpu and large:
                return _packed_linear(weight, bias, activation, x)
            return None if own and not self.activation else _linear(weight, bias, activation)
        if on_cpu and isinstance(layer, nn.Conv2d) and x.dim() == 4:
            if large and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
                return _packed_convolution(layer, weight, bias, activation, x)
            weight, own = weight.contiguous(memory_format=torch.channels_last), False
        if own and not self.activation:
            return None
        convolve, in_place = layer._conv_forward, activation.in_place
        return lambda x: in_place(convolve(x, weight, bias))

    def _layer(self, name: str) -> Any:
        return self._owner[0]._modules[name]

    def _weights(self) -> list[Tensor] | None:
        """The tensors of the layers; None where the layers themselves must be called."""
        found: list[Tensor] = []
        learning = torch.is_grad_enabled()
        for name, kind in zip(self.names, self._kinds, strict=True):
            layer = self._layer(name)
            if type(layer) is not kind or layer._forward_hooks or layer._forward_pre_hooks:
                return None
            if "forward" in vars(layer):  # wrapped, as libraries do that load weights when they are needed
                return None
            if layer.training and kind in _NORMS:
                return None
            for tensors in (layer._parameters, layer._buffers):
                for tensor in tensors.values():
                    if tensor is not None:
                        if learning and tensor.requires_grad:
                            return None
                        found.append(tensor)
        return found

    def _multiplications(self) -> float:
        """As many multiplications the layers with weights need for each element of their input."""
        found = 0.0
        for name in self.names:
            layer = self._layer(name)
            if isinstance(layer, nn.Linear):
                found += layer.out_features
            elif not isinstance(layer, _NORMS):
                taps = layer.out_channels * prod(layer.kernel_size)
                found += taps / layer.groups / prod(layer.stride)
        return found

    def _large(self, x: Tensor) -> bool:
        layer = self._layer(self.names[0])
        count = x.numel()
        if isinstance(layer, nn.Linear):
            return count > layer.in_features and count * self._work >= LARGE
        return count * self._work >= LARGE_CONVOLUTION

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        """`.to()` and its like change the weights: nothing old is kept in memory."""
        self.forget()
        return super()._apply(fn, recurse)

    def __getstate__(self) -> dict[str, Any]:
        """A copy makes its own forms."""
        return self.__dict__ | {"_forms": {}, "_made_of": None, "_held": []}


class Chain(Fused):
    """A convolution or linear layer, the batch norm behind it if there is one, and an activation.

    >>> block = nn.Module()
    >>> block.conv, block.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
    >>> block.joined = Chain(block, "conv", "norm", activation="relu")
    >>> x = torch.randn(1, 3, 8, 8)
    >>> with torch.no_grad():
    ...     y = block.eval().joined(x)
    >>> torch.allclose(y, F.relu(block.norm(block.conv(x))), atol=1e-6)
    True
    """

    def plainly(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = self._layer(name)(x)
        return ACTIVATIONS[self.activation].function(x)

    def _form(self, x: Tensor, large: bool) -> Form:
        layer, *norms = map(self._layer, self.names)
        weight, bias = layer.weight.detach(), layer.bias if layer.bias is None else layer.bias.detach()
        for norm in norms:
            weight, bias = _folded(weight, bias, norm)
        return self._applied(layer, weight, bias, x, large) or self.plainly


class Siblings(Fused):
    """Linear layers or convolutions of one input, alike but for the number of outputs; a tensor each.

    >>> block = nn.Module()
    >>> block.q, block.k = nn.Linear(256, 256), nn.Linear(256, 64)
    >>> block.q_k = Siblings(block, "q", "k")
    >>> x = torch.randn(64, 256)
    >>> with torch.no_grad():
    ...     q, k = block.q_k(x)
    >>> torch.allclose(q, block.q(x), atol=1e-5), k.shape
    (True, torch.Size([64, 64]))
    """

    def plainly(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self._layer(name)(x) for name in self.names)

    def _form(self, x: Tensor, large: bool) -> Form:
        layers = [self._layer(name) for name in self.names]
        first = layers[0]
        if not large:
            return self.plainly
        weight = torch.cat([layer.weight.detach() for layer in layers])
        bias = None if first.bias is None else torch.cat([layer.bias.detach() for layer in layers])
        whole = self._applied(first, weight, bias, x, large)
        sizes = [len(layer.weight) for layer in layers]
        axis = -1 if isinstance(first, nn.Linear) else 1
        return self.plainly if whole is None else lambda x: whole(x).split(sizes, axis)


def _plain_inference(x: Tensor) -> bool:
    """Is this an ordinary call for its result alone, on an ordinary tensor?"""
    return (
        type(x) is Tensor
        and not (x.requires_grad and torch.is_grad_enabled())
        and not torch.is_autocast_enabled(x.device.type)
        and forward_ad._current_level < 0
        and not torch.jit.is_tracing()  # type: ignore[reportPrivateImportUsage]
    )


def _folded(weight: Tensor, bias: Tensor | None, norm: Any) -> tuple[Tensor, Tensor]:
    """The weights of a layer with a batch norm behind it."""
    fuse: Any = fuse_linear_bn_weights if weight.dim() == 2 else fuse_conv_bn_weights
    made = fuse(weight, bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias)
    return made[0].detach(), made[1].detach()


def _linear(weight: Tensor, bias: Tensor | None, activation: Activation) -> Form:
    in_place = activation.in_place
    return lambda x: in_place(F.linear(x, weight, bias))


def _packed_linear(weight: Tensor, bias: Tensor | None, activation: Activation, x: Tensor) -> Form:
    rows = x.numel() // weight.shape[1]
    packed = torch.ops.mkldnn._reorder_linear_weight.default(weight, rows)
    apply = torch.ops.mkldnn._linear_pointwise.default
    name, scalars, algorithm = activation.name, list(activation.scalars), activation.algorithm
    return lambda x: apply(x, packed, bias, name, scalars, algorithm)


def _packed_convolution(
    layer: nn.Conv2d,
    weight: Tensor,
    bias: Tensor | None,
    activation: Activation,
    x: Tensor,
) -> Form:
    how = [*map(list, (layer.padding, layer.stride, layer.dilation)), layer.groups]
    packed = torch.ops.mkldnn._reorder_convolution_weight.default(weight, *how, list(x.shape))
    apply = torch.ops.mkldnn._convolution_pointwise.default
    name, scalars, algorithm = activation.name, list(activation.scalars), activation.algorithm

    def form(x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        return apply(x, packed, bias, *how, name, scalars, algorithm)

    return form
