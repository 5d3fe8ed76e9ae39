"""Which blocks of a model are opened, and which copies of a repeat stand alone for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from archc.draw.options import Options
from archc.graph.ir import Graph, Member


class Step(NamedTuple):
    """A part of a path: a member and the numbers of its copies, None for all of them or its only one."""

    name: str
    copies: frozenset[int] | None = None


Path = tuple[Step, ...]

_NUMBERS = re.compile(r"(\d+)(?:(?:\.\.|-)(\d+))?")


def path_of(text: str) -> Path:
    """A path as its steps: `down.2.layer`, also as a picture writes it: `down[2..3].layer`.

    >>> path_of("down[2..3].layer")
    (Step(name='down', copies=frozenset({2, 3})), Step(name='layer', copies=None))
    """
    steps: list[Step] = []
    text = re.sub(r"\[\s*(\d+)\s*(?:(?:\.\.|-)\s*(\d+)\s*)?\]", _dotted, text)
    for word in text.split("."):
        numbers = _NUMBERS.fullmatch(word)
        if numbers and steps:
            first, last = int(numbers[1]), int(numbers[2] or numbers[1])
            steps[-1] = Step(steps[-1].name, frozenset(range(first, last + 1)))
        else:
            steps.append(Step(word))
    return tuple(steps)


def _dotted(found: re.Match[str]) -> str:
    return f".{found[1]}" if found[2] is None else f".{found[1]}-{found[2]}"


def _reaches(pattern: Path, where: Path) -> bool:
    """Does a path lead to an item, or on through it?"""
    return len(pattern) >= len(where) and all(_holds(a, b) for a, b in zip(pattern, where, strict=False))


def _holds(pattern: Step, step: Step) -> bool:
    if pattern.name != step.name:
        return False
    return pattern.copies is None or step.copies is None or step.copies <= pattern.copies


@dataclass(frozen=True, slots=True)
class Opening:
    """What is opened: blocks `level` deep, only those made of blocks where `composite`, and what
    `expand` and `collapse` name. A path beats the name of a block."""

    level: int
    composite: bool = False
    expand: tuple[Path, ...] = ()
    collapse: tuple[Path, ...] = ()

    @classmethod
    def of(cls, options: Options, level: int, composite: bool = False) -> Opening:
        expand, collapse = (tuple(map(path_of, paths)) for paths in (options.expand, options.collapse))
        return cls(level, composite, expand, collapse)

    def block(self, block: Graph, where: Path) -> bool:
        """Is the block opened that stands at a path?"""
        if self._closed(where):
            return False
        if any(_reaches(path, where) for path in self.expand):
            return True
        if self._named(block.name):
            return False
        return len(where) <= self.level and (not self.composite or any(blocks(block)))

    def group(self, name: str, where: Path, collapsed: bool) -> bool:
        """Is a group of the block at a path opened?"""
        here = (*where, Step(name))
        if any(_reaches(path, here) or path == (Step(name),) for path in self.expand):
            return True
        return not (collapsed or self._closed(here) or self._named(name))

    def named(self, member: Member, where: Path) -> list[frozenset[int]]:
        """The copies of a member that paths name: they are not merged with the others."""
        found: list[frozenset[int]] = []
        for path in (*self.expand, *self.collapse):
            if len(path) > len(where) and _reaches(path[: len(where)], where):
                step = path[len(where)]
                if step.name == member.name and step.copies is not None:
                    found.append(step.copies)
        return found

    def _closed(self, where: Path) -> bool:
        return any(len(path) == len(where) and _reaches(path, where) for path in self.collapse)

    def _named(self, name: str) -> bool:
        return (Step(name),) in self.collapse


CLOSED = Opening(0)
"""Opens nothing."""


def blocks(graph: Graph) -> list[Graph]:
    """The blocks that a Graph uses, once for each copy that is or may be one."""
    copies = [copy for member in graph.members.values() for copy in member.copies]
    return [target for copy in copies for target in copy.targets if isinstance(target, Graph)]
