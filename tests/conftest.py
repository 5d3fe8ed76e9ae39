"""Options of the test suite."""

import os

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_configure(config: pytest.Config) -> None:
    short = "ci" if os.environ.get("CI") else "short"
    settings.load_profile("long" if config.getoption("--long") else short)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that are marked as long, unless somebody asks for them."""
    if config.getoption("--long") or config.getoption("-m"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
