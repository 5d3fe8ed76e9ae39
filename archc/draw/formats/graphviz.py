"""A scene laid out by Graphviz: by the `dot` of the system, or by the `graphviz-pure` package."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import graphviz
from graphviz.backend import dot_command

from archc.draw.formats.chunks import SOFTWARE, with_chunks
from archc.draw.formats.dot import dot
from archc.draw.options import DrawError
from archc.draw.scene.items import Scene

_ATTRIBUTES = {"svg": {}, "png": {"dpi": "192"}, "pdf": {}}
"""The formats; a picture has twice its size, so that it is sharp on every screen."""
_HOW = "apt install graphviz, brew install graphviz, or pip install 'archc[graphviz]'; .dot text needs none"


class EngineMissing(DrawError):
    """No `dot` is found that could lay a diagram out."""


def render(scene: Scene, format: str) -> str | bytes:
    """A diagram with the places that Graphviz finds: the text of an `svg`, the bytes of a `png` or `pdf`.

    The same scene gives the same bytes from the same version of Graphviz. Raises EngineMissing where
    there is no Graphviz, and DrawError for other formats and what Graphviz cannot draw.
    """
    if format not in _ATTRIBUTES:
        raise DrawError(f"graphviz draws {', '.join(_ATTRIBUTES)}, not {format}", "leave the engine out")
    programs = [found for found in (_found("dot"), _found("graphviz-pure")) if found]
    if not programs:
        raise EngineMissing("graphviz is not installed", _HOW)
    text = dot(scene, **_ATTRIBUTES[format]).encode()
    for program in programs:
        try:
            with _run_by(program):
                return _signed(graphviz.pipe("dot", format, text, quiet=True), format)
        except graphviz.CalledProcessError as error:
            told = error.stderr.decode(errors="replace").strip()
            if "not recognized" not in told:
                why = told.splitlines()[0] if told else f"it ended with status {error.returncode}"
                raise DrawError(f"graphviz failed: {why}") from None
        except OSError as error:
            raise EngineMissing(f"{program} cannot be run: {error.strerror}", _HOW) from None
    raise DrawError(f"this graphviz draws no {format}", "apt install graphviz, or brew install graphviz")


def _found(program: str) -> Path | None:
    """Where a program is: on the path, or beside this Python."""
    found = shutil.which(program) or shutil.which(program, path=sysconfig.get_path("scripts"))
    return Path(found) if found else None


@contextmanager
def _run_by(program: Path) -> Iterator[None]:
    """The program that the graphviz package runs for a while, with a date that is the same every time,
    as a pdf has one."""
    before, epoch = dot_command.DOT_BINARY, os.environ.get("SOURCE_DATE_EPOCH")
    dot_command.DOT_BINARY = program
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    try:
        yield
    finally:
        dot_command.DOT_BINARY = before
        if epoch is None:
            del os.environ["SOURCE_DATE_EPOCH"]


def _signed(picture: bytes, format: str) -> str | bytes:
    """A picture that says near its top who drew it, as far as its format lets in a note."""
    if format == "svg":
        head, found, rest = picture.decode().partition("<svg")
        return f"{head}<!-- Drawn by archc -->\n{found}{rest}"
    if format == "png":
        return with_chunks(picture, SOFTWARE)
    # Graphviz writes the hour into a pdf, but for versions that know SOURCE_DATE_EPOCH.
    return re.sub(rb"(/CreationDate \(D:)\d{14}", rb"\g<1>19700101000000", picture)
