"""Which sizes of the blocks of a Graph are free: what compiled code leaves open."""

from __future__ import annotations

from collections.abc import Iterator

from archc.emit.names import argument_name
from archc.graph.ir import Bundle, Graph
from archc.runtime.compiling.sizes import Axes, Free
from archc.shapes import Dim, Tensor


def free_sizes(graph: Graph) -> dict[str, Free]:
    """By the path of a block in the model ("" is the model) the free sizes of its arguments.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, 3, H]'}, flow: {y: x -> relu}}}"
    >>> free_sizes(archc.graph(archc.text(spec)))
    {'': {'x': ('B', None, 'H')}}
    """
    found: dict[str, set[Graph]] = {}
    for path, block in _blocks("", graph):
        found.setdefault(path, set()).add(block)
    # What is applied to different sizes in several places has no names for them that hold everywhere.
    return {path: _arguments(blocks.pop()) if len(blocks) == 1 else {} for path, blocks in found.items()}


def _blocks(path: str, graph: Graph) -> Iterator[tuple[str, Graph]]:
    """Every block in the model, by its path, as it is applied somewhere."""
    yield path, graph
    for member in graph.members.values():
        for copies in member.uses:
            for index, copy in enumerate(copies):
                own = f"{member.name}.{index}" if member.arranged and not member.share else member.name
                if isinstance(copy.target, Graph):
                    yield from _blocks(f"{path}.{own}".lstrip("."), copy.target)


def _arguments(graph: Graph) -> Free:
    found: dict[str, Axes | list[Axes]] = {}
    for port, ref in graph.inputs.items():
        kind = graph.type(ref)
        if isinstance(kind, Bundle):
            found[argument_name(port)] = [_axes(member) for member in kind.members]
        elif kind.shape is not None:
            found[argument_name(port)] = _axes(kind)
    return found


def _axes(kind: Tensor) -> Axes:
    """A free size is a symbol by itself: `B`, not what follows from others, as `2 * H`."""
    return tuple(
        str(size) if isinstance(size, Dim) and str(size).isidentifier() else None for size in kind.shape or ()
    )
