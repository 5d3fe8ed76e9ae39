"""The documents that archc writes of its own specs are fresh and complete, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from archc.cli.main import main
from archc.document.markdown import Anchors
from archc.lang.project import Project
from archc.ops.table import TABLE, get

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "vq_nets.md"
PICTURES = ROOT / "docs" / "vq_nets"
COMMAND = ["docs", "specs/vq", "-o", "docs/vq_nets.md", "--title", "Networks of VQ image models"]
SPECS = [ROOT / "specs" / "vq" / f"{name}.yaml" for name in ("discriminator", "nets", "tokenizer", "unet")]

CHARTS = {
    "Encoder": ["conv_in", "down", "mid", "norm_out", "swish", "conv_out"],
    "Decoder": ["conv_in", "mid", "up", "norm_out", "swish", "conv_out"],
    "SamplerBlock": ["layer", "sampler", "attention", "time_emb"],
    "MidBlock": ["block_1", "attn_1", "block_2", "time_emb"],
    "ResnetBlock": ["norm1", "conv1", "time_proj", "norm2", "drop", "conv2", "shortcut", "block1", "block2"],
    "AttentionBlock": ["norm", "q", "k", "v", "proj_out"],
    "AttentionBlock-1": ["norm", "q", "k", "v", "query, key, value"],
    "AttentionBlock-2": ["proj_out", "attention, projection, residual"],
    "Upsample": ["upsample", "conv", "with_conv"],
    "Downsample": ["pad", "conv", "avg_pool2d", "with_conv"],
}
"""The charts that the design of these networks began with, and what each has to show."""


@pytest.fixture(scope="module")
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """A section of the page, without the sections after it."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def words(name: str) -> str:
    """The texts of a picture."""
    svg = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    return " ".join(re.findall(r">([^<>]+)<", svg))


def test_document_is_fresh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if request.config.getoption("--golden"):
        assert main(COMMAND) == 0
    assert main([*COMMAND, "--check"]) == 0, "look at it, and run: pytest --golden tests/docs"


def test_no_picture_is_left_over(text: str) -> None:
    shown = set(re.findall(r"\]\(vq_nets/([\w-]+\.svg)\)", text))
    assert shown == {path.name for path in PICTURES.iterdir()}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_of_the_design_has_its_counterpart(name: str, text: str) -> None:
    assert f"](vq_nets/{name}.svg)" in section(text, name.partition("-")[0])
    shown = words(name)
    assert [word for word in CHARTS[name] if word not in shown] == []


def test_the_mathematics_of_attention_is_there(text: str) -> None:
    told = section(text, "AttentionBlock")
    for formula in (
        r"x \in \mathbb{R}^{B \times C \times H \times W}",
        r"q, k, v \in \mathbb{R}^{B \times C \times H \times W}",
        r"\bar q, \bar k, \bar v = \mathrm{flat}(q), \mathrm{flat}(k), \mathrm{flat}(v)",
        r"\in \mathbb{R}^{B \times HW \times C}",
        r"\mathrm{softmax}\bigl(s \bar q \bar k^\top\bigr) \in \mathbb{R}^{B \times HW \times HW}",
        r"a_{ij} = \mathrm{sim}(q_i, k_j)",
        r"y = a \bar v",
        r"s = 1 / (HW)",
        r"x + W_o y",
    ):
        assert formula in told, formula


def test_the_mathematics_of_swish_is_there_and_linked(text: str) -> None:
    assert r"\mathrm{swish}(x) = x \cdot \sigma(x)" in section(text, "swish")
    assert re.search(r'^ *click \w+ "#swish"', section(text, "ResnetBlock"), re.MULTILINE)
    assert "../vq_nets.md#swish" in (PICTURES / "ResnetBlock.svg").read_text(encoding="utf-8")


def test_charts_lead_to_the_blocks_that_they_show(text: str) -> None:
    for name, boxes, frames in [
        ("MidBlock", ["resnetblock", "attentionblock"], []),
        ("SamplerBlock", ["resnetblock", "attentionblock"], ["layer"]),
        ("Encoder", ["resnetblock", "attentionblock", "swish"], ["samplerblock", "midblock"]),
        ("Tokenizer", ["encoder", "decoder", "quantizer"], []),
    ]:
        svg = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        for anchor in boxes:
            assert re.search(rf'^ *click \w+ "#{anchor}"', section(text, name), re.MULTILINE), anchor
        for anchor in boxes + frames:
            assert f'"../vq_nets.md#{anchor}"' in svg, anchor


def test_everything_that_the_specs_declare_is_told(text: str) -> None:
    for path in SPECS:
        for block in Project(path).entry.blocks.values():
            told = section(text, block.name)
            for part in (block.params, block.inputs, block.nodes, block.presets):
                for name in part:
                    assert f"| `{name}` |" in told, f"{block.name}: {name}"
            for param in block.params.values():
                assert param.doc and param.doc in told, f"{block.name}.{param.name} is not explained"
            for line in block.flow:
                assert ", ".join(name.id for name in line.names) + ":" in told
            for require in block.require:
                assert require.message in told


def test_links_lead_to_headings_and_files(text: str) -> None:
    anchors = headings(text)
    click = re.findall(r'^ *click \w+ (?:href )?"([^"]+)"', text, re.MULTILINE)
    assert len(click) > 30
    for link in [
        *re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)),
        *click,
    ]:
        if link.startswith("#"):
            assert link in anchors, link
        elif not link.startswith("https://"):
            assert (PAGE.parent / link.partition("#")[0]).is_file(), link
    for picture in PICTURES.iterdir():
        for link in re.findall(r'href="([^"#]*#?[^"]*)"', picture.read_text(encoding="utf-8")):
            path, _, anchor = link.partition("#")
            assert not path or (PICTURES / path).resolve() == PAGE, link
            assert not path or f"#{anchor}" in anchors, link


def test_lines_of_the_sources_are_those_of_the_blocks(text: str) -> None:
    found = re.findall(r"\]\((\.\./specs/vq/\w+\.yaml)#L(\d+)\)", text)
    assert len(found) == 19
    for path, number in found:
        line = (PAGE.parent / path).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        assert re.fullmatch(r"  [A-Z]\w+:", line)


def test_pictures_say_what_they_show(text: str) -> None:
    described = re.findall(r"!\[([^\]]*(?:\\\][^\]]*)*)\]\(vq_nets/", text)
    assert len(described) == len(list(PICTURES.iterdir()))
    assert all(re.match(r"Chart of \w+.*: .+", alt) for alt in described)


def headings(text: str) -> set[str]:
    """The addresses of a page's headings, in their order, as a Markdown parser finds them."""
    anchors = Anchors()
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return {
        anchors.add("".join(child.content for child in inline.children or []))
        for opening, inline in zip(tokens, tokens[1:], strict=False)
        if opening.type == "heading_open"
    }


OTHERS = [ROOT / "specs" / "std", ROOT / "tests" / "emit" / "specs", ROOT / "tests" / "draw" / "shapes.yaml"]


@pytest.mark.parametrize("specs", OTHERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_any_spec_has_a_document(specs: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.md"
    assert main(["docs", str(specs), "-o", str(target)]) == 0
    text = target.read_text(encoding="utf-8")
    anchors = headings(text)
    for path in [specs] if specs.is_file() else specs.glob("*.yaml"):
        for block in Project(path).entry.blocks.values():
            assert f"](all/{block.name}" in text, block.name
    for link in re.findall(r"\]\((#[^)\s]+)\)", text):
        assert link in anchors, link
    assert main(["docs", str(specs), "-o", str(target), "--check"]) == 0


def test_formulas_are_read_by_every_renderer(text: str) -> None:
    """GitHub takes a backslash before a sign for Markdown's and drops it: none may stand in a formula."""
    found = [cls.formula for name in TABLE if (cls := get(name)) is not None and cls.formula]
    assert len(found) > 20
    bare = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    found += re.findall(r"\$\$(.*?)\$\$", bare, re.DOTALL)
    found += re.findall(r"\$([^$]+)\$", re.sub(r"\$\$.*?\$\$", "", bare, flags=re.DOTALL))
    for formula in found:
        assert formula.count("{") == formula.count("}"), formula
        assert not re.search(r"\\[^A-Za-z\n]", formula), formula
