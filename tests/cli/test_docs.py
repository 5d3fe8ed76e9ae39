"""`archc docs`: a document and its pictures, whole or not at all, and fresh or told to be stale."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PARTS = """\
archc: 1
doc: Parts of a net.
blocks:
  Parts:
    doc: One convolution.
    inputs: {x: "[B, C, H, W]"}
    nodes: {conv: "conv2d(C, 3, padding=1)"}
    flow: {y: x -> conv -> swish}
"""

USER = """\
archc: 1
use: [./parts.yaml]
blocks:
  Whole:
    inputs: {x: "[B, 4, H, W]"}
    nodes: {part: Parts}
    flow: {y: x -> part}
"""


@pytest.fixture
def folder(run, tmp_path: Path) -> Path:
    """A folder with a file of blocks, one that uses it, and one that is no spec."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "parts.yaml").write_text(PARTS)
    (tmp_path / "specs" / "whole.yaml").write_text(USER)
    (tmp_path / "specs" / "config.yaml").write_text("learning_rate: 0.1\n")
    return tmp_path


def test_a_document_and_its_pictures(run, tmp_path: Path) -> None:
    ended = run("docs", "net.yaml", "-o", "net.md")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "net").iterdir()) == ["Net.svg", "Res.svg"]
    text = (tmp_path / "net.md").read_text()
    assert "by archc" in text.splitlines()[0]
    assert "# net.yaml\n" in text and "\n## Res\n" in text
    assert "net/Res.svg" in text


def test_a_folder_is_one_document(run, folder: Path) -> None:
    assert run("docs", "specs", "-o", "all.md", "--title", "All of it").status == 0
    text = (folder / "all.md").read_text()
    assert "# All of it\n" in text
    assert "## parts.yaml\n" in text and "### Whole\n" in text and "### Parts\n" in text
    assert "config" not in text
    assert "Made of [Parts](#parts)" in text and "Used in [Whole](#whole)" in text
    assert 'href="../all.md#parts"' in (folder / "all" / "Whole.svg").read_text()


def test_a_glob_and_a_file_given_twice(run, folder: Path) -> None:
    assert run("docs", "specs/[pw]*.yaml", "specs/parts.yaml", "-o", "all.md").status == 0
    assert (folder / "all.md").read_text().count("\n### Parts\n") == 1


def test_paths_do_not_depend_on_where_the_command_runs(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("docs", "specs", "-o", "all.md")
    before = (folder / "all.md").read_bytes()
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")
    assert run("docs", "../specs", "-o", "../all.md", "--check").status == 0
    assert run("docs", str(folder / "specs"), "-o", str(folder / "all.md")).status == 0
    assert (folder / "all.md").read_bytes() == before


def test_check_of_what_is_fresh_is_silent(run, tmp_path: Path) -> None:
    run("docs", "net.yaml", "-o", "net.md")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    ended = run("docs", "net.yaml", "-o", "net.md", "--check")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_check_names_what_is_stale_and_what_is_missing(run, tmp_path: Path) -> None:
    run("docs", "net.yaml", "-o", "net.md")
    (tmp_path / "net" / "Res.svg").unlink()
    (tmp_path / "net" / "Net.svg").write_text("<!-- Drawn by archc -->")
    text = (tmp_path / "net.md").read_bytes()
    ended = run("docs", "net.yaml", "-o", "net.md", "--check")
    assert ended.status == 1
    assert "net/Res.svg is missing\n" in ended.err and "net/Net.svg is stale\n" in ended.err
    assert "net.md is" not in ended.err
    assert "write them: archc docs net.yaml -o net.md\n" in ended.err
    assert not (tmp_path / "net" / "Res.svg").exists()
    assert (tmp_path / "net.md").read_bytes() == text


def test_check_tells_that_the_spec_has_changed(run, tmp_path: Path) -> None:
    run("docs", "net.yaml", "-o", "net.md")
    spec = tmp_path / "net.yaml"
    spec.write_text(spec.read_text().replace("repeat: 3", "repeat: 4"))
    ended = run("docs", "net.yaml", "-o", "net.md", "--check")
    assert ended.status == 1 and "net.md is stale\n" in ended.err and "net/Net.svg is stale\n" in ended.err
    assert "net/Res.svg" not in ended.err


def test_check_of_nothing_says_that_all_is_missing_and_makes_no_folder(run, tmp_path: Path) -> None:
    ended = run("docs", "net.yaml", "-o", "net.md", "--check")
    assert ended.status == 1 and "net.md is missing\n" in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.yaml"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["net.yaml"], "archc docs: the following arguments are required: -o/--output"),
        (["-o", "x.md"], "archc docs: the following arguments are required: FILE"),
        (["net.yaml", "-o", "net.html"], "a document is Markdown: name net.md, not net.html"),
        (["net.yaml#Res", "-o", "x.md"], "a document is of whole files: net.yaml, not net.yaml#Res"),
        (["net.yaml@wide", "-o", "x.md"], "a document is of whole files: net.yaml, not net.yaml@wide"),
        (["-", "-o", "x.md"], "a document tells where its specs are: name a file instead of -"),
        (["net.yaml", "-o", "-"], "pictures stand beside a document: name a file instead of -"),
        (["net.yaml", "-o", "x"], "a document is Markdown: name x.md, not x"),
        (["*.yml", "-o", "x.md"], "no file is named like *.yml"),
        (["net.yaml", "-o", "no/x.md"], "there is no folder no to write x.md into"),
        (["net.yaml", "-o", "x.md", "--chek"], "unknown option '--chek'; did you mean '--check'?"),
    ],
)
def test_a_wrong_command_line_is_one_line(run, tmp_path: Path, words: list[str], line: str) -> None:
    ended = run("docs", *words)
    assert ended.status == 2 and line in ended.err and len(ended.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]


def test_a_file_that_is_missing_is_told(run, tmp_path: Path) -> None:
    ended = run("docs", "nett.yaml", "-o", "x.md")
    assert ended.status == 2 and "A001" in ended.err and "net.yaml" in ended.err
    assert not (tmp_path / "x.md").exists()


def test_a_wrong_spec_writes_nothing(run, folder: Path) -> None:
    run("docs", "specs", "-o", "all.md")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (folder / "specs" / "parts.yaml").write_text(PARTS.replace("conv2d", "conv9d"))
    before[folder / "specs" / "parts.yaml"] = PARTS.replace("conv2d", "conv9d").encode()
    ended = run("docs", "specs", "-o", "all.md")
    assert ended.status == 1 and ended.err.count("conv9d") >= 1 and "parts.yaml:7" in ended.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["net.md", "net/Res.svg"])
def test_files_of_others_are_left_alone(run, tmp_path: Path, name: str) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / name).write_text("my own work")
    ended = run("docs", "net.yaml", "-o", "net.md")
    assert ended.status == 2 and f"{name} exists and archc did not write it" in ended.err
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {tmp_path / "net.yaml", tmp_path / name}
    assert (tmp_path / name).read_text() == "my own work"
    assert run("docs", "net.yaml", "-o", "net.md", "--force").status == 0
    assert (tmp_path / name).read_text() != "my own work"


def test_a_file_where_the_folder_should_be(run, tmp_path: Path) -> None:
    (tmp_path / "net").write_text("a file")
    ended = run("docs", "net.yaml", "-o", "net.md")
    assert ended.status == 2 and len(ended.err.splitlines()) == 1 and "net/" in ended.err
    assert not (tmp_path / "net.md").exists()


def test_a_disk_that_is_full_leaves_nothing(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0

    def fail(handle: int) -> None:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    ended = run("docs", "net.yaml", "-o", "net.md")
    assert ended.status == 2 and "net.md cannot be written: No space left on device" in ended.err
    assert [path.name for path in tmp_path.rglob("*")] == ["net.yaml"]


def test_our_own_document_is_overwritten(run, tmp_path: Path) -> None:
    run("docs", "net.yaml", "-o", "net.md")
    assert run("docs", "net.yaml", "-o", "net.md", "--title", "Another").status == 0
    assert "# Another\n" in (tmp_path / "net.md").read_text()


def test_help_shows_an_example(run) -> None:
    ended = run("docs", "--help")
    assert ended.status == 0 and "archc docs specs/vq -o docs/vq_nets.md" in ended.out


def test_blocks_of_the_library_are_named_wherever_it_is_installed(run, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "archc: 1\nuse: [std:vision]\nblocks:\n  Net:\n    inputs: {x: '[B, 64, H, W]'}\n"
        "    nodes: {se: SqueezeExcite(4)}\n    flow: {y: x -> se}\n"
    )
    assert run("docs", "net.yaml", "-o", "net.md").status == 0
    text, picture = (tmp_path / "net.md").read_text(), (tmp_path / "net" / "Net.svg").read_text()
    assert "Made of `SqueezeExcite`" in text and "uses `std:vision`" in text
    assert "· net.yaml:7<" in picture
    assert "site-packages" not in text + picture and "specs/std" not in text + picture


def test_layers_of_torch_are_asked_for_their_shapes(run, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "archc: 1\nblocks:\n  Net:\n    inputs: {x: '[B, 3, H, W]'}\n"
        "    nodes: {conv: 'nn.Conv2d(3, 8, 3, padding=1)'}\n    flow: {y: x -> conv}\n"
    )
    assert run("docs", "net.yaml", "-o", "net.md").status == 0
    text = (tmp_path / "net.md").read_text()
    assert "| `y` | `[B, 8, H, W]` | `float` |" in text and "`torch.nn.Conv2d`" in text


def test_warnings_are_told_and_nothing_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "archc: 1\nblocks: {Net: {inputs: {x: '[B]'}, flow: {unused: x -> exp, y: x -> relu}}}\n"
    )
    ended = run("docs", "net.yaml", "-o", "net.md")
    assert ended.status == 0 and ended.err.count("warning[") == 1 and "unused" in ended.err
