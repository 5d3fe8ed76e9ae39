"""What compiled code depends on: blocks of one signature are copies of each other."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from torch import nn

Signature = tuple[Hashable, ...]

_PLAIN = (bool, int, float, str, tuple, type(None))


def signature(module: nn.Module) -> Signature:
    """The classes, plain attributes, and shapes of weights and buffers of a module and all within it.

    Code that is compiled for a module serves every other with the same signature.
    """
    return tuple((path, type(part), _attributes(part), _state(part)) for path, part in module.named_modules())


def _attributes(module: nn.Module) -> Signature:
    plain = (item for item in vars(module).items() if isinstance(item[1], _PLAIN))
    return tuple(sorted((n, repr(v)) for n, v in plain if n != "training" and not n.startswith("_")))


def _state(module: nn.Module) -> Signature:
    tensors: list[tuple[str, Any]] = [*module._parameters.items(), *module._buffers.items()]
    return tuple((name, tuple(t.shape)) for name, t in tensors if t is not None)


def depends_on_training(module: nn.Module) -> bool:
    """Does it compute something else in training mode, as dropout and batch norm do?"""
    return any("training" in type(part).forward.__code__.co_names for part in module.modules())


def recurrent(module: nn.Module) -> str | None:
    """The class of a layer within that Dynamo leaves as it is, so that one graph cannot hold the module."""
    return next((type(part).__name__ for part in module.modules() if isinstance(part, nn.RNNBase)), None)


def convolves(module: nn.Module) -> bool:
    """Is there a convolution within?"""
    return any(isinstance(part, nn.modules.conv._ConvNd) for part in module.modules())
