"""Options of the test suite."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests import export_page
from tests.parity.zoo import PAGE, PROPERTY, Zoo, gather

_COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("short", max_examples=1_000, **_COMMON)
# CI draws the same examples every time; a run by hand draws others.
settings.register_profile("ci", max_examples=1_000, derandomize=True, **_COMMON)
settings.register_profile("long", max_examples=100_000, **_COMMON)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="100,000 examples for every property, and the long tests"
    )
    parser.addoption("--golden", action="store_true", help="rewrite the golden files")
    parser.addoption("--exports", action="store_true", help="write how equal exports are into docs/export.md")
    parser.addoption("--zoo", action="store_true", help="write what parity tests measure into docs/zoo.md")


def pytest_configure(config: pytest.Config) -> None:
    short = "ci" if os.environ.get("CI") else "short"
    settings.load_profile("long" if config.getoption("--long") else short)
    if config.getoption("--zoo") and not hasattr(config, "workerinput"):  # not in a worker of pytest-xdist
        config.pluginmanager.register(Measured())
    if config.getoption("--exports") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(export_page.Measured())


class Measured:
    """Gathers what the tests of parity measured and writes it into the page of the zoo."""

    def __init__(self) -> None:
        self.records: list[tuple[str, ...]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.records += [tuple(value) for name, value in report.user_properties if name == PROPERTY]  # type: ignore[arg-type]

    def pytest_sessionfinish(self) -> None:
        before = Zoo.read(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else Zoo({}, {})
        PAGE.write_text(before.updated(gather(self.records)).page(), encoding="utf-8")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that are marked as long, unless somebody asks for them."""
    if config.getoption("--long") or config.getoption("-m"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
