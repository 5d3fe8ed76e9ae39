"""Files written to hurt: each is refused at once and in little memory."""

import gc
import resource
import time
from collections.abc import Iterator

import pytest

from archc.source.diagnostic import Report
from archc.source.render import render
from archc.source.text import Source
from archc.source.yaml import parse

MB = 2**20


def yardstick() -> float:
    """The processor time of a fixed piece of work: about a tenth of a second on an idle machine of today, and
    as much more on a busy one as everything else takes."""
    start = time.process_time()
    table: dict[str, int] = {}
    for number in range(400_000):
        table[str(number)] = len(table)
    return time.process_time() - start


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Eighteen yardsticks, two seconds on an idle machine, and 200 MB more than before.

    What other tests left in the process is hidden from the collector: walking it took longer than reading."""
    gc.collect()
    gc.freeze()
    before = yardstick()
    start, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    taken = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    gc.unfreeze()
    assert taken < 18 * max(before, yardstick())
    assert grown < 200 * 1024


def codes(text: str) -> list[str]:
    report = Report()
    assert parse(Source("spec.yaml", text), report) is None or not report.ok
    assert render(report.diagnostics)
    return sorted({item.code for item in report.diagnostics})


def test_alias_bomb() -> None:
    names = "abcdefghijklmnopqrst"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for before, name in zip(names, names[1:], strict=False):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]")
    assert codes("\n".join(lines)) == ["A018"]


def test_alias_of_a_long_text() -> None:
    assert codes(f"a: &a '{'x' * 100_000}'\nb: [{','.join(['*a'] * 500)}]") == ["A018"]


def test_many_aliases() -> None:
    assert codes("a: &a 1\nb: [" + "*a, " * 100_000 + "]") == ["A018"]


@pytest.mark.parametrize("what", ["[", "{", "[{", "{a: [", "- ", "? ", "[[1], ", "[\n", "{a:\n", "[&a "])
def test_deep_brackets(what: str) -> None:
    assert codes(what * 100_000) == ["A012"]


def test_deep_indentation() -> None:
    assert codes("".join(" " * i + "a:\n" for i in range(2000))) == ["A012"]


def test_long_nesting_that_closes() -> None:
    assert codes("a: " + "[" * 99_999 + "]" * 99_999) == ["A012"]


def test_a_hundred_levels_are_fine() -> None:
    report = Report()
    assert parse(Source("spec.yaml", "[" * 100 + "]" * 100), report) and report.ok


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &a" + " " * 5 * MB + "b: c", "A021"),
        ("a: '" + "b\n" * MB, "A026"),
        ("a: {" + "b: c(1,\n" * 100_000, "A026"),
        ("&" * MB, "A023"),
        (" " * 8 * MB, "A010"),
        ("a: " + "9" * 4 * MB, "A019"),
        ("a: " + "&a " * 100_000, "A023"),
        ("a: {" + "x: f(1, 2), " * 50_000 + "}", "A024"),
    ],
    ids=lambda value: value[:12],
)
def test_large_and_wrong(text: str, code: str) -> None:
    assert code in codes(text)


def test_the_number_of_values_is_bounded() -> None:
    assert codes("a: [" + "1," * 600_000 + "]") == ["A003"]


def test_tags_run_nothing() -> None:
    assert codes("a: !!python/object/apply:os._exit [3]") == ["A015"]


def test_a_hundred_thousand_flow_lines() -> None:
    lines = (f"      h{i}: h{i - 1} -> linear(64) -> relu -> norm  # one\n" for i in range(100_000))
    text = "archc: 1\nblocks:\n  A:\n    flow:\n" + "".join(lines)
    report = Report()
    tree = parse(Source("spec.yaml", text), report)
    assert report.ok and tree is not None
    flow = tree.get("blocks").get("A").get("flow")
    assert len(flow) == 100_000 and flow.entries[-1][1].span.line == 100_004


def test_a_line_of_megabytes_is_shown_cut() -> None:
    report = Report()
    parse(Source("spec.yaml", "a: " + "x " * MB + "b: c"), report)
    (shown,) = [render(report.diagnostics, width=100)]
    assert max(map(len, shown.splitlines())) < 130
