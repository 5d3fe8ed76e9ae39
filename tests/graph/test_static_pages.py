"""The pages of what reading and the static checks say: each example yields exactly its code."""

import re
from pathlib import Path

import pytest

from archc.graph.static import check_block
from archc.lang.address import Address, check_settings, parse_settings, select
from archc.lang.project import Project
from archc.ops.table import Operators
from archc.source.catalogue import CODES
from archc.source.data import explain
from archc.source.diagnostic import Report

STATIC = [
    c for c in CODES if c[1] == "1" or "A240" <= c <= "A299" or "A701" <= c <= "A707" or c in ("A901", "A902")
]
OURS = [code for code in STATIC if "--allow-ops" not in explain(code)]
"""What is told of modules of operators is told by what loads them: see tests/docs/test_error_pages.py."""
FENCE = re.compile(r"```yaml ?([^\n]*)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("code", OURS)
def test_example_yields_its_code(code: str, tmp_path: Path) -> None:
    (given, text), *others = FENCE.findall(explain(code))
    (tmp_path / "spec.yaml").write_text(text)
    for name, other in others:
        (tmp_path / name).write_text(other)
    words = given.split()
    file = str(tmp_path / "spec.yaml")
    where = next((w.replace("FILE", file) for w in words if w.startswith("FILE")), file)
    settings = [w for w in words if "FILE" not in w and w != "-p"]

    report = Report()
    address = Address.parse(where, report)
    project = Project(file, report=report)
    for block in project.blocks:
        check_block(block, project, Operators(), report)
    block = select(project, address, report) if address else None
    if block is not None:
        check_settings(block, parse_settings(settings, report), report)

    assert [d.code for d in report.diagnostics] == [code]
    assert all(d.help for d in report.diagnostics), "an error says what to write instead"
