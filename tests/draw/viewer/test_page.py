"""The text of a page: small, complete, the same every time, and safe whatever a spec says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from archc.draw.draw import draw, format_of
from archc.draw.formats.html import html
from archc.draw.options import Options
from archc.graph.compile import graph

HOSTILE = Path(__file__).parent / "hostile.yaml"


def _data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_unet_is_one_small_file(checked) -> None:
    text = html(checked("time"))
    assert len(text.encode()) < 150_000
    assert not re.search(r'(?:src|href)="(?!#|data:,")', text), "it refers to nothing outside itself"
    assert not re.search(r"url\((?!#)|@import|\bfetch\(|XMLHttpRequest|import\(", text)


def test_a_page_is_the_same_every_time(checked) -> None:
    assert html(checked("tokenizer")) == html(checked("tokenizer"))


def test_each_distinct_block_is_laid_out_once(checked) -> None:
    """As many blocks as there are of different numbers and shapes, however often they are used."""
    data = _data(html(checked("encoder")))
    assert data["texts"][data["blocks"][data["root"]]["name"]] == "Encoder"
    assert len({json.dumps(block) for block in data["blocks"]}) == len(data["blocks"]) < 30
    reached = {data["root"]}
    column = data["columns"].index("block")
    for block in data["blocks"]:
        rows = [data["items"][number] for number in block["items"]]
        reached |= {row[column] - 1 for row in rows if len(row) > column and row[column]}
    assert reached == set(range(len(data["blocks"]))), "every block is opened from somewhere"


def test_what_is_open_at_first_is_asked_for(checked) -> None:
    assert _data(html(checked("encoder"), Options(level=0)))["open"] == []
    assert "mid" in _data(html(checked("encoder"), Options(level=1)))["open"]


def test_no_text_ends_the_script_that_it_stands_in() -> None:
    text = html(graph(f"{HOSTILE}#Net"))
    assert text.count("</script>") == 2, "the data's and the viewer's own"
    assert "<script>window" not in text and "<img" not in text


def test_it_is_a_format(checked) -> None:
    assert format_of(Path("net.html")) == format_of(Path("net.HTM")) == "html"
    assert draw(checked("chain"), "html") == html(checked("chain"))
