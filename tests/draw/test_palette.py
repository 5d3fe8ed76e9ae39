"""The colours can be told apart, and what is written on them can be read, light and dark."""

from __future__ import annotations

import pytest

from archc.draw.formats.palette import DARK_INKS, DASHES, KINDS, LIGHT_INKS, colours, spec_ink


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_told_apart(dark: bool) -> None:
    """Borders stand out of the page, names out of the boxes, as WCAG 2 asks."""
    inks = DARK_INKS if dark else LIGHT_INKS
    own = ["#ff0000", "#ffff00", "#000000", "#ffffff", "#2563eb", "#00ff88"]
    for name in [*KINDS, "input", "output", "circle", "frame", "deep", *own]:
        pair = colours(name, dark)
        assert contrast(pair.fill, inks.text) >= 7, name
        assert contrast(pair.fill, inks.small) >= 4.5, name
        if name in own:
            assert contrast(pair.stroke, inks.page) >= 3, name
    assert contrast(colours("badge", dark).fill, inks.on_badge) >= 7
    for style in DASHES:
        assert contrast(inks[style], inks.page) >= 3, style


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_a_colour_of_the_spec_keeps_its_hue_and_is_no_other_text() -> None:
    assert [spec_ink(text) for text in ("#ABC", "#a1b2c3", "red", "#12345", 'url("x")', None)] == [
        "#aabbcc",
        "#a1b2c3",
        None,
        None,
        None,
        None,
    ]
    red, _, blue = (int(colours("#ee1111").fill[i : i + 2], 16) for i in (1, 3, 5))
    assert red > blue
