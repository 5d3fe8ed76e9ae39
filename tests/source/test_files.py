"""Reading files: what is no spec is refused at once, with its reason."""

import io
import os
import sys
import time
from pathlib import Path

import pytest

from archc.source.diagnostic import Diagnostic, Report
from archc.source.files import LARGEST_FILE, checked, decode, read
from archc.source.text import Source, Span


def refused(path: Path | str) -> Diagnostic:
    report = Report()
    assert read(path, report) is None
    (found,) = report.diagnostics
    assert found.help
    return found


def undecoded(data: bytes) -> Diagnostic:
    report = Report()
    assert decode(data, "spec.yaml", report) is None
    (found,) = report.diagnostics
    return found


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes("\ufeffdoc: é😀\r\nb: \t1\n".encode())
    report = Report()
    source = read(path, report)
    assert source and source.text == "doc: é😀\r\nb: \t1\n" and source.name == str(path) and report.ok


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: b")))
    source = read("-", Report())
    assert source and (source.name, source.text) == ("<stdin>", "a: b")


def test_missing(tmp_path: Path) -> None:
    (tmp_path / "unet.yaml").write_text("a: b")
    found = refused(tmp_path / "unett.yaml")
    assert found.code == "A001" and str(tmp_path / "unett.yaml") in found.message
    assert found.help == f"did you mean `{tmp_path / 'unet.yaml'}`?"
    assert f"`{tmp_path / 'unet.yaml'}`" in str(refused(tmp_path / "unet").help)
    assert str(refused(tmp_path / "vq.yaml").help).endswith("there is `unet.yaml`")
    assert "no folder" in str(refused(tmp_path / "nowhere" / "a.yaml").help)


def test_missing_is_told_where_it_is_named(tmp_path: Path) -> None:
    report = Report()
    span = Span(Source("main.yaml", "use: [./a.yaml]"), 6, 14)
    assert read(tmp_path / "a.yaml", report, span) is None
    assert report.diagnostics[0].span == span


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "unet.yaml").write_text("a: b")
    found = refused(tmp_path)
    assert found.code == "A002" and "is a folder" in found.message and "unet.yaml" in str(found.help)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("a: b")
    path.chmod(0)
    assert refused(path).code == "A002"


@pytest.mark.parametrize("name", ["a\0b.yaml", "a" * 5000])
def test_a_name_that_is_none(name: str) -> None:
    assert refused(name).code == "A002"


def test_100_mb_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    start = time.monotonic()
    found = refused(path)
    assert time.monotonic() - start < 1
    assert found.code == "A003" and "100 MB" in found.message and "at most 16 MB" in str(found.help)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_file_without_end() -> None:
    assert refused("/dev/zero").code == "A003"


def test_text_of_the_largest_size() -> None:
    assert checked("#" * LARGEST_FILE, "spec.yaml", Report())
    report = Report()
    assert checked("#" * (LARGEST_FILE + 1), "spec.yaml", report) is None
    assert [item.code for item in report.diagnostics] == ["A003"]


def test_invalid_utf8() -> None:
    found = undecoded("a: é\nb: c".encode() + b"af\xe9\nc: d\n")
    assert found.code == "A004" and found.message == "byte 0xE9 on line 2 is not UTF-8"
    assert found.span and (found.span.line, found.span.column) == (2, 7)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_utf16(encoding: str) -> None:
    data = ("\ufeff" if encoding.endswith("be") else "") + "a: b"
    found = undecoded(data.encode(encoding))
    assert found.code == "A004" and "UTF-16" in found.message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a: \0", "U+0000"),
        ("a: \x1b[31m", "ESCAPE"),
        ("a: \x07", "U+0007"),
        ("a: b\rc: d", "CARRIAGE RETURN"),
        ("a: \x85", "U+0085"),
        ("a: \u2028", "LINE SEPARATOR"),
        ("a: \u202e", "RIGHT-TO-LEFT OVERRIDE"),
        ("a: \ufeff", "ZERO WIDTH NO-BREAK SPACE"),
        ("a: \ud83d", "U+D83D"),
        ("a: \uffff", "U+FFFF"),
    ],
)
def test_characters_that_hide(text: str, name: str) -> None:
    report = Report()
    assert checked(text, "spec.yaml", report) is None
    (found,) = report.diagnostics
    assert found.code == "A005" and name in found.message and found.span and found.span.line == 1


def test_a_binary_file() -> None:
    assert "binary" in str(undecoded("a: b".encode("utf-16-le")).help)
