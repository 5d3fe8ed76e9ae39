"""Which blocks of a model are compiled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from torch import nn

from archc.runtime.compiling.record import Compilation
from archc.runtime.compiling.signature import signature
from archc.runtime.compiling.sizes import Free

if TYPE_CHECKING:
    from archc.runtime.compiling.shared import Shared

OVERHEAD = 2
"""What compiling one more graph costs beside its layers, in layers (measured: docs/performance.md)."""


def compile_blocks(
    model: nn.Module, free: Mapping[str, Free] | None = None, **options: Any
) -> list[nn.Module]:
    """Compile the blocks of a model in place, and tell them; options as of `torch.compile`.

    Blocks of one signature are compiled once. Which blocks: those for which there is least to compile,
    so that a block is opened where what is in it repeats, and compiled as it stands otherwise. A block is a
    module whose class stands in the same Python module as the model's. A model without blocks is
    compiled whole, and what stands between blocks runs as it is.

    `free` tells by the path of a block which sizes of its arguments may differ from call to call:
    `{"h.0": {"x": ("B", "T", None)}}`. Without it each size is compiled by itself. Compilation happens
    when a block is first called; what a model of the same class has compiled before serves this one too.
    """
    paths = {module: path for path, module in model.named_modules()}
    found = {paths[block]: block for block in _chosen(model)}
    for path, block in found.items():
        _compile(block, (free or {}).get(path, {}), options)
    return list(found.values())


def compile_whole(model: nn.Module, free: Free | None = None, **options: Any) -> None:
    """Compile a model as one, in place; `free` as its block has it in `compile_blocks`."""
    _compile(model, free or {}, options)


def compilations(model: nn.Module) -> list[Compilation]:
    """What was compiled of a model until now: a record for each distinct block, in their order.

    >>> compilations(nn.Linear(2, 2))
    []
    """
    copies: Counter[Shared] = Counter(m.shared_code for m in model.modules() if _is_compiled(type(m)))  # type: ignore[misc]
    return [code.record(count) for code, count in copies.items()]


def _is_compiled(cls: type[nn.Module]) -> bool:
    return hasattr(cls, "shared_code")


def _compile(module: nn.Module, free: Free, options: Mapping[str, Any]) -> None:
    from archc.runtime.compiling.shared import Shared, compiled_class  # Dynamo, which takes a second

    cls = type(module)
    if _is_compiled(cls):
        cls = cls.__bases__[0]
    known: dict[Hashable, type[nn.Module]] | None = vars(cls).get("_compiled_classes")
    if known is None:
        known = {}
        cls._compiled_classes = known  # type: ignore[attr-defined]
    module.__class__ = cls
    key = (signature(module), repr(sorted(free.items())), repr(sorted(options.items())))
    if key not in known:
        known[key] = compiled_class(Shared(module, free, options))
    module.__class__ = known[key]


def _chosen(model: nn.Module) -> list[nn.Module]:
    """The blocks to compile."""
    blocks = _Blocks(model)
    chosen = blocks.within(model)
    if not chosen:
        return [model]
    chosen = [unit for block in chosen for unit in blocks.alone(block)]
    for block in dict.fromkeys(chosen):  # now that it is known what is compiled for other blocks
        kind, inner = blocks.signature(block), blocks.within(block)
        opened = [u for b in chosen for u in (blocks.within(b) if blocks.signature(b) == kind else [b])]
        if inner and blocks.work(opened) + blocks.left(block, inner) < blocks.work(chosen):
            chosen = opened
    return chosen


class _Blocks:
    """The blocks of a model, and what compiling them costs."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.signatures: dict[nn.Module, Hashable] = {}

    def signature(self, block: nn.Module) -> Hashable:
        if block not in self.signatures:
            self.signatures[block] = signature(block)
        return self.signatures[block]

    def within(self, module: nn.Module) -> list[nn.Module]:
        """The outermost blocks within a module."""
        found: list[nn.Module] = []
        for child in module.children():
            own = type(child).__module__ == type(self.model).__module__
            found += [child] if own else self.within(child)
        return found

    def alone(self, block: nn.Module) -> list[nn.Module]:
        """What to compile of a block if there were no others: itself, or blocks within."""
        inner = [unit for child in self.within(block) for unit in self.alone(child)]
        opens = inner and self.work(inner) + self.left(block, inner) < self.work([block])
        return inner if opens else [block]

    def work(self, blocks: Iterable[nn.Module]) -> int:
        """What compiling blocks costs: their layers, each signature once."""
        distinct = {self.signature(block): block for block in blocks}
        return sum(OVERHEAD + _layers(block) for block in distinct.values())

    def left(self, block: nn.Module, inner: Iterable[nn.Module]) -> int:
        """The layers of a block that are compiled with it, and not with the blocks within."""
        return _layers(block) - sum(map(_layers, inner))


def _layers(module: nn.Module) -> int:
    return sum(next(part.children(), None) is None for part in module.modules())
