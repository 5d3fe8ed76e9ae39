"""What of a Graph is exported: the inputs that are given, and what follows for its sizes and guards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archc.graph.ir import Bundle, Graph, Type
from archc.report.cost import in_outer, outer_type
from archc.shapes import Cond, Dim, Tensor, evaluate, symbols

STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(frozen=True)
class Taken:
    """A Graph of which some inputs are given and the others absent.

    `inputs` and `outputs` are their types, over the sizes that the given inputs tell; `free` are these sizes,
    and `guards` what is asked of them."""

    graph: Graph
    given: tuple[str, ...]
    inputs: dict[str, Type] = field(init=False)
    outputs: dict[str, Type] = field(init=False)
    guards: tuple[Cond, ...] = field(init=False)
    free: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        graph = self.graph
        # A size that an absent input would tell is 0 where the spec says so: `P = 0`.
        empty = {n: 0 for n in graph.sizes if graph.may_be_empty(n) and graph.told_by(n) not in self.given}

        def typed(ports: Mapping[str, Any]) -> dict[str, Type]:
            return {name: outer_type(graph.type(ref), empty) for name, ref in ports.items()}

        inputs = {name: kind for name, kind in typed(graph.inputs).items() if name in self.given}
        free = {s: None for kind in inputs.values() for size in _sizes(kind) for s in sorted(symbols(size))}
        conditions = [
            in_outer(guard.condition, empty) for guard in graph.guards if guard.needs <= {*self.given}
        ]
        set_ = object.__setattr__
        set_(self, "inputs", inputs)
        set_(self, "outputs", typed(graph.outputs))
        set_(self, "free", tuple(free))
        set_(
            self, "guards", tuple(c for c in conditions if isinstance(c, Cond) and symbols(c) <= free.keys())
        )

    def allows(self, sizes: Mapping[str, int]) -> bool:
        """Do the guards hold, with no input empty?"""
        shapes = (evaluate(size, sizes) for kind in self.inputs.values() for size in _sizes(kind))
        return all(n > 0 for n in shapes) and all(evaluate(c, sizes) for c in self.guards)

    @property
    def batch(self) -> list[str]:
        """The free sizes that stand first in an input of more than one axis."""
        shapes = [tensor.shape or () for kind in self.inputs.values() for tensor in _tensors(kind)]
        firsts = (str(shape[0]) for shape in shapes if len(shape) > 1)
        return [name for name in dict.fromkeys(firsts) if name in self.free]

    def plain_sizes(self, fixed: Mapping[str, int]) -> list[dict[str, int]]:
        """Sizes that are no special case, the best first: all that guards ask for holds, no two free sizes
        are equal, and no size within the model is 0 or 1, which broadcasting would take for another thing."""
        inner = every_size(self.graph)
        known = [size for size in inner if symbols(size) <= {*self.free}]

        def special(sizes: Mapping[str, int]) -> int:
            return sum(evaluate(size, sizes) < 2 for size in known)

        found = [sizes for sizes in self._candidates(fixed) if self.allows(sizes)]
        return sorted(found, key=special)

    def _candidates(self, fixed: Mapping[str, int]) -> Iterator[dict[str, int]]:
        batch = self.batch
        rest = [name for name in self.free if name not in batch]
        for step in STEPS:
            for base, slope in ((2, 1), (3, 1), (2, 0), (3, 0)):
                sizes = {name: (base + slope * at) * step for at, name in enumerate(rest)}
                others = (n for n in (3, 5, 7, 11, 13, 17, 19) if n not in sizes.values())
                yield {**sizes, **dict(zip(batch, others, strict=False)), **fixed}


def every_size(graph: Graph) -> set[Dim]:
    """All sizes of values within a Graph that hang on its free sizes, in its own names."""
    found: set[Dim] = set()
    seen: set[tuple[Graph, frozenset]] = set()
    waiting: list[tuple[Graph, dict[str, Any]]] = [(graph, {})]
    while waiting:
        here, numbers = waiting.pop()
        key = (here, frozenset(numbers.items()))
        if key in seen:
            continue
        seen.add(key)
        kinds = (output.type for node in here.nodes.values() for output in node.outputs)
        sizes = (in_outer(size, numbers) for kind in kinds for size in _sizes(kind))
        found |= {size for size in sizes if isinstance(size, Dim)}
        for member in here.members.values():
            for copy in {id(c): c for use in member.uses for c in use}.values():
                if isinstance(copy.target, Graph):
                    of_copy = {n: in_outer(v, numbers) for n, v in copy.numbers.items() if isinstance(v, Dim)}
                    waiting.append((copy.target, of_copy))
    return found


def _tensors(kind: Type) -> Iterable[Tensor]:
    return kind.members if isinstance(kind, Bundle) else [kind]


def _sizes(kind: Type) -> Iterator[Any]:
    for tensor in _tensors(kind):
        yield from tensor.shape or ()
