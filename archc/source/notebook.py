"""Things that show themselves in a notebook as their diagram.

What draws stands above what is drawn, so it is told from above: `archc.api` calls `draw_with`, and
`import archc` imports that before it gives anything that could be shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Picture = Callable[[Any], str | None]
"""The SVG of a thing; None where it has no picture."""

_pictures: list[Picture] = []


def draw_with(picture: Picture) -> None:
    """Let everything that shows itself be drawn so."""
    _pictures[:] = [picture]


class Shown:
    """What a notebook shows as its diagram."""

    __slots__ = ()

    def _repr_svg_(self) -> str | None:
        return next((picture(self) for picture in _pictures), None)
