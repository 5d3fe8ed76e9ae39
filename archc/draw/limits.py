"""Formats hold only so much: a diagram that is too large for one is closed until it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from archc.draw.options import DrawError, Options
from archc.draw.scene.items import Frame, Scene

Tell = Callable[[str], None]
"""Takes notes for the user, each of one line."""


class TooLarge(DrawError):
    """A diagram that a format cannot hold. The message names the format's limit: `png holds ...`."""


def fitted(
    stage: Callable[[Options], Scene],
    write: Callable[[Scene], str | bytes],
    options: Options,
    tell: Tell | None = None,
) -> str | bytes:
    """Write the scene that `options` ask for; where it is too large, one that is opened less deep.

    A note says so, in the diagram and to `tell`. Raises DrawError where even the closed chart is too
    large.
    """
    drawing = stage(options)
    try:
        return write(drawing)
    except TooLarge as error:
        limit = error.message
    for fewer, shown in _smaller(options, depth(drawing.main)):
        note = f"{shown}: {limit}"
        drawing = stage(fewer)
        drawing.facts.append(note)
        try:
            written = write(drawing)
        except TooLarge:
            continue
        if tell:
            tell(note)
        return written
    raise DrawError(f"{drawing.title} is too large even when it is closed: {limit}", "use another format")


def _smaller(options: Options, depth: int) -> Iterator[tuple[Options, str]]:
    """What to ask for instead, and how a note says it."""
    for level in range(depth - 1, -1, -1):
        yield replace(options, level=level, expand=()), f"opened to level {level} only"
    yield replace(options, level=0, expand=(), insets=False), "closed, and without insets"


def depth(frame: Frame) -> int:
    """How many blocks deep a frame is opened; groups of the spec do not count.

    >>> depth(Frame("a", "a", items=[Frame("b", "b", items=[])]))
    0
    """
    inner = [item for item in frame.items if isinstance(item, Frame)]
    return max((depth(item) + (item.graph is not None) for item in inner), default=0)
