"""What a checkpoint is to a Graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archc.graph.recipes import Recipe


class Layout(NamedTuple):
    """What a checkpoint is to a Graph: a recipe for every tensor of its state_dict, by its name here.

    `ignored` are patterns of names to pass over. `same` gives, for a tensor that is tied, the one that
    stands for all of them. `optional`: tensors of ours that a checkpoint may lack."""

    recipes: dict[str, Recipe]
    ignored: tuple[str, ...] = ()
    same: Mapping[str, str] = {}
    optional: frozenset[str] = frozenset()

    def passed_over(self, names: Iterable[str]) -> set[str]:
        """Those of a checkpoint's names that a pattern fits: `*` is any text, `<i>` is part of a segment."""
        plain = {pattern for pattern in self.ignored if not _WILD.search(pattern)}
        wild = "|".join(map(_regex, dict.fromkeys(p for p in self.ignored if p not in plain)))
        fits = re.compile(wild).fullmatch if wild else lambda _: None
        return {name for name in names if name in plain or fits(name)}


_WILD = re.compile(r"(\*|<\w+>)")


def _regex(pattern: str) -> str:
    known = {"*": ".*"}
    parts = _WILD.split(pattern)
    return "".join(known.get(p, "[^.]+") if n % 2 else re.escape(p) for n, p in enumerate(parts))
