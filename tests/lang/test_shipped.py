"""Specs that come with archc, by their names: `zoo:vq/nets`, `std:vision`."""

from __future__ import annotations

from pathlib import Path

import pytest

import archc
from archc.lang.project import Project
from archc.source.data import data_folder
from archc.source.diagnostic import SpecError

SPECS = data_folder("specs").resolve()


@pytest.mark.parametrize(
    ("name", "path"),
    [("zoo:vq/nets", "vq/nets.yaml"), ("zoo:std/vision", "std/vision.yaml"), ("std:vision",) * 2],
)
def test_a_name_is_a_file_wherever_one_works(
    name: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(name)
    assert project.report.ok
    assert project.entry is not None and project.entry.path == SPECS / path.replace(
        "std:vision", "std/vision.yaml"
    )


def test_an_address_may_take_a_block_and_a_preset() -> None:
    by_name, by_path = (
        archc.source(f"{where}#Encoder@iris") for where in ("zoo:vq/nets", f"{SPECS}/vq/nets.yaml")
    )
    assert by_name == by_path
    assert "from nets.yaml#Encoder" in by_name


def test_shipped_specs_use_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the working folder is a project of its own."""
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert archc.check("zoo:vq/tokenizer").ok


def test_a_file_uses_one_by_its_name(tmp_path: Path) -> None:
    spec = tmp_path / "mine.yaml"
    spec.write_text(
        """archc: 1
use: [{Taming: zoo:vq/nets#Encoder}]
blocks:
  Mine:
    inputs: {x: [B, 3, H, W]}
    nodes: {enc: "Taming(ch=32, ch_mult=[1], z_channels=4)"}
    flow: {out: x -> enc}
"""
    )
    assert archc.check(spec).ok


@pytest.mark.parametrize(
    ("name", "help"),
    [
        ("zoo:nets", "did you mean `zoo:vq/nets`?"),
        ("zoo:vq/nets.yaml", "did you mean `zoo:vq/nets`?"),
        ("zoo:vq/ntes", "did you mean `zoo:vq/nets`?"),
        ("std:visoin", "did you mean `std:vision`?"),
        ("zoo:../pyproject", "it holds"),
        ("zoo:", "it holds"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(name: str, help: str) -> None:
    with pytest.raises(SpecError) as told:
        archc.read(name)
    (found,) = told.value.diagnostics
    assert found.code == "A125"
    assert found.help is not None and found.help.startswith(help)


def test_two_of_that_name_are_both_offered() -> None:
    with pytest.raises(SpecError) as told:
        archc.read("zoo:unet")
    assert told.value.diagnostics[0].help == "did you mean `zoo:vision/unet` or `zoo:vq/unet`?"


@pytest.mark.parametrize("spec", ["vq/nets", {"archc": 1, "use": ["vq/nets"], "blocks": {}}])
def test_a_name_without_its_prefix(spec: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = [d for d in archc.check(spec).diagnostics if d.code == "A001"]
    assert [d.help for d in told] == ["write `zoo:vq/nets`"]
