"""Pages: one of the sheet's size, with text that can be found and links that lead somewhere."""

from __future__ import annotations

import io
import sys

import pypdf
import pypdfium2
import pytest

from archc.draw.formats.fonts import font
from archc.draw.formats.marking import marks
from archc.draw.formats.marks import Group, Text, bounds, flat
from archc.draw.formats.pdf import POINT, pdf
from archc.draw.formats.sheet import Sheet, sheet
from archc.draw.limits import TooLarge
from archc.draw.options import DrawError
from archc.draw.scene.items import Box, Frame, Scene
from archc.draw.scene.stage import scene

Area = tuple[float, ...]


def titled(*boxes: Box) -> Sheet:
    return sheet(Scene("A & B", ["one", "two"], Frame("a", "a", items=list(boxes))))


def page(written: bytes) -> pypdf.PageObject:
    reader = pypdf.PdfReader(io.BytesIO(written), strict=True)
    assert len(reader.pages) == 1
    return reader.pages[0]


def links(written: bytes) -> list[tuple[Area, str | Area]]:
    """Each link: its place, and the address or the point of the page that it leads to."""
    found = []
    for reference in page(written).get("/Annots", []):
        link = reference.get_object()
        assert link["/Subtype"] == "/Link"
        if "/Dest" in link:
            _, fit, x, y, _ = link["/Dest"].get_object()
            assert fit == "/XYZ"
            target: str | Area = (float(x), float(y))
        else:
            target = str(link["/A"]["/URI"])
        found.append((tuple(float(value) for value in link["/Rect"]), target))
    return found


def on_page(box: Area, drawing: Sheet) -> Area:
    """A place on a sheet, in points from below: left, bottom, right, top."""
    left, top, right, bottom = box
    height = drawing.height
    return tuple(v * POINT for v in (left, height - bottom, right, height - top))


def test_one_page_of_the_sheets_size(model) -> None:
    drawing = sheet(scene(model.graph))
    written = pdf(drawing)
    assert [float(v) for v in page(written).mediabox] == [0, 0, drawing.width * POINT, drawing.height * POINT]


def test_all_texts_can_be_found_where_they_stand(checked) -> None:
    """What a PDF program reads back is each text, within its room."""
    drawing = sheet(scene(checked("encoder")))
    written = pypdfium2.PdfDocument(pdf(drawing))[0].get_textpage()
    texts = [mark for mark in flat(marks(drawing)) if isinstance(mark, Text)]
    assert len(texts) > 50
    for text in texts:
        left, top, w, h = text.box
        area = on_page((left - 1, top - 1, left + w + 1, top + h + 1), drawing)
        found = " ".join(written.get_text_bounded(*area).split())
        assert " ".join(text.text.split()) in found, (text.text, found)


def test_letters_have_their_shapes(checked) -> None:
    """Regular and bold are two fonts: every text leaves ink in its room, bold ones more."""
    drawing = titled(Box("a", "modulation"), Box("b", "b", detail="modulation"))
    image = pypdfium2.PdfDocument(pdf(drawing))[0].render(scale=4).to_pil().convert("L")
    ink = {}
    for text in flat(marks(drawing)):
        if isinstance(text, Text) and text.text == "modulation":
            box = [round(v * 4 * POINT) for v in (text.box[0], text.box[1], *bounds([text])[2:])]
            room = image.crop((box[0], box[1], box[2], box[3]))
            dark = sum(count for value, count in enumerate(room.histogram()) if value < 128)
            ink[text.bold] = dark / (room.width * room.height)
    assert ink[True] > 1.2 * ink[False] > 0.05


def test_what_the_file_tells_of_itself() -> None:
    written = pdf(titled(Box("a", "a")))
    assert b"Drawn by archc" in written[:4096]
    told = pypdf.PdfReader(io.BytesIO(written)).metadata
    assert told is not None
    assert (told.title, told.subject, told.creator) == ("A & B", "one; two", "archc")
    assert told.creation_date is not None and told.creation_date.year == 2000, "no clock is read"


def test_what_was_drawn_before_leaves_no_trace() -> None:
    drawing = titled(Box("a", "Жé"), Box("b", "b"))
    before = pdf(drawing)
    others = pdf(titled(Box("a", "Ж"), Box("b", "ß"), Box("c", "c", "c")))
    assert pdf(drawing) == before
    assert "Жé" in page(before).extract_text() and "ß" in page(others).extract_text()


def test_links_lead_to_insets_and_back(checked) -> None:
    drawing = sheet(scene(checked("encoder")))
    groups = [mark for mark in flat(marks(drawing)) if isinstance(mark, Group)]
    anchors = {group.anchor: bounds(group.marks) for group in groups if group.anchor}
    expected = []
    for group in groups:
        if group.link:
            left, top, _, _ = anchors[group.link[1:]]
            area = on_page(bounds(group.marks), drawing)
            expected.append((area, (left * POINT, (drawing.height - top) * POINT)))
    assert len(expected) > 5
    found = links(pdf(drawing))
    assert len(found) == len(expected)
    for (area, target), (wanted, where) in zip(sorted(found), sorted(expected), strict=True):
        assert area == pytest.approx(wanted, abs=0.1)
        assert target == pytest.approx(where, abs=0.1)


def test_links_lead_outside() -> None:
    drawing = titled(Box("a", "a", link="https://example.org/?a=1&b=(2)"), Box("b", "b", link="notes.md"))
    assert [target for _, target in links(pdf(drawing))] == ["https://example.org/?a=1&b=(2)"]


def test_a_letter_that_the_font_lacks_is_a_box_with_its_number() -> None:
    written = page(pdf(titled(Box("a", "주"), Box("b", "c")))).extract_text()
    assert "C8" in written and "FC" in written


def test_too_large_a_page_is_refused() -> None:
    base = titled(Box("a", "a"))
    for width in (19_200, 19_201):
        larger = Sheet(base.title, [], base.heading, base.panels, base.legend, width, 40)
        if width == 19_200:
            assert float(page(pdf(larger)).mediabox.width) == 14_400
        else:
            with pytest.raises(TooLarge, match="pdf holds at most 19,200 px a side, not 19,201 x 40"):
                pdf(larger)


@pytest.mark.parametrize("module", ["reportlab.pdfgen.canvas", "fontpkg_arimo", "fontTools.ttLib"])
def test_a_missing_package_is_one_line(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    font.cache_clear()
    with pytest.raises(DrawError) as caught:
        pdf(titled(Box("a", "a")))
    assert str(caught.value) == "pdf needs a package that is not here; pip install 'archc[pdf]'"
    font.cache_clear()
