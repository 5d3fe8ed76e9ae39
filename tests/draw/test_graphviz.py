"""Graphviz as the engine: its pictures, and one clear line where it is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from archc.draw.formats.graphviz import EngineMissing, render
from archc.draw.options import DrawError
from archc.draw.scene.stage import scene

SCRIPTS = sysconfig.get_path("scripts")
HAS_DOT = shutil.which("dot") is not None
HAS_PURE = shutil.which("graphviz-pure", path=SCRIPTS) is not None
needs_some = pytest.mark.skipif(not (HAS_DOT or HAS_PURE), reason="Graphviz is not installed")
needs_dot = pytest.mark.skipif(not HAS_DOT, reason="Graphviz is not installed")
needs_pure = pytest.mark.skipif(not HAS_PURE, reason="graphviz-pure is not installed")


@pytest.fixture
def no_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def nothing(no_system: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is beside this Python either."""
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))


@needs_some
def test_svg(checked) -> None:
    text = render(scene(checked("encoder")), "svg")
    assert isinstance(text, str)
    root = ET.fromstring(text)
    texts = {"".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"conv_in", "down[0..1]", "mid"} <= texts
    assert "Drawn by archc" in text[:4096]


@needs_some
@pytest.mark.parametrize("format, start", [("svg", "<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_bytes_are_the_same_every_time(checked, format: str, start: str | bytes) -> None:
    if format == "pdf" and not HAS_DOT:
        pytest.skip("graphviz-pure writes no pdf")
    first, again = (render(scene(checked("res")), format) for _ in range(2))
    assert first == again
    assert first[: len(start)] == start


@needs_dot
def test_a_pdf_has_no_hour(checked) -> None:
    picture = render(scene(checked("res")), "pdf")
    assert isinstance(picture, bytes)
    dates = re.findall(rb"CreationDate \(D:(\d+)", picture)
    assert set(dates) <= {b"19700101000000"}


@needs_some
def test_a_png_is_whole_and_says_who_drew_it(checked) -> None:
    Image = pytest.importorskip("PIL.Image")
    from io import BytesIO

    picture = Image.open(BytesIO(render(scene(checked("res")), "png")))
    picture.load()
    assert picture.info["Software"] == "Drawn by archc"
    assert picture.width > 300


@needs_pure
def test_the_package_stands_in_for_the_program(checked, no_system: None) -> None:
    text = render(scene(checked("encoder")), "svg")
    assert isinstance(text, str) and "conv_in" in text and "Drawn by archc" in text


@needs_pure
def test_what_the_package_does_not_draw(checked, no_system: None) -> None:
    with pytest.raises(DrawError, match="^this graphviz draws no pdf; apt install graphviz, or brew"):
        render(scene(checked("res")), "pdf")


def test_a_missing_graphviz_is_one_clear_line(checked, nothing: None) -> None:
    with pytest.raises(EngineMissing) as caught:
        render(scene(checked("res")), "svg")
    assert str(caught.value) == (
        "graphviz is not installed; apt install graphviz, brew install graphviz, or "
        "pip install 'archc[graphviz]'; .dot text needs none"
    )
    assert isinstance(caught.value, DrawError)


def test_other_formats(checked) -> None:
    with pytest.raises(DrawError, match="^graphviz draws svg, png, pdf, not html; leave the engine out$"):
        render(scene(checked("res")), "html")


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the program")
@pytest.mark.parametrize(
    "script, message",
    [
        ("echo 'Error: out of memory' >&2; echo more >&2; exit 1", "^graphviz failed: Error: out of memory$"),
        ("exit 3", "^graphviz failed: it ended with status 3$"),
    ],
)
def test_a_failing_graphviz_is_one_line(
    checked, nothing: None, tmp_path: Path, script: str, message: str
) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(DrawError, match=message):
        render(scene(checked("res")), "svg")


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the program")
def test_a_program_that_does_not_run(checked, nothing: None, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    with pytest.raises(EngineMissing, match="dot cannot be run: "):
        render(scene(checked("res")), "svg")


@needs_some
def test_nothing_is_left_behind(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphviz.backend import dot_command

    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = dot_command.DOT_BINARY
    render(scene(checked("res")), "svg")
    assert before == dot_command.DOT_BINARY and "SOURCE_DATE_EPOCH" not in os.environ


def test_the_package_is_imported_when_it_is_wanted() -> None:
    code = "import sys, archc.draw.draw, archc.cli.draw; sys.exit('graphviz' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_text_needs_no_graphviz(checked, nothing: None) -> None:
    from archc.draw.formats.dot import dot

    assert shutil.which("dot") is None
    assert dot(scene(checked("res"))).startswith("// Drawn by archc")
