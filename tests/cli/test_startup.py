"""What a command must not import: starting is fast, and checking never loads torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pytest import param

SPEC = Path(__file__).parents[2] / "specs" / "vq" / "nets.yaml"


def modules(*words: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    code = (
        "import json, sys\n"
        "from archc.cli.main import main\n"
        "status = main(sys.argv[1:])\n"
        "print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    status, names = json.loads(ended.stderr.splitlines()[-1])
    assert status == 0, ended.stderr
    return set(names)


@pytest.mark.parametrize("words", [["--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    assert not {"pydantic", "networkx", "torch", "yaml", "numpy", "graphviz"} & modules(*words)


@pytest.mark.parametrize(
    "words",
    [
        param(["check", f"{SPEC}#Encoder@iris", "--shapes"], id="check"),
        param(["check", "--json", f"{SPEC}#Encoder@iris"], id="check --json"),
        param(["draw", f"{SPEC}#Encoder@iris"], id="draw"),
        param(["build", f"{SPEC}#Encoder@iris"], id="build"),
        param(["summary", f"{SPEC}#Encoder@iris"], id="summary"),
    ],
)
def test_torch_is_not_imported(words: list[str]) -> None:
    assert "torch" not in modules(*words)


def test_check_builds_no_networkx_graph() -> None:
    found = modules("check", f"{SPEC}#Encoder")
    assert "pydantic" in found  # the names are those of modules that were imported
    assert not {"networkx", "archc.source.render", "archc.ops.initialisers", "archc.emit"} & found
    assert "importlib.metadata" not in found  # that of pydantic's search for plugins


def test_importing_archc_imports_nothing_heavy() -> None:
    code = (
        "import archc, sys; print([m for m in ('pydantic', 'networkx', 'torch', 'yaml') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
