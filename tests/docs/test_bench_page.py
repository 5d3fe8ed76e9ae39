"""The table and the picture of docs/bench.md are those of the bench that was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archc.cli.bench_report import drawing, told_bench
from archc.draw.formats.svg import svg

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURE = DOCS / "bench.md", DOCS / "images" / "bench.svg"
RECORD = json.loads((DOCS / "bench.json").read_text(encoding="utf-8"))
WRITE = "look at it, and run: pytest --golden tests/docs/test_bench_page.py"


def test_table(request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, fence, rest = page.partition("```text\n")
    table, end, after = rest.partition("\n```\n")
    told = told_bench(RECORD)
    if request.config.getoption("--golden"):
        PAGE.write_text("".join([before, fence, told, end, after]), encoding="utf-8")
        return
    assert table == told, WRITE


def test_picture(request: pytest.FixtureRequest) -> None:
    drawn = svg(drawing(RECORD))
    if request.config.getoption("--golden"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == drawn, WRITE
