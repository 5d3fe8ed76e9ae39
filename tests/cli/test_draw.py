"""`archc draw`: what is drawn, in which format, where it goes, and what is said where it cannot."""

from __future__ import annotations

import io
import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

from archc.cli.main import FINE, MISUSED, WRONG, main
from archc.draw.draw import BINARY, ENDINGS, FORMATS
from tests.cli.conftest import SPEC

STARTS = {
    "svg": b"<svg ",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "html": b"<!",
    "dot": b"// Drawn by archc",
    "mermaid": b"%% Drawn by archc",
    "json": b"{",
}

BLOCKS = """\
archc: 1
blocks:
  Part:
    params: {width: int, deep: bool = false}
    inputs: {x: "[B, C]"}
    nodes: {fc: linear(width), more: {call: linear(width), when: deep}}
    flow: {out: x -> fc -> more}
    presets: {small: {width: 8, C: 4}}
"""


def test_every_format_is_tried() -> None:
    assert STARTS.keys() == set(FORMATS) == set(ENDINGS.values())
    assert set(FORMATS) > BINARY


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_is_written_and_written_again(run, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"net{ending}"
    for _ in range(2):
        ended = run("draw", "net.yaml", "-o", path.name)
        assert (ended.status, ended.out, ended.err) == (FINE, "", "")
    assert path.read_bytes().startswith(STARTS[ENDINGS[ending]])
    assert [p.name for p in tmp_path.iterdir()] == ["net.yaml", path.name] or len(
        list(tmp_path.iterdir())
    ) == 2


@pytest.mark.parametrize("ending", ENDINGS)
def test_run_draws_in_every_format(run, tmp_path: Path, ending: str) -> None:
    words = ["--no-compile", "--device", "cpu", "--size", "B=1", "--size", "H=8", "--size", "W=8"]
    assert run("run", "net.yaml", *words, "--draw", f"net{ending}").status == FINE
    assert (tmp_path / f"net{ending}").read_bytes().startswith(STARTS[ENDINGS[ending]])


def test_bytes_go_where_they_are_sent(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC)
    for words in (["-o", "-"], []):
        assert main(["draw", "net.yaml", "--format", "png", *words]) == FINE
        assert capsysbinary.readouterr().out.startswith(STARTS["png"])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["draw", "net.yaml", "--format", "png"]) == MISUSED
    told = capsysbinary.readouterr()
    assert not told.out and b"png is no text for a terminal: name a file with -o" in told.err
    assert main(["draw", "net.yaml", "--format", "png", "-o", "-"]) == FINE


def panel(run, *words: str) -> dict:
    ended = run("draw", *words, "--format", "json")
    assert ended.status == FINE, ended.err
    return json.loads(ended.out)["panels"][0]


def ids(run, *words: str) -> set[str]:
    return {item["id"] for item in panel(run, *words)["items"]}


def test_expand_and_collapse_open_and_close(run) -> None:
    assert "body.0-2.conv" not in ids(run, "net.yaml", "--level", "0")
    assert "body.0-2.conv" in ids(run, "net.yaml", "--level", "0", "--expand", "body")
    one = ids(run, "net.yaml", "--level", "0", "--expand", "body.1")
    assert "body.1.conv" in one and not one & {"body.0.conv", "body.2.conv"}
    assert "body.0-2.conv" not in ids(run, "net.yaml", "--level", "1", "--collapse", "Res")
    assert "body.0-2.conv" not in ids(run, "net.yaml", "--level", "1", "--collapse", "body")


def test_direction_compact_and_insets(run) -> None:
    assert panel(run, "net.yaml", "--direction", "LR")["direction"] == "LR"
    wide, slim = (panel(run, "net.yaml", "--level", "1", *how) for how in ([], ["--compact"]))
    assert "strip" not in {item["form"] for item in wide["items"]}
    assert "strip" in {item["form"] for item in slim["items"]} or wide == slim
    assert len(json.loads(run("draw", "net.yaml", "--format", "json", "--level", "0").out)["panels"]) == 2
    ended = run("draw", "net.yaml", "--format", "json", "--level", "0", "--no-insets")
    assert len(json.loads(ended.out)["panels"]) == 1


# Bound and unbound

NOTE = "is drawn with names in place of its numbers"


@pytest.fixture
def part(run, tmp_path: Path):
    (tmp_path / "part.yaml").write_text(BLOCKS)
    return run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["part.yaml"], "@small takes a preset, -p NAME=VALUE gives one"),
        (["part.yaml#Part"], "@small takes a preset, --bound takes the defaults, -p NAME=VALUE gives one"),
        (["part.yaml", "--unbound"], None),
        (["part.yaml#Part", "--unbound", "-p", "width=16"], None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_drawn_unbound(part, words: list[str], told: str | None) -> None:
    ended = part("draw", *words)
    assert ended.status == FINE
    assert ended.err == ("" if told is None else f"note: Part {NOTE}; {told}\n")
    assert "Linear C → 16" in ended.out if "width=16" in words else "Linear C → width" in ended.out


@pytest.mark.parametrize(
    "words",
    [
        ["part.yaml@small"],
        ["part.yaml#Part@small"],
        ["part.yaml#Part", "-p", "width=8", "-p", "C=4"],
        ["net.yaml"],
        ["net.yaml#Net", "--bound"],
        ["net.yaml#Net", "--absent", "mask"],
        ["net.yaml#Net", "--given", "mask"],
        ["net.yaml#Net", "-p", "ch=4"],
    ],
    ids=" ".join,
)
def test_what_is_drawn_bound(part, words: list[str]) -> None:
    ended = part("draw", *words)
    assert ended.status == FINE and not ended.err
    assert "params" in ended.out


@pytest.mark.parametrize("words", [["part.yaml", "--bound"], ["part.yaml#Part", "-p", "C=4"]], ids=" ".join)
def test_what_is_to_be_bound_needs_its_numbers(part, words: list[str]) -> None:
    ended = part("draw", *words)
    assert ended.status == WRONG and not ended.out
    assert "error[A401]" in ended.err


def test_standard_input_is_read_once(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BLOCKS.encode())))
    ended = run("draw", "-")
    assert ended.status == FINE and "Linear C → width" in ended.out


def test_a_mistake_in_what_is_drawn_unbound_is_told(part, tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text(BLOCKS.replace("-> fc", "-> cf"))
    for address in ("part.yaml", "part.yaml#Part"):
        ended = part("draw", address, "-o", "part.svg")
        assert ended.status == WRONG and "error[A250]" in ended.err and NOTE not in ended.err
    assert not (tmp_path / "part.svg").exists()


# What cannot be drawn is one line, and nothing is written


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["-o", "net.bmp"], MISUSED, "no format ends in '.bmp': use .svg, .png, .pdf"),
        (["-o", "net"], MISUSED, "'net' has no ending: use .svg"),
        (["-o", ""], MISUSED, "the name of a file is empty"),
        (["-o", "net.svg/"], MISUSED, "net.svg/ is a folder; name a file in it"),
        (["-o", "."], MISUSED, ". is a folder; name a file in it"),
        (["-o", "nowhere/net.svg"], MISUSED, "there is no folder nowhere to write net.svg into"),
        (["-o", "net.yaml", "--format", "svg"], MISUSED, "net.yaml exists and archc did not write it"),
        (["-o", "/proc/net.svg"], MISUSED, "/proc/net.svg cannot be written: "),
        (["-o", f"{'n' * 300}.svg"], MISUSED, "cannot be written: File name too long"),
        (["--format", "bmp"], MISUSED, "invalid choice: 'bmp'"),
        (["--direction", "down"], MISUSED, "invalid choice: 'down'"),
        (["--unbound", "--bound"], MISUSED, "not allowed with argument"),
        (["--expand", "bdy"], WRONG, "there is no node `bdy` in Net; did you mean `body`?"),
        (["--expand", "body.3"], WRONG, "there is no `body.3`; the copies of `body` are 0 to 2"),
        (["--expand", "body[1..3]"], WRONG, "there is no `body[1..3]`; the copies of `body` are 0 to 2"),
        (["--expand", "body[2..1]"], WRONG, "the lower number stands first: `body[0..2]`"),
        (["--expand", "Res"], WRONG, "`Res` is a block; name a node that is one"),
        (["--expand", "down.0"], WRONG, "there is no `down.0`; `down` is not repeated"),
        (["--expand", "conv_in"], WRONG, "there is nothing to open in `conv_in`; it is an operator"),
        (["--collapse", "conv_in"], WRONG, "there is nothing to close in `conv_in`; it is an operator"),
        (["--expand", "conv_in.x"], WRONG, "there is no `conv_in.x`; `conv_in` is an operator"),
        (["--collapse", "Ress"], WRONG, "there is no block `Ress` in Net; did you mean `Res`?"),
        (["--collapse", "Other"], WRONG, "there is no block `Other` in Net; its blocks are `Res`"),
        (["--engine", "graphviz", "--format", "html"], WRONG, "graphviz draws svg, png, pdf, not html"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_cannot_be_drawn_is_told_in_one_line(
    run, tmp_path: Path, words: list[str], status: int, told: str
) -> None:
    before = (tmp_path / "net.yaml").read_bytes()
    ended = run("draw", "net.yaml", *words)
    assert (ended.status, ended.out) == (status, "")
    assert told in ended.err and ended.err.startswith("archc draw: ") and ended.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
    assert (tmp_path / "net.yaml").read_bytes() == before


def test_a_missing_graphviz_is_told(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(import_module("archc.draw.formats.graphviz"), "_found", lambda program: None)
    ended = run("draw", "net.yaml", "--engine", "graphviz", "-o", "net.svg")
    assert ended.status == WRONG and ended.err.count("\n") == 1
    assert ended.err.startswith("archc draw: graphviz is not installed; ") and "pip install" in ended.err
    assert not (tmp_path / "net.svg").exists()


@pytest.mark.parametrize(("format", "module"), [("png", "resvg_py"), ("pdf", "reportlab")])
def test_a_missing_extra_is_told(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format: str, module: str
) -> None:
    gone = [name for name in sys.modules if name.partition(".")[0] == module]
    for name in [*gone, f"archc.draw.formats.{format}"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    ended = run("draw", "net.yaml", "-o", f"net.{format}")
    assert ended.status == WRONG and ended.err.count("\n") == 1
    assert f"pip install 'archc[{format}]'" in ended.err
    assert not (tmp_path / f"net.{format}").exists()


def test_what_is_too_large_for_a_format_is_collapsed_and_said(run, tmp_path: Path) -> None:
    nodes = "\n".join(f"      n{i}: {{call: Part}}" for i in range(120))
    flow = " -> ".join(f"n{i}" for i in range(120))
    lines = "      a: x -> relu -> tanh -> relu\n      out: x + a\n"
    part = f"  Part:\n    inputs: {{x: '[B, 4]'}}\n    flow:\n{lines}"
    net = f"  Net:\n    inputs: {{x: '[B, 4]'}}\n    nodes:\n{nodes}\n    flow: {{out: x -> {flow}}}\n"
    (tmp_path / "large.yaml").write_text(f"archc: 1\nblocks:\n{part}{net}")
    ended = run("draw", "large.yaml", "-o", "large.mmd", "--level", "1")
    assert ended.status == FINE and ended.err.count("\n") == 1
    assert ended.err.startswith("note: opened to level 0 only: ") and "500 edges" in ended.err
    assert (tmp_path / "large.mmd").read_text().count("-->") <= 500


def test_a_device_stays_one(run) -> None:
    assert run("draw", "net.yaml", "-o", "/dev/null", "--format", "svg").status == FINE
    assert Path("/dev/null").is_char_device()
