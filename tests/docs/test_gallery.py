"""The gallery is what archc draws of its specs today."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("tools_gallery", ROOT / "tools" / "gallery.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def files(tool: Any) -> dict[Path, str]:
    return tool.gallery()


def test_gallery_is_current(tool: Any, files: dict[Path, str], request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--golden"):
        tool.write_all(files)
    stale = [str(p) for p, text in files.items() if not p.is_file() or p.read_text(encoding="utf-8") != text]
    assert stale == [], "look at them, and run: pytest --golden tests/docs"
    left_over = {path for path in tool.FOLDER.iterdir()} - files.keys()
    assert left_over == set()


def test_every_spec_is_in_it(tool: Any, files: dict[Path, str]) -> None:
    page = files[tool.PAGE]
    for path in (ROOT / "specs").rglob("*.yaml"):
        assert f"\n## {path.relative_to(ROOT).as_posix()}\n" in page
    for bound in ("Encoder@iris", "Decoder@taming", "Tokenizer@iris"):
        assert f"#{bound}'`" in page


def test_pictures_do_not_depend_on_where_the_tool_runs(
    tool: Any, files: dict[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tool.gallery() == files


def test_check_tells_what_is_stale(
    tool: Any, files: dict[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = {**files, tool.PAGE: files[tool.PAGE] + "more"}
    monkeypatch.setattr(tool, "gallery", lambda: changed)
    before = tool.PAGE.read_bytes()
    assert tool.main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/gallery.md is stale; write it: python tools/gallery.py\n"
    assert tool.PAGE.read_bytes() == before
