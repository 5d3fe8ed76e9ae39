"""Texts of a spec stay in their place in a document, whatever they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import archc
from archc.document.markdown import code, fence, line, link, prose, table
from archc.lang.links import page

PARSER = MarkdownIt("commonmark").enable("table")
PARSER.validateLink = lambda url: True  # other readers of Markdown take any address for one

HOSTILE = [
    "a <script>alert(1)</script> b",
    "</details>\n\n<details open>",
    "<!-- never closed",
    "<img src=x onerror=alert(1)>",
    "```yaml\nnever: closed",
    "~~~~\nclosed by fewer\n~~~",
    "# A heading\n\nAnother\n===\n\nAnd\n---",
    "a | b\n--- | ---\n1 | 2",
    "see [this](javascript:alert(1)) and [x]\n\n[x]: javascript:alert(2)",
    "[a](&#106;avascript:x) [b](java&Tab;script:x) [c](javascript\\:x) [d]( <javascript:x>)",
    "[a](\njavascript:x) [b](JavaScript&colon;x) [c [d](vbscript:x) e](data:x) \\\\[f](javascript:x)",
    "> [a]\n>\n> [a]: javascript:x\n\n- [b]\n- [b]:\n  &#106;avascript:x",
    '[`]: javascript:x "`"\n\n[`]',
    "[a\\](javascript:x) $[b](javascript:x)$ $$[c](javascript:x)$$ `[d`](javascript:x)",
    "$a<b$ and $x<script>y</script>$",
    "`<not a tag>` but <a tag>",
    "`` unbalanced ` ticks <b>",
    "\\`<b>\\`",
    "| `a|b` |",
    "<https://example.org/<b>>",
    "*unbalanced **emphasis",
    "- a list\n  - deeper\n\n1. numbers",
    "> quoted\n# in it",
    "\t# after a tab",
]


def tokens(text: str) -> Iterator[Token]:
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def spoiled(text: str) -> list[str]:
    """What of a text is neither prose nor code: tags, headings, links that run something."""
    return [
        token.type
        for token in tokens(text)
        if token.type in ("html_block", "html_inline", "heading_open")
        or (token.attrs.get("href") and not page(str(token.attrs["href"])))
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_doc_stays_in_its_place(text: str) -> None:
    assert spoiled(prose(text)) == []
    after = [token.type for token in PARSER.parse(prose(text) + "\n\n## Next\n")]
    assert after[-3:] == ["heading_open", "inline", "heading_close"]


@given(st.text(alphabet="ab `~<>/!-#=|$\\[]():\n*_", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_doc_stays_in_its_place(text: str) -> None:
    assert spoiled(prose(text)) == []
    after = [token.type for token in PARSER.parse(prose(text) + "\n\n## Next\n")]
    assert after[-3:] == ["heading_open", "inline", "heading_close"]


@given(st.text(alphabet="ab `<>|$\\[]():\n*_#", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_stays_in_its_cell(text: str) -> None:
    rows = [
        token.type for token in PARSER.parse(table(["a", "b"], [[line(text), "end"], ["x", "y"]], keep=2))
    ]
    assert rows.count("tr_open") == 3 and rows.count("td_open") == 4
    assert spoiled(table(["a", "b"], [[line(text), "end"]])) == []


@given(st.text(alphabet="ab `|<\\", min_size=1, max_size=20).filter(str.strip))
@settings(max_examples=300, deadline=None)
def test_code_is_what_it_was(text: str) -> None:
    found = [token for token in tokens(f"x {code(text)} y") if token.type == "code_inline"]
    assert [token.content.strip() for token in found] == [text.strip()]


@given(st.text(alphabet="ab `~\n", max_size=40))
@settings(max_examples=200, deadline=None)
def test_a_fence_holds_all_of_its_text(text: str) -> None:
    found = PARSER.parse(fence(text, "text") + "\n\nafter\n")
    assert found[0].type == "fence" and found[0].content == text.rstrip() + "\n"
    assert found[-2].content == "after"


@pytest.mark.parametrize(
    "text",
    [
        "*em* and **strong** and `code` and [a link](https://example.org)",
        "$a \\in \\mathbb{R}^{B \\times C}$ and $x < y$",
        "$$\na = \\frac{1}{2}\n$$",
        "```python\nx <b> # y\n```",
        "- one\n- two",
        "<https://example.org>",
        "a < b and 3 <4",
    ],
)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert prose(text) == text


def test_an_address_with_brackets_stays_one() -> None:
    (found,) = [t for t in tokens(link("x", "a (b)/c.yaml#L3")) if t.type == "link_open"]
    assert found.attrs["href"] == "a%20(b)/c.yaml#L3"


def test_a_hostile_spec_gives_a_whole_document(tmp_path: Path) -> None:
    plain, hostile = (tmp_path / f"{name}.yaml" for name in ("plain", "hostile"))
    plain.write_text(spec("fine"), encoding="utf-8")
    hostile.write_text(spec("\n\n".join(HOSTILE)), encoding="utf-8")
    shapes = []
    for path in (plain, hostile):
        target = path.with_suffix(".md")
        archc.docs(path, target, title="A title")
        text = target.read_text(encoding="utf-8")
        found = [t for t in PARSER.parse(text) if t.type in ("heading_open", "table_open")]
        tags = [re.sub("<b>.*</b>", "", t.content) for t in PARSER.parse(text) if t.type == "html_block"][1:]
        shapes.append(([t.type for t in found if t.level == 0], tags))
    assert shapes[0] == shapes[1]


def spec(doc: str) -> str:
    """A spec that says a text wherever it may say one."""
    import json

    said = json.dumps(doc)
    return f"""\
archc: 1
doc: {said}
blocks:
  Net:
    doc: {said}
    params: {{n: {{type: int, default: 4, doc: {said}}}}}
    require: [{{"n > 0": {said}}}]
    inputs: {{x: {{shape: "[B, n]", doc: {said}}}}}
    nodes: {{fc: {{call: linear(n), doc: {said}, label: {said}}}}}
    flow: {{y: x -> fc}}
    outputs: {{y: {{value: y, doc: {said}}}}}
    groups: {{part: {{of: [y], label: {said}}}}}
"""
