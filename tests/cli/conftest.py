"""A spec to try commands on, and a way to run them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from archc.cli.main import main

SPEC = """\
archc: 1
blocks:
  Res:
    params: {c_out: int = C}
    inputs:
      x: [B, C, H, W]
    nodes:
      conv: conv2d(c_out, 3, padding=1)
      short: {when: C != c_out, call: "conv2d(c_out, 1)"}
    flow:
      out: (x -> relu -> conv) + (x -> short)
  Net:
    params: {ch: int = 8}
    inputs:
      x: [B, 3, H, W]
      mask: float[B, 1, H, W]?
    nodes:
      conv_in: conv2d(ch, 3, padding=1)
      body: {call: Res, repeat: 3}
      down: {call: "conv2d(ch, 2, stride=2)"}
    flow:
      h: x * mask -> conv_in -> body -> down -> upsample(2)
      out: h + x[:, :1]
    presets:
      wide: {ch: 16}
"""


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command line in an empty folder that holds `net.yaml`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC)

    def command(*words: str) -> Ended:
        capsys.readouterr()
        status = main(words)
        return Ended(status, *capsys.readouterr())

    return command
