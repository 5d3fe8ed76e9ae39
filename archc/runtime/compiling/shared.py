"""One block's compiled code, and the class of modules that are called through it."""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException, Unsupported
from torch._dynamo.utils import counters

from archc.runtime.compiler import lacks_compiler
from archc.runtime.compiling.record import Compilation, describe, logger, mode, reason
from archc.runtime.compiling.signature import depends_on_training, recurrent
from archc.runtime.compiling.sizes import Axes, Free, choices, names, shapes_spec

MOST = 32
"""Combinations of sizes for which one block is compiled. Further ones run as they stand, and that is told."""

CPU_OPTIONS = {"layout_optimization": False}
"""With Inductor's channels-last convolutions networks on a CPU are slower than eager, without them faster
(docs/performance.md)."""


class Shared:
    """The compiled code of blocks of one signature.

    Every combination of what is fixed in a graph (sizes that are not open, whether gradients are wanted)
    has a code object of its own. So Dynamo, which keeps what it compiles by code object, finds a call's
    code at once, and its limit of compilations for each is never met by copies or sizes.
    """

    def __init__(self, module: nn.Module, free: Free, options: Mapping[str, Any]) -> None:
        self.base = type(module)
        self.free = free
        self.options = dict(options)
        self.fullgraph = recurrent(module) is None
        self.tried = choices(free, module) if self.fullgraph else [frozenset[str]()]
        self.notes: list[str] = []
        if layer := recurrent(module):
            self.notes.append(f"in parts, round nn.{layer}, which torch.compile leaves as it is")
        self.same_in_training = not depends_on_training(module)
        self.forwards: dict[Any, Callable[..., Any]] = {}
        self.trained: dict[Any, tuple[Any, ...]] = {}
        self.calls: list[dict[str, str]] = []
        self.why: list[str] = []
        self.seconds = 0.0
        code = self.base.forward.__code__
        self.arguments = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        self.stays_eager = False

    @property
    def open(self) -> frozenset[str]:
        """The names of the sizes that are open in compiled code."""
        return self.tried[0]

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call a block through its compiled code; where there is none, compile it."""
        sizes = None if self.stays_eager else self._sizes(args, kwargs)
        if sizes is None:
            return self.base.forward(module, *args, **kwargs)
        check: Callable[..., None] | None = getattr(self.base, "_check", None)
        if check is not None:  # of the outermost block, and not in what is compiled
            check(module, *args, **kwargs)
        wanted = mode()
        if torch.is_inference_mode_enabled():
            args = tuple(_each(value, _of_inference) for value in args)
        key = (wanted, sizes, _grads(args) if wanted == "wanted" else ())
        forward = self.forwards.get(key)
        if forward is not None:
            return self._run(forward, module, args, kwargs)
        if wanted == "none" and not kwargs and self.same_in_training and sizes in self.trained:
            return self._as_in_training(module, args, sizes)
        if len(self.forwards) >= MOST:
            self._give_up(f"compiled for {MOST} combinations of sizes; further ones run as they stand", False)
            return self.base.forward(module, *args, **kwargs)
        asked = list(self.tried), self.fullgraph, list(self.notes)
        try:
            return self._compiled(key, module, args, kwargs)
        except Exception:  # a mistake of the call, which tells nothing of what torch can do
            self.tried, self.fullgraph, self.notes = asked
            raise

    def _sizes(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """What is fixed of the arguments; None where compiled code is not for them."""
        found = []
        for name, value in (*zip(self.arguments, args, strict=False), *kwargs.items()):
            axes = self.free.get(name)
            if isinstance(value, Tensor):
                sizes = _fixed(value, axes, self.open) if isinstance(axes, tuple) else tuple(value.shape)
            elif isinstance(value, list | tuple):
                parts = axes if isinstance(axes, list) and len(axes) == len(value) else [None] * len(value)
                sizes = tuple(
                    _fixed(v, a, self.open) if isinstance(v, Tensor) else v
                    for v, a in zip(value, parts, strict=True)
                )
                if None in sizes:
                    return None
            else:
                found.append((name, value))
                continue
            if sizes is None or 0 in sizes:
                return None
            found.append((name, sizes))
        return tuple(found)

    def _compiled(self, key: Any, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Compile for a new combination, with as many open sizes as torch can do, and call."""
        while True:
            try:
                forward = self._compile(module)
                result = self._run(forward, module, args, kwargs)
            except TorchDynamoException as error:
                if lacks_compiler(error):
                    raise
                if not self._easier(error):
                    result = self.base.forward(
                        module, *args, **kwargs
                    )  # raises, if the mistake is the call's
                    self._give_up(f"not compiled, since torch says: {_first_line(error)}", True)
                    return result
                sizes = self._sizes(args, kwargs)
                assert sizes is not None
                key = (key[0], sizes, key[2])
                continue
            self.forwards[key] = forward
            if key[0] == "wanted":
                self.trained.setdefault(key[1], _grads(args))
            return result

    def _compile(self, module: nn.Module) -> Callable[..., Any]:
        forward = self.base.forward
        own = types.FunctionType(
            forward.__code__.replace(),  # a code object of its own
            forward.__globals__,
            forward.__name__,
            forward.__defaults__,
            forward.__closure__,
        )
        own.__kwdefaults__ = forward.__kwdefaults__
        options = dict(self.options)
        if options.get("backend", "inductor") == "inductor" and "mode" not in options and _on_cpu(module):
            options["options"] = {**CPU_OPTIONS, **options.get("options", {})}
        if self.open:
            options["shapes_spec"] = shapes_spec(self.free, self.open)
        else:
            options["dynamic"] = False
        return torch.compile(own, fullgraph=self.fullgraph, **options)

    def _easier(self, error: Exception) -> bool:
        """Ask less of torch after it failed; is there anything less to ask?"""
        first = _first_line(error)
        if len(self.tried) > 1:
            closed = ", ".join(sorted(self.tried[0] - self.tried[1]))
            del self.tried[0]
            self.notes.append(f"{closed} as they come, since torch says: {first}")
        elif isinstance(error, Unsupported) and self.fullgraph:
            self.fullgraph = False
            self.notes.append(f"in parts, since torch says: {first}")
        else:
            return False
        logger.info("%s: %s", self.base.__name__, self.notes[-1])
        return True

    def _give_up(self, note: str, for_good: bool) -> None:
        if note not in self.notes:
            self.notes.append(note)
            logger.warning("%s: %s", self.base.__name__, note)
        self.stays_eager = for_good

    def _run(
        self, forward: Callable[..., Any], module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """Call compiled code, and take note where torch compiled."""
        before, start = counters["stats"]["unique_graphs"], perf_counter()
        try:
            result = forward(module, *args, **kwargs)
        except FailOnRecompileLimitHit as error:
            self._give_up(f"not compiled any more: {_first_line(error)}", True)
            return self.base.forward(module, *args, **kwargs)
        made = counters["stats"]["unique_graphs"] - before
        if made > 0:
            self.seconds += perf_counter() - start
            call = self._described(module, args, kwargs)
            why = reason(call, self.calls)
            self.calls.append(call)
            self.why += [why] + ["a further part"] * (made - 1)
            logger.info("%s compiled: %s", self.base.__name__, why)
        return result

    def _described(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, str]:
        """A call, in all that the compiled code may depend on."""
        named = (*zip(self.arguments, args, strict=False), *kwargs.items())
        open_ = {argument: _open(axes, self.open) for argument, axes in self.free.items()}
        call = describe(module, [(name, value, open_.get(name)) for name, value in named])
        if self.same_in_training:
            del call["training mode"]
        return call

    def _as_in_training(self, module: nn.Module, args: tuple[Any, ...], sizes: Any) -> Any:
        """Evaluation by the code of training: it computes the same, so none is compiled for it."""
        grads = iter(self.trained[sizes])
        own = tuple(_each(value, lambda t: t.detach().requires_grad_(next(grads))) for value in args)
        with torch.enable_grad():
            key = ("wanted", sizes, self.trained[sizes])
            result = self._run(self.forwards[key], module, own, {})
        return _each(result, Tensor.detach)

    def record(self, copies: int) -> Compilation:
        """What was compiled so far."""
        fixed = sorted(names(self.free) - self.open)
        parts = [f"any {', '.join(sorted(self.open))}"] * bool(self.open)
        parts += [f"each {', '.join(fixed)} by itself"] * bool(fixed)
        return Compilation(
            self.base.__name__,
            copies,
            len(self.why),
            self.seconds or None,
            tuple(self.why),
            ", ".join(parts),
            "; ".join(self.notes),
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _on_cpu(module: nn.Module) -> bool:
    return all(p.device.type == "cpu" for p in module.parameters())


def _fixed(value: Tensor, axes: Axes | None, open_: frozenset[str]) -> tuple[Any, ...] | None:
    """The sizes of a tensor, -1 for those that are open; None where it has another number of axes."""
    if axes is None:
        return tuple(value.shape)
    if len(axes) != value.dim() or 0 in value.shape:
        return None
    return tuple(-1 if name in open_ else size for name, size in zip(axes, value.shape, strict=True))


def _open(axes: Axes | list[Axes], names: frozenset[str]) -> Any:
    """The axes of an argument, without the names of sizes that are not open."""
    if isinstance(axes, tuple):
        return tuple(name if name in names else None for name in axes)
    return [_open(each, names) for each in axes]


def _flat(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _flat(value)


def _grads(args: tuple[Any, ...]) -> tuple[bool, ...]:
    return tuple(t.requires_grad for t in _flat(args))


def _of_inference(value: Tensor) -> Tensor:
    """The same memory as a tensor of inference mode, as all blocks but the first ones get it: for Dynamo
    it is another kind of tensor, with code of its own."""
    if value.is_inference():
        return value
    return torch.empty(0, dtype=value.dtype, device=value.device).set_(value)  # type: ignore[call-overload]


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A value with its tensors changed, lists, tuples and dicts of them too."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, list | tuple):
        return type(value)(_each(v, change) for v in value)
    if isinstance(value, dict):
        return {k: _each(v, change) for k, v in value.items()}
    return value


def _empty(cls: type[nn.Module]) -> nn.Module:
    """A module whose state is still to come, as unpickling makes it."""
    return cls.__new__(cls)


def _transformed() -> bool:
    """Is this within a transform of torch.func?"""
    return torch._C._functorch.peek_interpreter_stack() is not None  # type: ignore[attr-defined]


def compiled_class(shared: Shared) -> type[nn.Module]:
    """A class as that of a block, whose forward goes through its compiled code.

    A deep copy stays compiled, a pickle holds the block's own class. Where something else traces (an
    export, torch.compile round it) or transforms (torch.func) it is the block as it stands.
    """
    base: Any = shared.base

    @functools.wraps(base.forward)
    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling() or _transformed():
            return base.forward(self, *args, **kwargs)
        return shared(self, args, kwargs)

    def check(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        if not torch.compiler.is_compiling():
            base._check(self, *args, **kwargs)

    def reduce(self: nn.Module, protocol: Any) -> Any:
        _, _, *further = base.__reduce_ex__(self, protocol)
        return (_empty, (base,), *further)

    def deepcopy(self: nn.Module, memo: dict[int, Any]) -> nn.Module:
        own = type(self)
        self.__class__ = base
        try:
            made = copy.deepcopy(self, memo)
        finally:
            self.__class__ = own
        made.__class__ = own
        return made

    body = {
        "__doc__": base.__doc__,
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__reduce_ex__": reduce,
        "__deepcopy__": deepcopy,
        "forward": forward,
        "shared_code": shared,
    }
    if hasattr(base, "_check"):
        body["_check"] = check
    return type(base.__name__, (base,), body)
