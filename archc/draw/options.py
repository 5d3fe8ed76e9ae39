"""What may be asked of a diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from archc.draw.scene.items import Direction


class DrawError(ValueError):
    """A diagram that cannot be drawn as asked. `message` says why, `help` what to do about it."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message if help is None else f"{message}; {help}")
        self.message = message
        self.help = help


@dataclass(frozen=True, slots=True)
class Options:
    """How much of a Graph a diagram shows, and how.

    `level` is how many blocks deep to open; None opens blocks that are made of blocks, as deep as a
    page allows. `expand` opens members by their paths, whatever the level: `down.2.layer`, one copy
    of a repeat with `down.2`, all of them with `down`. `collapse` keeps closed the blocks of these
    names, and members by their paths. `direction` is the way that the main path runs, where the block
    does not say it. `compact` makes norms, activations and dropout slim; `insets` shows what is in
    each closed block."""

    level: int | None = None
    expand: tuple[str, ...] = ()
    collapse: tuple[str, ...] = ()
    direction: Direction | None = None
    compact: bool = False
    insets: bool = True

    def __post_init__(self) -> None:
        """Raise DrawError for what no diagram can be."""
        if self.direction not in (None, *get_args(Direction)):
            raise DrawError(
                f"there is no direction {self.direction!r}", f"use {', '.join(get_args(Direction))}"
            )
        if self.level is not None and self.level < 0:
            raise DrawError(f"level {self.level} opens nothing", "0 closes all blocks")


DEFAULTS = Options()
