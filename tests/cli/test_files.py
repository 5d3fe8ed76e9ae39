"""Files appear whole or not at all, and somebody else's are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archc.cli.files import check_target, write
from archc.cli.main import UsageError


@pytest.mark.parametrize("name", ["net.svg", "net.dot", "net.mmd", "net.py"])
def test_our_own_files_are_overwritten(run, tmp_path: Path, name: str) -> None:
    command = "build" if name.endswith(".py") else "draw"
    assert run(command, "net.yaml", "-o", name).status == 0
    assert run(command, "net.yaml@wide", "-o", name).status == 0


@pytest.mark.parametrize("name", ["net.svg", "net.py"])
def test_other_files_are_not_overwritten_without_force(run, tmp_path: Path, name: str) -> None:
    command = "build" if name.endswith(".py") else "draw"
    (tmp_path / name).write_text("my own work")
    ended = run(command, "net.yaml", "-o", name)
    assert ended.status == 2
    assert f"{name} exists and archc did not write it; --force overwrites it" in ended.err
    assert (tmp_path / name).read_text() == "my own work"
    assert run(command, "net.yaml", "-o", name, "--force").status == 0
    assert (tmp_path / name).read_text() != "my own work"


def test_a_wrong_spec_leaves_the_file_as_it_was(run, tmp_path: Path) -> None:
    run("draw", "net.yaml", "-o", "net.svg")
    before = (tmp_path / "net.svg").read_bytes()
    assert run("draw", "net.yaml", "-o", "net.svg", "-p", "ch=x").status != 0
    assert (tmp_path / "net.svg").read_bytes() == before


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x.svg"
    target.write_text("Drawn by archc: old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UsageError, match="x.svg cannot be written: disk full"):
        write(target, "Drawn by archc: new", force=False)
    assert target.read_text() == "Drawn by archc: old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.svg"]


def test_mode_and_links_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.svg"
    write(real, "Drawn by archc", force=False)
    assert real.stat().st_mode & 0o777 == 0o666 & ~_umask()
    real.chmod(0o600)
    link = tmp_path / "link.svg"
    link.symlink_to(real)
    write(link, "Drawn by archc again", force=False)
    assert link.is_symlink() and real.read_text() == "Drawn by archc again"
    assert real.stat().st_mode & 0o777 == 0o600


def test_an_empty_file_holds_nothing_to_lose(tmp_path: Path) -> None:
    (tmp_path / "x.svg").touch()
    check_target(tmp_path / "x.svg", force=False)
    (tmp_path / "x.svg").write_text("a file made by archconvert")
    with pytest.raises(UsageError):
        check_target(tmp_path / "x.svg", force=False)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
