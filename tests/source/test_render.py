"""How diagnostics look, character by character."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.source.diagnostic import Diagnostic, Frame, Related, Report, SpecError, did_you_mean
from archc.source.render import render, summary, to_json
from archc.source.text import Source, Span

UNET = Source(
    "unet.yaml",
    "blocks:\n"
    "  A:\n"
    "    flow:\n"
    "      r: h + t -> norm2 -> 漢字 + é\n"
    "      s: x\n"
    "\ty: z\n"
    "      q: r\n"
    "      last: line\n",
)
OTHER = Source("dir/other.yaml", "a: b\nc: d\n")


def at(words: str, source: Source = UNET) -> Span:
    start = source.text.index(words)
    return Span(source, start, start + len(words))


def within(words: str, part: str) -> Span:
    start = at(words).start + words.index(part)
    return Span(UNET, start, start + len(part))


def shown(message: str, span: Span | None, **more: object) -> str:
    return render([Diagnostic("A020", message, span, **more)])  # type: ignore[arg-type]


def looks(text: str, expected: str) -> None:
    assert text == expected.strip("\n")


def test_all_parts() -> None:
    related = (
        Related(within("h + t", "h"), "this is [B, 64, H, W]"),
        Related(within("h + t", "t"), "this is [B, 128, H, W]"),
        Related(at("last: line"), "first used here"),
        Related(at("d", OTHER), "defined here"),
    )
    trace = (Frame(at("s: x"), "in `ResnetBlock`, copy 2 of `down`"), Frame(at("q: r"), "in `Down`"))
    text = shown(
        "cannot add\nthem", at("h + t"), help="write `conv2d(64)`\nor not", related=related, trace=trace
    )
    looks(
        text,
        """
error[A020]: cannot add
  them
 --> unet.yaml:4:10
  |
4 |       r: h + t -> norm2 -> 漢字 + é
  |          -^^^- this is [B, 128, H, W]
  |          |
  |          this is [B, 64, H, W]
...
8 |       last: line
  |       ---------- first used here
 ::: dir/other.yaml:2:4
  |
2 | c: d
  |    - defined here
  |
  = in `ResnetBlock`, copy 2 of `down`, used at unet.yaml:5:7
  = in `Down`, used at unet.yaml:7:7
  = help: write `conv2d(64)`
          or not
""",
    )


def test_wide_characters_and_labels_below() -> None:
    related = (Related(at("norm2"), "a norm"), Related(at("漢"), "the first"))
    looks(
        shown("wide", at("字"), related=related),
        """
error[A020]: wide
 --> unet.yaml:4:29
  |
4 |       r: h + t -> norm2 -> 漢字 + é
  |                   -----    --^^
  |                   |        |
  |                   |        the first
  |                   a norm
""",
    )


def test_tabs() -> None:
    looks(
        shown("tab", at("z")),
        """
error[A020]: tab
 --> unet.yaml:6:5
  |
6 |     y: z
  |        ^
""",
    )


def test_a_line_between_is_shown() -> None:
    looks(
        shown("near", at("s: x"), related=(Related(at("q: r"), "and here"),)),
        """
error[A020]: near
 --> unet.yaml:5:7
  |
5 |       s: x
  |       ^^^^
6 |     y: z
7 |       q: r
  |       ---- and here
""",
    )


def test_span_of_several_lines() -> None:
    span = Span(UNET, at("r: h").start, at("q: r").end)
    looks(
        shown("lines", span, help="x", related=(Related(at("s: x"), "here"),)),
        """
error[A020]: lines
 --> unet.yaml:4:7
  |
4 | /       r: h + t -> norm2 -> 漢字 + é
5 | |       s: x
  | |       ---- here
6 | |     y: z
7 | |       q: r
  | |__________^
  |
  = help: x
""",
    )


def test_span_of_many_lines_is_cut_in_the_middle() -> None:
    source = Source("many.yaml", "".join(f"l{i}: x\n" for i in range(1, 31)))
    looks(
        shown("many", Span(source, source.starts[8], source.starts[28])),
        """
error[A020]: many
  --> many.yaml:9:1
   |
 9 | / l9: x
10 | | l10: x
11 | | l11: x
12 | | l12: x
...  |
27 | | l27: x
28 | | l28: x
   | |______^
""",
    )


def test_long_line_is_cut_around_the_caret() -> None:
    source = Source("long.yaml", "key: " + "a + " * 100 + "BAD" + " + b" * 100)
    span = at("BAD", source)
    text = render(
        [Diagnostic("A020", "long", span, None, (Related(at("key", source), "of this"),))], width=60
    )
    looks(
        text,
        """
error[A020]: long
 --> long.yaml:1:406
  |
1 | key: a + a + a + a + a + a + a + a + a + a + a + a + …
  | --- of this
1 | … a + a + a + a + BAD + b + b + b + b + b + b + b + b …
  |                   ^^^
""",
    )


def test_end_of_file_and_no_place() -> None:
    end = len(UNET.text)
    assert shown("end", Span(UNET, end, end)).endswith("9 |\n  | ^")
    assert shown("nothing", None, help="do") == "error[A020]: nothing\n  = help: do"


def test_nothing_that_moves_the_cursor() -> None:
    source = Source("a\x1b]0;.yaml", "a: \x1b[31m\u202eb\xa0\n")
    text = render([Diagnostic("A020", "m\x1b[0m", Span(source, 3, 4), "h\x07")])
    assert text.replace("\n", "").isprintable() and "b\u2423" in text


def test_colour() -> None:
    item = Diagnostic("A020", "message", at("s: x"), "do", (Related(at("q: r"), "here"),))
    colored = render([item], color=True)
    assert "\x1b[1;31merror[A020]\x1b[0m" in colored and "\x1b[1;31m^^^^\x1b[0m" in colored
    assert "\x1b[1;34m---- here\x1b[0m" in colored or "\x1b[1;34m----\x1b[0m" in colored
    plain = colored
    for code in ("0", "1", "1;31", "1;34", "1;36"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == render([item])


def test_many_frames_and_many_diagnostics() -> None:
    trace = tuple(Frame(at("s: x"), f"in `B{i}`") for i in range(40))
    text = shown("deep", at("s: x"), trace=trace)
    assert "... 34 more steps ..." in text and "`B0`" in text and "`B39`" in text and "`B20`" not in text
    items = [Diagnostic("A020", f"m{i}", at("s: x")) for i in range(250)]
    assert render(items).endswith("\n\n... and 150 more")
    assert summary(items) == "250 errors" and summary(items[:1]) == "1 error" and summary([]) == ""


@given(st.text(max_size=30), st.text(min_size=1, max_size=8), st.text(max_size=200), st.integers(40, 120))
def test_any_text_is_shown(before: str, words: str, behind: str, width: int) -> None:
    source = Source("any.yaml", before + words + behind)
    text = render(
        [Diagnostic("A020", "any", Span(source, len(before), len(before) + len(words)))], width=width
    )
    assert "^" in text
    for line in text.split("\n"):
        cells = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)
        assert cells - sum(unicodedata.category(char) in ("Mn", "Me", "Cf") for char in line) <= width + 2


def test_json() -> None:
    item = Diagnostic(
        "A020", "m", at("h + t"), "do", (Related(at("d", OTHER), "here"),), (Frame(at("q: r"), "in `A`"),)
    )
    place = {"file": "unet.yaml", "line": 4, "column": 10, "end_line": 4, "end_column": 15}
    assert to_json([item, Diagnostic("A001", "n", None)]) == [
        {
            "code": "A020",
            "severity": "error",
            "message": "m",
            **place,
            "help": "do",
            "related": [
                {
                    "message": "here",
                    "file": "dir/other.yaml",
                    "line": 2,
                    "column": 4,
                    "end_line": 2,
                    "end_column": 5,
                }
            ],
            "trace": [
                {
                    "message": "in `A`",
                    "file": "unet.yaml",
                    "line": 7,
                    "column": 7,
                    "end_line": 7,
                    "end_column": 11,
                }
            ],
        },
        {
            "code": "A001",
            "severity": "error",
            "message": "n",
            **dict.fromkeys(("file", "line", "column", "end_line", "end_column", "help")),
            "related": [],
            "trace": [],
        },
    ]


def test_report() -> None:
    report = Report()
    report.raise_if_wrong()
    report.error("A020", "m", at("s: x"))
    report.error("A020", "m", at("s: x"), help="said again")
    report.error("A020", "m", at("q: r"))
    assert len(report.diagnostics) == 2 and not report.ok
    with pytest.raises(SpecError) as error:
        report.raise_if_wrong()
    assert error.value.diagnostics == report.diagnostics and "unet.yaml:5:7" in str(error.value)


def test_did_you_mean() -> None:
    assert did_you_mean("conv2", ["linear", "conv2d"]) == "conv2d"
    assert did_you_mean("resnetblock", ["ResnetBlock"]) == "ResnetBlock"
    assert did_you_mean("xyz", ["linear"]) is None
    assert did_you_mean("x", []) is None
