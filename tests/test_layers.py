"""The import contract: a layer imports only what stands below it, and torch stays in runtime."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_import_contract_holds() -> None:
    command = shutil.which("lint-imports", path=Path(sys.executable).parent)
    assert command, "lint-imports comes with the package import-linter"
    ended = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
