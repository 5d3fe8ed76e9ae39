"""The pictures of the documentation are what archc draws today."""

import re
from pathlib import Path
from typing import Any

import pytest

import archc

ROOT = Path(__file__).parents[2]
ENCODER = "specs/vq/nets.yaml#Encoder@iris"
IMAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "encoder.svg": (ENCODER, {}),
    "closed.svg": (ENCODER, {"level": 0, "insets": False}),
    "across.svg": (ENCODER, {"level": 1, "direction": "LR", "compact": True, "insets": False}),
    "unbound.svg": ("specs/vq/nets.yaml#SamplerBlock", {"insets": False}),
    "residual.svg": ("specs/vq/nets.yaml#ResnetBlock", {}),
    "tutorial.svg": ("encoder.yaml", {}),
}


@pytest.mark.parametrize("name", IMAGES)
def test_image_is_current(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    (tmp_path / "encoder.yaml").write_text(of_tutorial("encoder.yaml"), encoding="utf-8")
    path = ROOT / "docs" / "images" / name
    address, options = IMAGES[name]
    picture = archc.draw(address, **options)
    assert isinstance(picture, str)
    if request.config.getoption("--golden"):
        path.write_text(picture, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == picture, (
        "look at it, and run: pytest --golden tests/docs/test_images.py"
    )


def of_tutorial(file: str) -> str:
    """The last form of a spec of the tutorial."""
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    return re.findall(rf"^```yaml file={file}[^\n]*\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[-1]


def test_image_is_for_light_and_dark_pages() -> None:
    assert "prefers-color-scheme:dark" in (ROOT / "docs" / "images" / "encoder.svg").read_text(
        encoding="utf-8"
    )


def test_every_image_is_drawn() -> None:
    """That of a bench has a test of its own."""
    assert {path.name for path in (ROOT / "docs" / "images").iterdir()} == {*IMAGES, "bench.svg"}
