"""A scene laid out by Graphviz: by the `dot` of the system, or by the `graphviz-pure` package."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sysconfig
import zlib

from archc.draw.dot import dot
from archc.draw.options import DrawError
from archc.draw.scene import Scene

_OPTIONS = {"svg": ["-Tsvg"], "png": ["-Tpng", "-Gdpi=192"], "pdf": ["-Tpdf"]}
"""What `dot` is asked for; a picture at twice its size, so that it is sharp on every screen."""
_HOW = "apt install graphviz, brew install graphviz, or pip install 'archc[graphviz]'; .dot text needs none"


class EngineMissing(DrawError):
    """No `dot` is found that could lay a diagram out."""


def render(scene: Scene, format: str) -> str | bytes:
    """A diagram with the places that Graphviz finds: the text of an `svg`, the bytes of a `png` or `pdf`.

    The same scene gives the same bytes from the same version of Graphviz. Raises EngineMissing where
    there is no Graphviz, and DrawError for other formats and what Graphviz cannot draw.
    """
    if format not in _OPTIONS:
        raise DrawError(f"graphviz draws {', '.join(_OPTIONS)}, not {format}", "leave the engine out")
    programs = [found for found in (_found("dot"), _found("graphviz-pure")) if found]
    if not programs:
        raise EngineMissing("graphviz is not installed", _HOW)
    text = dot(scene)
    for program in programs:
        ended = _run(program, _OPTIONS[format], text)
        if ended.returncode == 0:
            return _signed(ended.stdout, format)
        told = ended.stderr.decode(errors="replace").strip()
        if "not recognized" not in told:
            raise DrawError(f"graphviz failed: {told.splitlines()[0] if told else ended.returncode}")
    raise DrawError(f"this graphviz draws no {format}", "apt install graphviz, or brew install graphviz")


def _found(program: str) -> str | None:
    """Where a program is: on the path, or beside this Python."""
    return shutil.which(program) or shutil.which(program, path=sysconfig.get_path("scripts"))


def _run(program: str, options: list[str], text: str) -> subprocess.CompletedProcess[bytes]:
    # The date in a pdf is of no picture's making; -q leaves out warnings of letters' widths.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    try:
        return subprocess.run(
            [program, "-q", *options], input=text.encode(), capture_output=True, env=environment
        )
    except OSError as error:
        raise EngineMissing(f"{program} cannot be run: {error.strerror}", _HOW) from None


def _signed(picture: bytes, format: str) -> str | bytes:
    """A picture that says near its top who drew it, as far as its format lets in a note."""
    if format == "svg":
        head, found, rest = picture.decode().partition("<svg")
        return f"{head}<!-- Drawn by archc -->\n{found}{rest}"
    if format == "png":
        start = 8 + 12 + 13  # the signature, and the header with its 13 bytes
        note = b"tEXtSoftware\0Drawn by archc"
        chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
        return picture[:start] + chunk + picture[start:]
    return picture
