"""Pages of charts in Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archc.draw.formats.html import html
from archc.draw.options import Options

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        missing = "there is no chromium: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def wrong() -> Iterator[list[str]]:
    """What pages ask of the network, and complain of: at the end of a test, nothing."""
    found: list[str] = []
    yield found
    assert not found


@pytest.fixture
def show(browser: Any, checked: Any, tmp_path: Path, wrong: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens the page of a Graph, or of one of ADDRESSES by its name."""
    contexts = []

    def open_page(model: Any, address: str = "", options: Options | None = None, **settings: Any) -> Any:
        target = tmp_path / "chart.html"
        if isinstance(model, str):
            model = checked(model)
        target.write_text(html(model, options or Options()), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **settings})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))

        def asked(request: Any) -> None:
            if not request.url.startswith(("file:", "data:")):
                wrong.append(request.url)

        page.on("request", asked)
        page.goto(target.as_uri() + address)
        return page

    yield open_page
    for context in contexts:
        context.close()
