"""The README's tables: of the commands that there are, and of what was measured."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from archc.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/readme.py, which writes the table."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("readme", ROOT / "benchmarks" / "readme.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "readme", module)  # where dataclasses look for their module
    spec.loader.exec_module(module)
    return module


def test_commands() -> None:
    rows = re.findall(r"^\| `archc (\w+)` \| (.*) \|$", README, re.MULTILINE)
    assert rows == [(name, command.summary) for name, command in COMMANDS.items()]


def test_figures_are_those_of_the_page(benchmarks: ModuleType) -> None:
    found = benchmarks.sections(benchmarks.PAGE.read_text(encoding="utf-8"))
    assert benchmarks.readme(README, benchmarks.summary(found)) == README, (
        "run: python benchmarks/readme.py --table"
    )


def test_the_page_holds_what_benchmarks_print(benchmarks: ModuleType) -> None:
    page = benchmarks.PAGE.read_text(encoding="utf-8")
    found = benchmarks.sections(page)
    assert benchmarks.page(found) == page
    assert set(found) <= set(benchmarks.SCRIPTS)
    for name in benchmarks.SCRIPTS:
        assert (ROOT / "benchmarks" / f"{name}.py").is_file()


def test_a_line_is_a_cell_or_the_range_of_several(benchmarks: ModuleType) -> None:
    printed = (
        "A machine, load 1.0, torch 2\n\n### In parts\n\n| net | pass | archc |\n| --- | ---: | ---: |\n"
        "| a | forward | 0.91 ± 0.01 |\n| b | forward | 0.97 |\n| a | both | 1.00 |\n"
    )
    line = benchmarks.Line("a forward", "eager", "In parts", "archc", {"pass": "forward"}, "the original")
    tables = benchmarks.tables(printed)
    assert benchmarks.numbers(tables, line) == [0.91, 0.97]
    assert benchmarks.numbers(tables, benchmarks.Line("x", "eager", "Other", "archc", {}, "")) == []
    page = benchmarks.page({"eager": printed})
    assert benchmarks.sections(page) == {"eager": printed}


def test_another_table_takes_the_place_of_the_first(benchmarks: ModuleType) -> None:
    text = f"before\n{benchmarks.START}old\n{benchmarks.END}after\n"
    new = benchmarks.readme(text, "new\n")
    assert new == f"before\n{benchmarks.START}new\n{benchmarks.END}after\n"
    assert benchmarks.readme(new, "new\n") == new
