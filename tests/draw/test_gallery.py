"""The page on which charts drawn by hand lie beside ours, and mermaid itself on all charts of documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from . import gallery
from .mermaid_browser import Mermaid, mermaid_page

FENCE = re.compile(r"^```mermaid\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Mermaid]:
    with mermaid_page() as page:
        yield page


def test_every_chart_drawn_by_hand_has_its_counterpart() -> None:
    assert {path.stem for path in (gallery.HERE / "charts").iterdir()} == gallery.PAIRS.keys()
    page = gallery.page("/* mermaid */")
    assert page.count("<section>") == len(gallery.PAIRS)
    assert page.count("<img ") == len(gallery.PAIRS)
    assert page.count('class="mermaid"') == 2 * len(gallery.PAIRS)


def test_the_script_cannot_end_its_element() -> None:
    assert "</script>'; alert" not in gallery.page("x = '</script>'; alert(1)")


@pytest.mark.parametrize("chart", gallery.PAIRS)
def test_mermaid_draws_what_is_drawn_by_hand(chart: str, browser: Mermaid) -> None:
    assert browser.render((gallery.HERE / "charts" / f"{chart}.mmd").read_text(encoding="utf-8")).nodes


def test_mermaid_draws_every_chart_of_the_document(browser: Mermaid) -> None:
    charts = FENCE.findall(gallery.DOCUMENT.read_text(encoding="utf-8"))
    assert len(charts) == len(list(gallery.PICTURES.glob("*.svg")))
    for chart in charts:
        drawn = browser.render(chart)
        assert drawn.nodes
        assert all(link.startswith("#") for link in drawn.links)
