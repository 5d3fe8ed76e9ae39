"""Pictures in pixels: sharp, whole, with letters of their own."""

from __future__ import annotations

import io
import sys

import pytest
from PIL import Image, ImageChops

import archc
from archc.draw.draw import draw
from archc.draw.formats import png as png_module
from archc.draw.formats.fonts import font, lacking, lacking_note
from archc.draw.formats.marking import marks
from archc.draw.formats.marks import Text, flat
from archc.draw.formats.png import png
from archc.draw.formats.sheet import Sheet, sheet
from archc.draw.limits import TooLarge
from archc.draw.options import DrawError, Options
from archc.draw.scene.items import Box, Frame, Scene
from archc.draw.scene.stage import scene


def opened(picture: str | bytes) -> Image.Image:
    assert isinstance(picture, bytes)
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image.convert("RGB")


def titled(title: str) -> Sheet:
    return sheet(Scene("", [], Frame("a", "a", items=[Box("b", title)])))


def changed(a: bytes, b: bytes) -> tuple[int, int, int, int] | None:
    """The part in which two pictures of one size differ."""
    return ImageChops.difference(opened(a), opened(b)).getbbox()


def test_a_picture_is_twice_the_sheet_on_white(model) -> None:
    drawing = sheet(scene(model.graph))
    image = opened(png(drawing))
    assert image.size == (2 * drawing.width, 2 * drawing.height)
    assert image.getpixel((0, 0)) == (255, 255, 255)
    assert len(image.getcolors(1 << 24) or []) > 50


def test_a_picture_says_who_drew_it_and_how_large_it_is() -> None:
    image = Image.open(io.BytesIO(png(titled("a"))))
    assert image.info["Software"] == "Drawn by archc"
    assert [round(dots) for dots in image.info["dpi"]] == [192, 192]


def test_every_text_is_drawn_in_its_room(checked) -> None:
    """Each text changes the picture where it was measured to stand, and nowhere else."""
    drawing = sheet(scene(checked("encoder"), Options(level=0, insets=False)))
    texts = [mark for mark in flat(marks(drawing)) if isinstance(mark, Text)]
    assert len(texts) > 20
    image, bare = opened(png(drawing)), opened(_without_texts(drawing))
    rest = ImageChops.difference(image, bare)
    for text in texts:
        x, y, w, h = (2 * value for value in text.box)
        room = (int(x) - 1, int(y) - 1, int(x + w) + 2, int(y + h) + 2)
        assert rest.crop(room).getbbox(), text
        rest.paste((0, 0, 0), room)
    assert rest.getbbox() is None


def _without_texts(drawing: Sheet) -> bytes:
    class Bare(png_module._Outlined):
        def text(self, text: Text) -> str:
            return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(png_module, "_Outlined", Bare)
        return png(drawing)


@pytest.mark.parametrize("sign", list("→×·−‖≡√÷≤≥≠…+@²ᵀ∞–éßΣжế"))
def test_signs_that_diagrams_use_have_letters(sign: str) -> None:
    assert font("png").has(sign)
    assert changed(png(titled(f"a{sign}")), png(titled("a "))) or sign == " "


def test_a_letter_that_the_font_lacks_is_a_box_with_its_number(checked) -> None:
    korean = titled("주의")
    assert lacking(marks(korean), font("png")) == ["의", "주"]
    # Each has its own number: they differ from each other and from a blank.
    pictures = [png(titled(title)) for title in ("주의", "의주", "주주", "\u3000\u3000")]
    assert len(set(pictures)) == 4
    assert all(changed(pictures[0], other) for other in pictures[1:3])


def test_letters_that_the_font_lacks_are_told() -> None:
    fc = "{call: linear(8), label: '주의 b'}"
    spec = f"archc: 1\nblocks: {{A: {{inputs: {{x: '[B, 8]'}}, nodes: {{fc: {fc}}}, flow: {{y: x -> fc}}}}}}"
    notes: list[str] = []
    draw(archc.graph(archc.text(spec)), "png", tell=notes.append)
    (note,) = notes
    assert note.startswith("png has no letter for 의, 주: boxes")
    assert lacking_note(titled("\x1b[31m"), "png").startswith("png has no letter for U+001B: boxes")
    draw(archc.graph(archc.text(spec)), "svg", tell=notes.append)
    assert len(notes) == 1


def test_letters_from_right_to_left_are_not_drawn_in_the_wrong_order() -> None:
    assert not font("png").has("א") and font("png").has("1")


def test_widths_are_those_that_boxes_are_measured_with() -> None:
    """The font is as wide as the table of widths says, to a hundredth, in all of ASCII."""
    letters = font("png")
    for bold in (False, True):
        for code in range(32, 127):
            text = Text(0, 0, chr(code) * 10, 10, bold=bold)
            assert letters.width(text.text, bold) * 10 / letters.unit == pytest.approx(text.w, rel=0.01)


def test_what_is_wider_than_its_room_is_drawn_narrower() -> None:
    letters = font("png")
    wide = Text(100, 0, "\u2031" * 10, 10, anchor="middle")  # wider than what is taken for unknown letters
    start, stretch = letters.fit(wide)
    assert letters.has("\u2031") and stretch < 1
    assert start == pytest.approx(100 - wide.w / 2)


def test_no_font_of_the_system_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    import resvg_py

    def render(**options):
        asked.update(options)
        return real(**options)

    real = resvg_py.svg_to_bytes
    monkeypatch.setattr(resvg_py, "svg_to_bytes", render)
    png(titled("a"))
    assert asked["skip_system_fonts"] is True
    assert "<text" not in str(asked["svg_string"]) and "font" not in str(asked["svg_string"])


def test_too_large_a_picture_is_drawn_smaller_then_refused() -> None:
    base = titled("a")
    large = Sheet(base.title, [], base.heading, base.panels, base.legend, 10_000, 40)
    assert opened(png(large)).size == (10_000, 40)
    for width, height in ((16_001, 40), (15_000, 15_000)):
        larger = Sheet(base.title, [], base.heading, base.panels, base.legend, width, height)
        with pytest.raises(TooLarge, match=f"png holds at most 16,000 px a side .* not {width:,}"):
            png(larger)


def test_what_is_too_large_is_closed(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = checked("encoder")
    notes: list[str] = []
    heights = {n: sheet(scene(graph, Options(level=n, insets=False))).height for n in (0, 1)}
    assert heights[0] < heights[1]
    monkeypatch.setattr(png_module, "MOST_SIDE", heights[0] + 50)  # for a line that says so
    image = opened(draw(graph, "png", Options(level=2, insets=False), tell=notes.append))
    assert image.height <= heights[0] + 50
    (note,) = notes
    assert note.startswith("opened to level 0 only: png holds at most")


def test_what_is_too_large_even_when_closed_is_refused(checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_module, "MOST_SIDE", 50)
    with pytest.raises(DrawError, match="Encoder is too large even when it is closed: png holds at most 50"):
        draw(checked("encoder"), "png")


@pytest.mark.parametrize("module", ["resvg_py", "fontpkg_arimo", "fontTools.ttLib"])
def test_a_missing_package_is_one_line(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    font.cache_clear()
    with pytest.raises(DrawError) as caught:
        png(titled("a"))
    assert str(caught.value) == "png needs a package that is not here; pip install 'archc[png]'"
    font.cache_clear()
