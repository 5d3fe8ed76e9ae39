"""What a terminal is shown: colours, and a sign of life during long work."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TextIO

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


def colored(stream: TextIO) -> bool:
    """Does a stream take colours? Only a terminal does, and none where NO_COLOR is set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def bold(text: str, stream: TextIO) -> str:
    """A text in bold, where the stream takes that."""
    return f"\033[1m{text}\033[0m" if colored(stream) else text


@contextmanager
def working(what: str) -> Iterator[None]:
    """Shows that work goes on, and for how long; on a terminal only, never in a pipe."""
    stream = sys.stderr
    if not stream.isatty():
        yield
        return
    done = threading.Event()
    start = perf_counter()

    def turn() -> None:
        frame = 0
        while not done.wait(0.1):
            seconds = perf_counter() - start
            stream.write(f"\r{FRAMES[frame % len(FRAMES)]} {what} {seconds:.0f} s ")
            stream.flush()
            frame += 1

    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        stream.write("\r\033[K")
        stream.flush()
