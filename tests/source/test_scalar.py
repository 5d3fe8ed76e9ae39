"""Values of the core schema, and `Scalar.sub` on every style of scalar."""

import math

import pytest
import yaml as pyyaml
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.source.diagnostic import Report
from archc.source.scalar import resolve
from archc.source.text import Source
from archc.source.tree import Mapping, Scalar
from archc.source.yaml import parse


def scalar(text: str, name: str = "k") -> Scalar:
    report = Report()
    tree = parse(Source("spec.yaml", text), report)
    assert report.ok, report.diagnostics
    assert isinstance(tree, Mapping)
    node = tree.get(name)
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-6", 1e-6),
        ("1E5", 1e5),
        ("-1", -1),
        ("+12", 12),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        (".INF", math.inf),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("", None),
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("off", "off"),
        ("y", "y"),
        ("nULL", "nULL"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("12:30:00", "12:30:00"),
        ("2001-01-01", "2001-01-01"),
        ("0x", "0x"),
        ("-0x1F", "-0x1F"),
        ("1e", "1e"),
        (".", "."),
        ("-", "-"),
        ("inf", "inf"),
        ("٣", "٣"),
    ],
)
def test_core_schema(text: str, value: object) -> None:
    got = resolve(text)
    assert got == value and type(got) is type(value)


def test_nan() -> None:
    assert math.isnan(resolve(".nan"))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ['k: "1"', "k: '1'", "k: |-\n  1", "k: >-\n  1"])
def test_quoted_is_text(text: str) -> None:
    assert scalar(text).value == "1"


@pytest.mark.parametrize("digits", ["9" * 5000, "0x" + "f" * 5000, "1" * 5000 + ".5", "-" + "1" * 9999])
def test_a_number_of_thousands_of_digits_is_refused(digits: str) -> None:
    report = Report()
    assert parse(Source("spec.yaml", f"k: {digits}\nl: 1"), report) is None
    assert [item.code for item in report.diagnostics] == ["A019"]
    assert resolve(digits) == digits


def covers(text: str, part: str) -> None:
    """`sub` finds a word that stands once in the source, whatever the style of its scalar."""
    node = scalar(text)
    i = node.text.index(part)
    span = node.sub(i, i + len(part))
    assert span.text == part
    assert span.start == text.index(part)


@pytest.mark.parametrize(
    "text",
    [
        "k: a WORD b",
        "k: &anchor a WORD b",
        "k: &anchor   # a comment\n   a WORD b",
        "k: 'it''s a WORD b'",
        r'k: "a \t\x41\u00e9\U0001F600\" WORD b"',
        "k: é😀漢 WORD b",
        "k: a\n  b\n\n\n  WORD c",
        "k: 'a\n\n  b\n  WORD c'",
        'k: "a\n\n  b   \n  WORD c"',
        'k: "a\\\n   b\\\n\n  \\  WORD c"',
        "k: |\n  a\n\n    b\n  WORD c\n",
        "k: |2\n    a\n   WORD c\n",
        "k: >\n  a\n  b\n\n    more\n    deep\n\n  WORD c\n",
        "k: >-  # comment\n\n\n  a\n  b\n  WORD c\n\n\n",
        "k: |+\n  a\n  WORD c\n\n\n",
        "k: a\r\n  b\r\n\r\n  WORD c\r\nl: 1\r\n",
        "k: |\r\n  a\r\n\r\n  WORD c\r\n",
        'k: "a\r\n  b \\\r\n  WORD c"\r\n',
    ],
)
def test_sub_finds_the_word(text: str) -> None:
    covers(text, "WORD")


def test_sub_of_nothing() -> None:
    node = scalar("k: 'a b'")
    assert node.sub(2, 2).start == 6 and node.sub(3, 3).start == 7 and node.sub(2, 2).text == ""
    assert scalar("k: ''").sub(0, 0).text == ""


def test_sub_of_line_breaks_alone() -> None:
    assert scalar("k: |+\n\n\n").sub(0, 1).start == 6


def test_sub_across_a_fold_covers_the_line_break() -> None:
    assert scalar("k: ab\n   cd").sub(1, 4).text == "b\n   c"


STYLES = [None, "'", '"', "|", ">"]
TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab cd  \n'\"\\:#,[]{}é漢😀"),
        st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"], exclude_characters="\ufeff"),
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(text=TEXTS, style=st.sampled_from(STYLES), width=st.integers(5, 40), unicode=st.booleans())
def test_sub_maps_back_to_the_right_characters(
    text: str, style: str | None, width: int, unicode: bool
) -> None:
    written = pyyaml.dump({"k": text}, default_style=style, width=width, allow_unicode=unicode)
    node = scalar(written)
    assert node.text == text
    before = node.start
    for i, char in enumerate(text):
        span = node.sub(i, i + 1)
        assert before <= span.start < span.end <= max(node.end, node.start + len(written))
        before = span.end
        if char == "\n":
            assert span.text in ("\n", "\\n")
        elif char == " ":
            assert span.text in (" ", "\n", "\\ ")
        elif node.style == "double":
            assert pyyaml.safe_load(f'"{span.text}"') == char
        else:
            assert span.text == ("''" if node.style == "single" and char == "'" else char)
