"""The table of docs/export.md: which specs are exported as what, and how equal the files are.

`pytest -m long tests/runtime/test_exported_zoo.py --exports` puts what it measures there; lines of which it
measures nothing stay.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.parity.zoo import rounded

PAGE = Path(__file__).parents[1] / "docs" / "export.md"
PROPERTY = "export"
KINDS = ("program", "onnx", "aot")

_HEAD = "| spec | free sizes | `.pt2` | `.onnx` | `.pt2 --aot` |\n| --- | --- | ---: | ---: | ---: |\n"
_ROW = re.compile(
    r"^\| (?P<spec>.+?) \| (?P<sizes>.*?) \| (?P<program>.*?) \| (?P<onnx>.*?) \| (?P<aot>.*?) \|$"
)

Rows = dict[str, dict[str, str]]


def updated(page: str, records: list[tuple[str, str, str, float]]) -> str:
    """A page with what was measured: spec, its free sizes, kind and largest difference."""
    before, _, rest = page.partition(_HEAD)
    lines = rest.splitlines()
    count = next((n for n, line in enumerate(lines) if not _ROW.match(line)), len(lines))
    rows: Rows = {m["spec"]: m.groupdict() for line in lines[:count] if (m := _ROW.match(line))}
    for spec, sizes, kind, difference in records:
        row = rows.setdefault(spec, {"spec": spec, **dict.fromkeys(KINDS, "")})
        row["sizes"] = sizes
        row[kind] = rounded(difference)
    table = "".join(
        f"| {' | '.join(row[key] for key in ('spec', 'sizes', *KINDS))} |\n"
        for _, row in sorted(rows.items())
    )
    after = "".join(f"{line}\n" for line in lines[count:])
    return before + _HEAD + table + after


class Measured:
    """Gathers what the tests measured and writes it into the page."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, str, float]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            found: list[Any] = [value for name, value in report.user_properties if name == PROPERTY]
            self.records += [(spec, sizes, kind, difference) for spec, sizes, kind, difference in found]

    def pytest_sessionfinish(self) -> None:
        PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), self.records), encoding="utf-8")
