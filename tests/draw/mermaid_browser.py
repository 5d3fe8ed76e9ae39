"""mermaid itself, in Chromium: what it makes of a chart's text."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

READ = """
async ([text, number]) => {
  const {svg} = await mermaid.render(`chart${number}`, text);
  const page = document.getElementById("page");
  page.innerHTML = svg;
  const all = (found) => [...page.querySelectorAll(found)];
  const texts = (found) => all(found).map((e) => e.innerText.replaceAll("\\u00a0", " ").trim());
  const result = {
    svg,
    nodes: texts(".node .nodeLabel"),
    clusters: texts(".cluster .nodeLabel, .cluster .cluster-label span"),
    labels: texts(".edgeLabels .edgeLabel .edgeLabel").filter((t) => t),
    edges: all(".edgePaths path:not(.edge-thickness-invisible)").length,
    inks: [...new Set(all(".cluster a, .cluster b").map((e) => getComputedStyle(e).color))],
    links: all("a").map((a) => a.getAttribute("xlink:href") ?? a.getAttribute("href")),
    hints: all(".node[title]").map((e) => e.getAttribute("title")),
    title: page.querySelector("svg > title")?.textContent ?? "",
    description: page.querySelector("svg > desc")?.textContent ?? "",
  };
  return result;
}
"""


REACHES = """
([source, target]) => {
  const path = document.querySelector(`.edgePaths path[id*="L_${source}_${target}_"]`);
  const box = document.querySelector(`.node[id*="flowchart-${target}-"]`).getBoundingClientRect();
  const end = path.getPointAtLength(path.getTotalLength()).matrixTransform(path.getScreenCTM());
  const across = Math.max(box.left - end.x, 0, end.x - box.right);
  const down = Math.max(box.top - end.y, 0, end.y - box.bottom);
  return across + down < 12;
}
"""


@dataclass
class Rendered:
    """What is seen of a chart: the texts of its nodes, subgraphs and edges, and its other parts."""

    svg: str
    nodes: list[str]
    clusters: list[str]
    labels: list[str]
    edges: int
    inks: list[str]
    links: list[str]
    hints: list[str]
    title: str
    description: str


class Mermaid:
    """A page with mermaid on it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.count = 0

    def render(self, text: str) -> Rendered:
        """Draw a chart; fails where mermaid does not take its text."""
        self.count += 1
        return Rendered(**self.page.evaluate(READ, [text, self.count]))

    @contextmanager
    def set_up(self, **settings: Any) -> Iterator[None]:
        """Set mermaid up as a page would, for a while."""
        initialize = "settings => mermaid.initialize({startOnLoad: false, ...settings})"
        self.page.evaluate(initialize, settings)
        yield
        self.page.evaluate(initialize, {})

    def reaches(self, source: str, target: str) -> bool:
        """Does the edge between two nodes end at the second, whatever subgraphs are around it?"""
        return self.page.evaluate(REACHES, [source, target])

    def direction(self, first: str, second: str) -> str:
        """Which way the node with the second text lies from that with the first."""
        boxes = [self.page.locator(".node", has_text=text).first.bounding_box() for text in (first, second)]
        across, down = (boxes[1][axis] - boxes[0][axis] for axis in ("x", "y"))
        if abs(across) > abs(down):
            return "LR" if across > 0 else "RL"
        return "TB" if down > 0 else "BT"


@contextmanager
def mermaid_page() -> Iterator[Mermaid]:
    """mermaid as the wheel `mermaidx` brings it, in Chromium; nothing is fetched."""
    wheel = find_spec("mermaidx")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    missing = [name for name, found in {"mermaidx": wheel, "chromium": chromium}.items() if not found]
    missing += [] if find_spec("playwright") else ["playwright"]
    if missing:
        reason = f"{', '.join(missing)} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI draws every chart in mermaid itself")
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    assert wheel is not None and wheel.origin is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", lambda route: route.abort())
        page.set_content("<div id='page'></div>")
        page.add_script_tag(path=Path(wheel.origin).parent / "assets" / "mermaid.js")
        mermaid = Mermaid(page)
        with mermaid.set_up():
            yield mermaid
        browser.close()
