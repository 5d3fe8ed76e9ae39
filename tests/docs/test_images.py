"""The pictures of the documentation are what archc draws today."""

import os
from pathlib import Path

import pytest

import archc

ROOT = Path(__file__).parents[2]
IMAGES = {"encoder.svg": "specs/vq/nets.yaml#Encoder@iris"}


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_current(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = ROOT / "docs" / "images" / name
    picture = archc.draw(IMAGES[name])
    if os.environ.get("REWRITE"):
        path.write_text(picture, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == picture, (
        f"run: archc draw '{IMAGES[name]}' -o docs/images/{name}"
    )


def test_image_is_for_light_and_dark_pages() -> None:
    assert "prefers-color-scheme:dark" in (ROOT / "docs" / "images" / "encoder.svg").read_text(
        encoding="utf-8"
    )


def test_every_image_is_drawn() -> None:
    assert {path.name for path in (ROOT / "docs" / "images").iterdir()} == set(IMAGES)
