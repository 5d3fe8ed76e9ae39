"""Generated code is what a formatter, a linter and a type checker leave as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archc.emit import emit
from archc.graph.compile import check, graph
from tests.emit.conftest import BUILT, SPECS

ZOO = sorted((Path(__file__).parents[2] / "specs").glob("**/*.yaml"))
GOLDEN = Path(__file__).parent / "golden"


def sources() -> dict[str, str]:
    found = {}
    for address, settings in BUILT.items():
        name = address.partition("#")[2][:20].lower()
        found[f"{name}.py"] = emit(graph(f"{SPECS}/{address}", settings)).source
    for path in ZOO:
        result = check(str(path))
        if result.graph is not None:  # a library's blocks need sizes
            found[f"zoo_{path.parent.name}_{path.stem}.py"] = emit(result.graph).source
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("generated")
    for name, source in sources().items():
        (at / name).write_text(source)
    return at


def run(*command: str, at: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=at, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_formatter_changes_nothing(folder: Path) -> None:
    assert run("ruff", "format", "--isolated", "--diff", ".", at=folder) == ""


def test_linter_finds_nothing(folder: Path) -> None:
    assert run("ruff", "check", "--isolated", "--extend-select", "E,F,I,UP,B", ".", at=folder) == ""


def test_type_checker_finds_nothing(folder: Path) -> None:
    assert run("pyright", ".", at=folder) == ""


def test_docs_of_any_length(tmp_path: Path) -> None:
    """A line that has room for a doc may have none for the quotes behind it."""
    for length in range(70, 95):
        doc = ("word " * 20)[: length - 1].replace(" w", "-w", 1) + "."
        spec = tmp_path / f"doc{length}.yaml"
        flow = "{inputs: {x: '[B, C]'}, flow: {out: x -> relu}}"
        spec.write_text(f"archc: 1\nblocks:\n  Net: {flow[:-1]}, doc: '{doc}'}}\n")
        (tmp_path / f"doc{length}.py").write_text(emit(graph(str(spec))).source)
    assert run("ruff", "format", "--isolated", "--diff", ".", at=tmp_path) == ""
    assert run("ruff", "check", "--isolated", "--extend-select", "E", ".", at=tmp_path) == ""


@pytest.mark.parametrize(
    "address", ["residual.yaml#Encoder", "nets.yaml#GPT", "nets.yaml#UNet", "hard.yaml#When"]
)
def test_golden(address: str, request: pytest.FixtureRequest) -> None:
    source = emit(graph(f"{SPECS}/{address}", BUILT[address])).source
    path = GOLDEN / f"{address.partition('#')[2].lower()}.py"
    if request.config.getoption("--golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    assert source == path.read_text()


def test_the_same_every_time() -> None:
    """Nothing comes of the order of a set, of an id or of what was emitted before."""
    code = (
        "from archc.emit import emit; from archc.graph.compile import check, graph; import hashlib;"
        f"source = emit(graph({str(SPECS / 'residual.yaml')!r}, {{'D': 32}})).source;"
        "print(hashlib.sha256(source.encode()).hexdigest())"
    )
    digests = set()
    for seed in ("0", "1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1
