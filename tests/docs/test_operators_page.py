"""The page of operators is what the operators say of themselves."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from archc.ops.table import TABLE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("operators_page", ROOT / "tools" / "operators_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_current(tool: Any) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run: python tools/operators_page.py"


def test_check_tells_a_stale_page(tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "operators.md"
    stale.write_text("old")
    monkeypatch.setattr(tool, "PAGE", stale)
    assert tool.main(["--check"]) == 1
    assert stale.read_text() == "old"
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0


def test_every_operator_has_a_row_with_its_wires(tool: Any) -> None:
    rows = [line for line in tool.page().splitlines() if line.startswith("| `")]
    for name in TABLE:
        row = next((r for r in rows if r.startswith((f"| `{name}`", f"| `{name}("))), None)
        assert row is not None, name
        assert "->" in row.split(" | ")[1] or "another name" in row, row


def test_names_of_pytorch_are_real(tool: Any) -> None:

    import einops
    import torch

    for row in tool.page().splitlines():
        if not row.startswith("| `"):
            continue
        for name in re.findall(r"(?:torch|einops)\.[\w.]+", row.rsplit(" | ", 1)[-1]):
            home, *path = name.split(".")
            found: Any = {"torch": torch, "einops": einops}[home]
            for part in path:
                found = getattr(found, part, None)
                assert found is not None, name
