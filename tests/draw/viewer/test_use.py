"""What a reader can do with a chart, in a real browser."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from archc.draw.options import Options
from archc.graph.compile import graph

try:
    from playwright.sync_api import Locator, Page, expect
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("playwright is not installed: pip install playwright", allow_module_level=True)

HERE = Path(__file__).parent


def item(page: Page, path: str) -> Locator:
    return page.locator(f'[data-path="{path}"]')


def count(page: Page) -> int:
    return page.locator("#chart [data-path]").count()


def view(page: Page) -> str:
    return page.evaluate("document.querySelector('#chart svg').style.transform")


def test_a_click_opens_and_closes(show) -> None:
    page = show("encoder", options=Options(level=0))
    closed = count(page)
    expect(item(page, "mid")).to_have_attribute("aria-expanded", "false")
    item(page, "mid").click()
    expect(item(page, "mid")).to_have_attribute("aria-expanded", "true")
    assert count(page) == closed + 3
    item(page, "mid.attn_1").click()
    opened = count(page)
    assert opened > closed + 3
    item(page, "mid").locator(".head").click(position={"x": 6, "y": 6})
    assert count(page) == closed
    item(page, "mid").click()
    assert count(page) == closed + 3, "what is closed forgets what was open in it"


def test_an_opened_block_stays_where_it_was(show) -> None:
    page = show("encoder", options=Options(level=0))
    before = item(page, "down.2-3").bounding_box()
    item(page, "down.2-3").click()
    after = item(page, "down.2-3").bounding_box()
    assert abs(before["x"] + before["width"] / 2 - after["x"] - after["width"] / 2) < 12
    assert abs(before["y"] - after["y"]) < 2


def test_levels(show) -> None:
    page = show("encoder")
    page.get_by_role("button", name="Close all").click()
    closed = count(page)
    assert page.locator("[aria-expanded=true]").count() == 0
    page.get_by_role("button", name="Open 1 level", exact=True).click()
    first = count(page)
    page.get_by_role("button", name="Open all").click()
    assert closed < first < count(page)
    assert page.locator("[aria-expanded=false]").count() == 0
    page.keyboard.press("0")
    assert count(page) == closed


def test_the_wheel_zooms_at_the_pointer_and_a_drag_pans(show) -> None:
    page = show("encoder")
    box = item(page, "down.2-3.layer.0-1.attn").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    before = view(page)
    page.mouse.wheel(0, -400)
    page.wait_for_function("(old) => document.querySelector('#chart svg').style.transform != old", arg=before)
    larger = item(page, "down.2-3.layer.0-1.attn").bounding_box()
    assert larger["width"] > 1.3 * box["width"]
    assert (
        larger["x"] < x < larger["x"] + larger["width"] and larger["y"] < y < larger["y"] + larger["height"]
    )
    assert abs(larger["x"] + larger["width"] / 2 - x) < 4
    opened = count(page)
    page.mouse.down()
    page.mouse.move(x + 60, y + 35, steps=4)
    page.mouse.up()
    moved = item(page, "down.2-3.layer.0-1.attn").bounding_box()
    assert abs(moved["x"] - larger["x"] - 60) < 1 and abs(moved["y"] - larger["y"] - 35) < 1
    assert count(page) == opened, "a drag opens nothing"


def test_fit_shows_everything(show) -> None:
    page = show("encoder", reduced_motion="reduce")
    page.keyboard.press("o")
    page.keyboard.press("f")
    chart, drawn = page.locator("#chart").bounding_box(), page.locator("#chart svg").bounding_box()
    for start, size in (("x", "width"), ("y", "height")):
        assert drawn[start] >= chart[start] - 1
        assert drawn[start] + drawn[size] <= chart[start] + chart[size] + 1
    small = drawn["width"]
    page.keyboard.press("+")
    assert page.locator("#chart svg").bounding_box()["width"] > small
    page.mouse.dblclick(5, chart["y"] + 5)
    assert abs(page.locator("#chart svg").bounding_box()["width"] - small) < 1


def test_search_opens_what_it_finds(show) -> None:
    page = show("encoder", options=Options(level=0))
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("attn Rearrange")
    many = int(page.locator("#found").inner_text().split()[0])
    assert many > 3
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text(f"1 of {many}")
    expect(page.locator("#search")).to_be_focused()
    first = page.locator(".selected").get_attribute("data-path")
    assert first.startswith("down.2-3.layer.0-1.attn.")
    expect(page.locator("#panel h2")).to_have_text("rearrange")
    page.keyboard.press("Enter")
    assert page.locator(".selected").get_attribute("data-path") != first
    page.keyboard.press("Shift+Enter")
    assert page.locator(".selected").get_attribute("data-path") == first
    assert page.locator(".hit").count() > 1
    page.keyboard.press("Escape")
    assert page.locator(".hit").count() == 0
    expect(item(page, first)).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("no such thing")
    expect(page.locator("#found")).to_have_text("no match")
    page.keyboard.press("Enter")


def test_what_is_told_on_hover(show) -> None:
    page = show("encoder", "#mid.block_1")
    panel = page.locator("#panel")
    item(page, "mid.block_1.conv1").hover()
    expect(panel.locator("h2")).to_have_text("conv1")
    expect(panel).to_contain_text("mid.block_1.conv1")
    expect(panel).to_contain_text("36,928")
    line = re.search(r"nets\.yaml:(\d+)", panel.inner_text())
    assert line
    spec = (HERE.parents[2] / "specs" / "vq" / "nets.yaml").read_text().splitlines()
    assert "conv1" in spec[int(line[1]) - 1]
    page.mouse.move(5, 400)
    expect(panel.locator("h2")).to_have_text("block_1")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_a_weights_name_is_copied(show) -> None:
    page = show("encoder", "#down.3.layer.1.res.conv1", permissions=["clipboard-read", "clipboard-write"])
    weights = page.locator("#panel code").all_inner_texts()
    assert weights == ["down.2.layer.0.res.conv1.weight", "down.2.layer.0.res.conv1.bias"]
    page.get_by_role("button", name=f"Copy {weights[0]}").click()
    expect(page.locator("#status")).to_have_text(f"copied {weights[0]}")
    assert page.evaluate("navigator.clipboard.readText()") == weights[0]


def test_links_into_the_chart(show) -> None:
    page = show("encoder", "#down.1.layer.0", options=Options(level=0))
    expect(item(page, "down.0-1.layer.0-1")).to_be_focused()
    expect(item(page, "down.0-1.layer.0-1")).to_have_attribute("aria-expanded", "true")
    expect(item(page, "down.2-3")).to_have_attribute("aria-expanded", "false")
    page.evaluate("location.hash = 'mid.attn_1.q.weight'")
    expect(item(page, "mid.attn_1.q")).to_be_focused()
    expect(item(page, "mid.attn_1.q")).to_be_in_viewport()
    item(page, "mid.attn_1").locator(".head").click(position={"x": 6, "y": 6})
    assert page.evaluate("location.hash") == "#mid"
    page.keyboard.press("Escape")
    assert page.evaluate("location.hash") == ""
    page.evaluate("location.hash = 'no.such.thing'")
    page.evaluate("location.hash = '%E0%A4%A'")
    page.keyboard.press("f")
    item(page, "conv_in").click()
    assert page.evaluate("location.hash") == "#conv_in"


def test_an_unknown_link_says_so(show) -> None:
    page = show("chain", "#nowhere")
    expect(page.locator("#status")).to_have_text("There is no nowhere here")


def test_keys_alone(show) -> None:
    page = show("encoder", options=Options(level=0))

    def focused() -> str:
        return page.evaluate("document.activeElement.getAttribute('data-path')")

    for _ in range(20):
        page.keyboard.press("Tab")
        if focused():
            break
    assert focused() == "x"
    page.keyboard.press("Tab")
    assert focused() == "conv_in", "Tab goes with the flow"
    for path in ("down.0-1", "down.2-3", "down.4", "mid"):
        page.keyboard.press("ArrowDown")
        assert focused() == path
    page.keyboard.press("Enter")
    expect(item(page, "mid")).to_have_attribute("aria-expanded", "true")
    assert focused() == "mid"
    page.keyboard.press("ArrowDown")
    assert focused() == "mid.block_1"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    middle = focused()
    assert middle.startswith("mid.attn_1.")
    page.keyboard.press("ArrowLeft")
    assert focused().startswith("mid.attn_1.") and focused() != middle
    page.keyboard.press("ArrowRight")
    assert focused() == middle
    expect(item(page, middle)).to_be_in_viewport()
    width = "getComputedStyle(document.activeElement.querySelector('.body')).strokeWidth"
    assert page.evaluate(width) == "3px", "the focus is seen"
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    last = focused()
    assert last.startswith("out:")
    for _ in range(40):
        page.keyboard.press("ArrowUp")
    assert focused() == "x"
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def test_no_text_does_anything(show) -> None:
    page = show(graph(f"{HERE}/hostile.yaml#Net"))
    page.keyboard.press("o")
    for path in ("a", "b", "c", "c.a"):
        item(page, path).hover()
        expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("<script>")
    page.keyboard.press("Enter")
    texts = page.locator("#chart text").all_text_contents()
    assert any(text.startswith("<script>window.hacked = 3</script>") for text in texts)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, #chart script").count() == 0


def test_no_other_script_runs(show, wrong) -> None:
    page = show("chain")
    refused = page.evaluate("""() => new Promise((done) => {
      addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective));
      const script = document.createElement("script");
      script.textContent = "window.hacked = 6";
      document.body.append(script);
    })""")
    assert refused == "script-src-elem"
    assert page.evaluate("window.hacked") is None
    wrong.clear()  # the browser complains of it, as it should
