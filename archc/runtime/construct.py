"""Models constructed with memory and first values only where nothing else gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

Loaded = Callable[[nn.Module], Collection[str]]
"""The names of a model's tensors that will be loaded; it is asked with the model without memory."""


def construct(
    make: Callable[[], nn.Module],
    *,
    device: Any = None,
    dtype: torch.dtype | None = None,
    loaded: Loaded | None = None,
) -> nn.Module:
    """The model that a class makes, on a device and of a dtype (None: torch's defaults).

    On "meta" it has shapes and no memory, and no values are computed. Of a model whose weights are loaded
    afterwards, parameters that will be `loaded` are left on "meta": their first values would be thrown
    away. Where everything will be, all of the model is. What is not loaded is as the class makes it.

    >>> model = construct(lambda: nn.Linear(2, 2), loaded=lambda skeleton: {"weight"})
    >>> model.weight.is_meta, model.bias.is_meta
    (True, False)
    """
    if loaded is None:
        place = torch.device(device) if device is not None else torch.get_default_device()
        with _Unfilled() if place.type == "meta" else nullcontext():
            return _made(make, device, dtype)
    order: list[nn.Parameter] = []
    with _Unfilled(), _registering(order.append):
        skeleton = _made(make, "meta", dtype)
    wanted = set(loaded(skeleton))
    if all(wanted & names for _, names in _tensors(skeleton)):
        return skeleton
    turns = iter(list(zip(order, _empty(skeleton, order, wanted), strict=True)))

    def emptied(parameter: nn.Parameter) -> nn.Parameter | None:
        before, empty = next(turns, (parameter, False))
        if not empty or parameter.is_meta or parameter.shape != before.shape:
            return None
        return nn.Parameter(torch.empty_like(parameter, device="meta"), parameter.requires_grad)

    with _Unfilled(), _registering(emptied):
        model = _made(make, device, dtype)
    if any(tensor.is_meta and not wanted & names for tensor, names in _tensors(model)):
        return _made(make, device, dtype)  # it was computed of one that was left empty
    return model


def _tensors(model: nn.Module) -> list[tuple[Tensor, set[str]]]:
    """All tensors of a model, also what is not saved, with their names; those that are tied have several."""
    found: dict[int, tuple[Tensor, set[str]]] = {}
    for name, tensor in chain(
        model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False)
    ):
        found.setdefault(id(tensor), (tensor, set()))[1].add(name)
    return list(found.values())


def _empty(skeleton: nn.Module, order: Sequence[nn.Parameter], wanted: set[str]) -> list[bool]:
    """Whether a parameter may be left empty, in the order in which they are registered.

    Those that the model does not keep, as the weight before it is tied to another, may be where all that
    could have been computed of them is loaded."""
    kept = {id(t): bool(wanted & names) for t, names in _tensors(skeleton) if isinstance(t, nn.Parameter)}
    every = all(kept.values())
    return [kept.get(id(parameter), every) for parameter in order]


@contextmanager
def _registering(hook: Callable[[nn.Parameter], nn.Parameter | None]) -> Iterator[None]:
    """Ask a hook for every parameter that this thread gives to a module; what it returns is taken instead."""
    thread = threading.get_ident()

    def here(module: nn.Module, name: str, parameter: nn.Parameter) -> nn.Parameter | None:
        return hook(parameter) if threading.get_ident() == thread else None

    handle = register_module_parameter_registration_hook(here)  # type: ignore[arg-type]  (it may return one)
    try:
        yield
    finally:
        handle.remove()


# Making


def _made(make: Callable[[], nn.Module], device: Any, dtype: torch.dtype | None) -> nn.Module:
    before = torch.get_default_dtype()
    try:
        if dtype is not None:
            torch.set_default_dtype(dtype)
        with torch.device(device) if device is not None else nullcontext():
            return make()
    finally:
        torch.set_default_dtype(before)


_FILLS = frozenset(
    [
        *(getattr(Tensor, name) for name in ("fill_", "normal_", "uniform_", "zero_")),
        *(getattr(nn.init, name) for name in ("constant_", "kaiming_uniform_", "normal_", "uniform_")),
    ]
)
"""What gives a tensor values and is asked often. For a random number on "meta" torch imports its compiler
(1 s and 60 MB)."""


class _Unfilled(TorchFunctionMode):
    """Within it tensors without memory are not given values."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in _FILLS:
            target = args[0] if args else kwargs["tensor"]
            if target.is_meta:
                return target
        return func(*args, **(kwargs or {}))
