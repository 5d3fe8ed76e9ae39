"""Weights that are applied in several places: may these need different code?

One set of weights is one module, whose `forward` is one code. Only the emitter can tell whether two
applications of a block come to the same one, and it writes the whole model to find out. Most can be
told apart from that by what they are, which is all that a check should pay for.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from archc.graph.attributes import module_source
from archc.graph.ir import Copy, Graph, Member, graphs
from archc.shapes import Dim, Formula


def may_differ(root: Graph) -> bool:
    """May some node need different code in the places where it is applied, or in its copies?"""
    members = (member for graph in graphs(root) for member in graph.members.values())
    return any(not all(map(_alike, together)) for member in members for together in _together(member))


def _together(member: Member) -> Iterable[Iterable[tuple[Copy, Copy]]]:
    """The pairs of copies that have one module: of each such module, every copy and the next."""
    if member.share:
        applied = (copy for use in member.uses for copy in use if copy.target is not None)
        return (pairwise({id(copy): copy for copy in applied}.values()),)
    return map(pairwise, zip(*member.uses, strict=True))


def _alike(pair: tuple[Copy, Copy]) -> bool:
    """Is the code of two copies plainly the same?"""
    a, b = pair
    if isinstance(a.target, Graph):
        return a.target is b.target and _numbers(a) == _numbers(b)
    if a.target is b.target and a.inputs == b.inputs:
        return True
    return not isinstance(b.target, Graph) and module_source(a) == module_source(b)


def _numbers(copy: Copy) -> dict[str, object]:
    """The numbers that the code of a block is built with: not those of a call."""
    return {name: n for name, n in copy.numbers.items() if not isinstance(n, Dim | Formula)}
