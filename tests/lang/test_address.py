"""Addresses and settings."""

from __future__ import annotations

import pytest

from archc.lang.address import Address, check_settings, parse_settings, python_settings, select
from archc.lang.project import Project
from archc.lang.schema import Block
from archc.lang.syntax import Call, Literal, Name, Sequence
from archc.source.diagnostic import Report
from archc.source.text import Source

SPEC = """
archc: 1
main: Net
blocks:
  Net:
    params: {C: int = 3, act: op = relu, acts: "op[] = []", mode: up | down = up}
    inputs: {x: [B, H]}
    flow: {out: x -> act}
    presets: {small: {C: 1}, v1.5-b: {}}
  Last: {inputs: {x: [B]}, flow: {out: x -> relu}}
"""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.yaml", ("a.yaml", None, None)),
        ("a.yaml#Net", ("a.yaml", "Net", None)),
        ("a.yaml@small", ("a.yaml", None, "small")),
        ("a.yaml#Net@v1.5-b", ("a.yaml", "Net", "v1.5-b")),
        ("-", ("-", None, None)),
        ("-#Net@small", ("-", "Net", "small")),
        (r"C:\nets\a.yaml#Net", (r"C:\nets\a.yaml", "Net", None)),
        ("C:a.yaml@small", ("C:a.yaml", None, "small")),
        ("/home/me@work/c#/a.yaml#Net", ("/home/me@work/c#/a.yaml", "Net", None)),
        ("me@work.yaml", ("me@work.yaml", None, None)),
        ("dir/a", ("dir/a", None, None)),
        ("ä ö.yaml@small", ("ä ö.yaml", None, "small")),
    ],
)
def test_an_address_has_three_parts(text: str, parts: tuple) -> None:
    report = Report()
    address = Address.parse(text, report)
    assert (address.path, address.block, address.preset) == parts
    assert str(address) == text
    assert report.ok


@pytest.mark.parametrize(
    "text", ["", "#Net", "@small", "a.yaml#", "a.yaml@", "a.yaml#Net@", "a.yaml#a b", "a#B#C", "x/"]
)
def test_what_is_no_address(text: str) -> None:
    report = Report()
    assert Address.parse(text, report) is None
    (error,) = report.diagnostics
    assert error.code == "A701" and error.help == "write `file.yaml#Block@preset`"


def choose(text: str) -> tuple[Block | None, Report]:
    report = Report()
    return select(Project(Source("a.yaml", SPEC), report=report), Address.parse(text, report), report), report


def test_the_block_of_an_address() -> None:
    assert choose("a.yaml")[0].name == "Net"
    assert choose("a.yaml#Last")[0].name == "Last"
    assert choose("a.yaml@v1.5-b")[0].name == "Net"


def test_without_main_the_last_block_is_taken() -> None:
    report = Report()
    project = Project(Source("a.yaml", SPEC.replace("main: Net", "")), report=report)
    assert select(project, Address("a.yaml"), report).name == "Last"


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("a.yaml#Nte", "A705", "did you mean `Net`?"),
        ("a.yaml#Encoder", "A705", "its blocks are `Net`, `Last`"),
        ("a.yaml@smal", "A706", "did you mean `small`?"),
        ("a.yaml@huge", "A706", "its presets are `small`, `v1.5-b`"),
        ("a.yaml#Last@small", "A706", "it has no presets"),
    ],
)
def test_unknown_blocks_and_presets(text: str, code: str, help: str) -> None:
    block, report = choose(text)
    assert block is None
    (error,) = report.diagnostics
    assert (error.code, error.help) == (code, help)


def test_settings_are_expressions_with_places() -> None:
    report = Report()
    found = parse_settings(["C=64", "ch = [1, 2]", "f=lambda_(3)", "eps=1e-6", "mode=down", "n=null"], report)
    assert report.ok
    kinds = [type(v) for v in found.values()]
    assert kinds == [Literal, Sequence, Call, Literal, Name, Literal]
    assert found["eps"].value == 1e-6 and found["n"].value is None
    assert found["ch"].span.source.name == "-p ch = [1, 2]" and found["ch"].span.text == "[1, 2]"


@pytest.mark.parametrize(
    ("items", "code", "at"),
    [
        (["C"], "A702", "C"),
        (["=3"], "A702", "=3"),
        (["a.b=3"], "A702", "a.b=3"),
        (["C=1", "C=2"], "A703", "C"),
        (["C=1 +"], "A205", "+"),
    ],
)
def test_wrong_settings(items: list[str], code: str, at: str) -> None:
    report = Report()
    parse_settings(items, report)
    (error,) = report.diagnostics
    assert (error.code, error.span.text) == (code, at)


class Integer:
    """As numpy's."""

    def __index__(self) -> int:
        return 7


def test_settings_in_python() -> None:
    block, report = choose("a.yaml")
    values = {
        "C": Integer(),
        "act": "gelu(approximate=true)",
        "acts": ["relu", "silu"],
        "mode": "down",
        "H": None,
    }
    found = python_settings(values, block, report)
    assert report.ok
    assert found["C"].value == 7 and found["H"].value is None and found["mode"].value == "down"
    assert isinstance(found["act"], Call) and [item.id for item in found["acts"].items] == ["relu", "silu"]
    python_settings({"C": {1: 2}}, block, report)
    assert [d.code for d in report.diagnostics] == ["A702"]


def test_a_setting_that_only_looks_like_a_number() -> None:
    class Several(Integer):
        def __index__(self) -> int:
            raise TypeError("only integer tensors of a single element can be converted to an index")

    block, report = choose("a.yaml")
    python_settings({"C": Several()}, block, report)
    assert [(d.code, d.message) for d in report.diagnostics] == [("A702", "a setting cannot be Several")]


def test_settings_of_what_is_not_there() -> None:
    block, report = choose("a.yaml")
    check_settings(block, parse_settings(["C=1", "H=2", "c=3", "W=3"], report), report)
    assert [(d.code, d.span.text) for d in report.diagnostics] == [("A707", "3"), ("A707", "3")]
    assert report.diagnostics[0].help == "did you mean `C`?"
