"""Names of generated code: legal, unique, and none that hides what the code uses."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

BUILTINS = frozenset(
    """
    abs bool enumerate float getattr int isinstance len list max min range reversed round
    set str sum super tuple zip ValueError NotImplementedError None True False
    """.split()  # noqa: SIM905
)
"""Built-in names that generated code uses."""

RESERVED = BUILTINS | {"self", "torch", "nn", "F", "math", "Tensor", "l", "O", "I"}
"""Names that no variable may have: what generated code uses, and letters that look like digits."""


class Namespace:
    """Gives names that are not taken yet."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def give(self, *wishes: str, separator: str = "_", last: str | None = None) -> str:
        """The first wish that is free, else the last (or `last`) with a number."""
        for wish in wishes:
            if wish not in self._taken and not keyword.iskeyword(wish):
                self._taken.add(wish)
                return wish
        number = 2
        while f"{last or wishes[-1]}{separator}{number}" in self._taken:
            number += 1
        name = f"{last or wishes[-1]}{separator}{number}"
        self._taken.add(name)
        return name


def argument_name(port: str) -> str:
    """An input's name as an argument of forward."""
    return port if port not in RESERVED and not keyword.iskeyword(port) else f"{port}_"


def singular(word: str) -> str:
    """`skip` of `skips`: what one member of a bundle may be called."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def pascal(name: str) -> str:
    """`conv_shortcut` as a part of a class name: `ConvShortcut`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
