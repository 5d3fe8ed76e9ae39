"""Copies that follow each other and are alike: what a table or a drawing shows once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from archc.graph.ir import Copy, Graph, Member
from archc.ops.base import Op
from archc.shapes import recording


@dataclass(frozen=True, slots=True)
class Run:
    """`count` copies of a member from number `first` on. All are the same block with the same
    numbers but for free dimensions, or the same operator on inputs of the same widths, or of an outline
    the same cases on the same inputs."""

    first: int
    count: int
    copy: Copy

    def name(self, member: Member) -> str:
        """The member's name with the copies' numbers: `down`, `down.3`, `down.0-1`."""
        if not member.arranged or member.share:
            return member.name
        if self.count == 1:
            return f"{member.name}.{self.first}"
        return f"{member.name}.{self.first}-{self.first + self.count - 1}"


def runs(member: Member, use: int = 0) -> list[Run]:
    """The copies of a member that exist, as runs of equal ones; bypassed copies are left out.

    Blocks are equal where they are one Graph: those are interned by their static numbers.
    """
    found: list[Run] = []
    for number, copy in enumerate(member.uses[use]):
        if copy.target is None:
            continue
        last = found[-1] if found else None
        if last and last.first + last.count == number and _alike(last.copy, copy):
            found[-1] = Run(last.first, last.count + 1, last.copy)
        else:
            found.append(Run(number, 1, copy))
    return found


def _alike(a: Copy, b: Copy) -> bool:
    if isinstance(a.target, Graph) or isinstance(b.target, Graph):
        return a.target is b.target
    if type(a.target) is not type(b.target) or a.target != b.target:
        return False
    if flat(a) == flat(b):
        return True
    if not isinstance(a.target, Op) or not isinstance(b.target, Op):
        return False
    with recording(), suppress(TypeError):  # in an outline, what weights there are may be open
        return a.target.weights(*flat(a)) == b.target.weights(*flat(b))
    return False


def flat(copy: Copy) -> list[Any]:
    """The inputs of a copy, bundles taken apart."""
    found: list[Any] = []
    for type_ in copy.inputs.values():
        found += getattr(type_, "members", [type_])
    return found
