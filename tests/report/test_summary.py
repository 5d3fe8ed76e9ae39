"""The tree table."""

from __future__ import annotations

from pathlib import Path

import archc
from archc.graph.runs import runs
from archc.report.summary import Row, Summary

ENCODER = f"{Path(__file__).parents[2]}/specs/vq/nets.yaml#Encoder@iris"


def leaves(row: Row) -> int:
    """The parameters of a row as its parts tell them."""
    return row.copies * (sum(map(leaves, row.parts)) if row.parts else row.parameters)


def test_parts_sum_to_the_whole() -> None:
    summary = Summary(archc.graph(ENCODER))
    assert leaves(summary.root) == summary.total.parameters == 1_418_240


def test_equal_copies_are_one_row() -> None:
    rows = {row.path: row for _, row in Summary(archc.graph(ENCODER)).rows}
    assert rows["down.0-1"].copies == 2 and rows["down.4"].copies == 1
    assert rows["down.2-3.layer.0-1.attn"].what == "AttentionBlock"
    assert str(rows["mid"].output) == "[B, 64, H // 16, W // 16]"


def test_level_closes_blocks() -> None:
    depths = {depth for depth, _ in Summary(archc.graph(ENCODER), level=1).rows}
    assert depths == {0, 1}


def test_the_table_is_aligned_and_says_what_is_left_out() -> None:
    lines = str(archc.summary(ENCODER, level=1)).splitlines()
    assert lines[0].split() == ["path", "block", "output", "parameters", "FLOPs"]
    table = lines[: lines.index("")]
    assert len({line.rstrip().rfind("[B") for line in table[1:]}) == 1
    assert lines[-1] == "… is long: it depends on B, H, W, which -p sets"
    assert "…" not in str(archc.summary(ENCODER, level=1, B=1, H=32, W=32))


def test_a_model_has_a_summary_of_its_own() -> None:
    model = archc.load(ENCODER, device="meta")
    assert archc.summary(model).total.parameters == 1_418_240


def test_runs_end_where_numbers_change_or_a_copy_is_bypassed() -> None:
    spec = archc.text(
        "archc: 1\nblocks:\n  Net:\n    inputs: {x: '[B, 8]'}\n    nodes:\n"
        "      fc: {call: linear(n), repeat: '[8, 8, 4, 4, 4] as i, n', when: i != 3}\n"
        "    flow: {y: x -> fc}\n"
    )
    found = runs(archc.graph(spec).members["fc"])
    assert [(run.first, run.count) for run in found] == [(0, 2), (2, 1), (4, 1)]
