"""What a YAML scalar says, and where each of its characters stands in the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archc.source.tree import Scalar


def resolve(text: str) -> None | bool | int | float | str:
    """A plain scalar's value in the core schema of YAML 1.2."""
    raise NotImplementedError


def offsets(scalar: Scalar) -> list[int]:
    """For each character of a scalar's text, and its end, the offset in the source."""
    raise NotImplementedError
