"""The page of the zoo: what can be counted in specs is as it stands there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from archc.api import ask_torch
from archc.graph.compile import check
from archc.graph.ir import Graph
from archc.graph.weights import of_graph
from archc.report.summary import Summary
from tests.parity.zoo import PAGE, SPECS, Compared, Size, Zoo, gather, lines, rounded, sized

ROOT = Path(__file__).parents[2]
WRITE = "run: pytest -m parity --zoo"


@cache
def zoo() -> Zoo:
    return Zoo.read(PAGE.read_text(encoding="utf-8"))


def graph_of(size: str) -> Graph:
    """The Graph of a size: an address with settings."""
    address, *words = shlex.split(size)
    given: dict[str, list[str]] = {"-p": [], "--given": [], "--absent": []}
    for option, value in zip(words[::2], words[1::2], strict=True):
        given[option].append(value)
    options = {"given": given["--given"], "absent": given["--absent"], "probe": ask_torch}
    found = check(f"{SPECS}/{address}", given["-p"], **options).graph  # type: ignore[arg-type]
    assert found is not None
    return found


def test_every_spec_is_held_against_an_original() -> None:
    """The library stands for itself; its blocks are in the others."""
    there = {path.relative_to(SPECS).as_posix() for path in SPECS.rglob("*.yaml")}
    compared = {row.spec for row in zoo().compared.values()}
    assert compared == {name for name in there if not name.startswith("std/")}, WRITE


def test_every_spec_has_a_size() -> None:
    assert {row.spec for row in zoo().compared.values()} == {size.spec for size in zoo().sizes.values()}, (
        WRITE
    )


def test_page_is_what_would_be_written() -> None:
    """The lines of the specs too."""
    assert zoo().updated(Zoo({}, {})).page() == PAGE.read_text(encoding="utf-8"), WRITE


def test_differences_are_within_their_limits() -> None:
    assert zoo().compared
    for row in zoo().compared.values():
        assert row.float64 <= 1e-9, row
        assert row.float32 <= 1e-4, row


def test_sizes_have_as_many_parameters_and_names() -> None:
    wrong = []
    for size in zoo().sizes.values():
        graph = graph_of(size.address)
        names = sum(weight.persistent for weight in of_graph(graph).values())
        counted = size._replace(parameters=Summary(graph).total.parameters, names=names)
        wrong += [] if counted == size else [(size, counted)]
    assert not wrong, WRITE


def test_versions_are_those_that_are_tested() -> None:
    pinned: dict[str, str] = {}
    for file in (ROOT / "constraints.txt", ROOT / "tests" / "parity" / "requirements.txt"):
        pinned |= dict(re.findall(r"^([\w.-]+)==(\S+)", file.read_text(encoding="utf-8"), re.M))
    rows = (*zoo().compared.values(), *zoo().sizes.values())
    used = {row.package for row in rows} - {"written in the test"}
    assert used <= {f"{name} {version}" for name, version in pinned.items()}, WRITE


# How the page is written

NETS = Compared("vq/nets.yaml", "some 1.0", 3e-13, 0.0)
SIZE = Size(
    sized("vq/nets.yaml#Encoder", {"ch": 32, "attn": [1, 2], "absent": ["t"]}), "some 1.0", 1234567, 9
)


def test_what_is_written_is_read_again() -> None:
    found = gather([NETS.record(), SIZE.record()])
    read = Zoo.read(found.page())
    assert list(read.compared.values()) == [NETS._replace(float64=1e-12)]
    assert list(read.sizes.values()) == [SIZE]
    assert read.page() == found.page()
    assert f"| {lines('vq/nets.yaml')} | 1e-12 | 0 |" in found.page()
    assert SIZE.address == "vq/nets.yaml#Encoder -p ch=32 -p 'attn=[1, 2]' --absent t"


def test_the_largest_difference_of_a_run_stays() -> None:
    found = gather([NETS.record(), NETS._replace(float64=1e-14, float32=2e-6).record()])
    assert list(found.compared.values()) == [NETS._replace(float32=2e-6)]


def test_a_run_replaces_the_lines_of_the_specs_that_it_measured() -> None:
    other = Compared("vq/unet.yaml", "other 2.0", 1e-15, 1e-6)
    gone = NETS._replace(spec="vq/gone.yaml")
    former = NETS._replace(package="former 0.1")
    before = gather(row.record() for row in (NETS, other, gone, former, SIZE))
    now = NETS._replace(package="some 1.1", float64=1e-15)
    after = before.updated(gather([now.record()]))
    assert list(after.compared.values()) == [now, other]
    assert not after.sizes
    assert list(before.updated(Zoo({}, {})).sizes.values()) == [SIZE]


@pytest.mark.parametrize("power", range(-20, 1))
def test_powers_of_ten_stay_what_they_are(power: int) -> None:
    assert float(rounded(10.0**power)) == 10.0**power
    assert rounded(1.01 * 10.0**power) == f"1e{power + 1}"
    assert rounded(0.0) == "0"
