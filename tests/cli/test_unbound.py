"""Checking a file of blocks for others to use, whose numbers nothing gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from archc.cli.main import FINE, WRONG, main

BLOCKS = """
archc: 1
blocks:
  Norm:
    params: {width: int}
    inputs: {x: [B, C, H, W]}
    nodes: {norm: group_norm(8), fc: "conv2d(width, 1)"}
    flow: {out: x -> norm -> fc}
"""


@pytest.fixture
def blocks(tmp_path: Path) -> str:
    (tmp_path / "blocks.yaml").write_text(BLOCKS)
    return str(tmp_path / "blocks.yaml")


def test_a_file_by_itself_is_noted(blocks: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", blocks]) == FINE
    told = capsys.readouterr().out
    assert "note[A903]" in told and "-p width=..." in told and told.endswith("blocks.yaml: ok\n")


def test_a_block_that_is_named_needs_its_numbers(blocks: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", f"{blocks}#Norm"]) == WRONG
    assert "error[A401]" in capsys.readouterr().out
    assert main(["check", blocks, "-p", "width=4"]) == WRONG
    assert "error[A406]" in capsys.readouterr().out
    assert main(["check", f"{blocks}#Norm", "-p", "width=4", "-p", "C=16"]) == FINE


def test_a_mistake_stays_one(blocks: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(blocks).write_text(BLOCKS.replace("x -> norm", "x -> nrom"))
    assert main(["check", blocks]) == WRONG
    assert "error[A250]" in capsys.readouterr().out
