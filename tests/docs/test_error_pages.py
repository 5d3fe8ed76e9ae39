"""Every page of an error shows a spec that yields exactly that error, and no other."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import archc
from archc.emit import emit
from archc.graph.checkpoints import resolve
from archc.graph.compile import check
from archc.source.catalogue import CODES
from archc.source.data import explain
from archc.source.diagnostic import Diagnostic, Report, SpecError

FENCE = re.compile(r"```(\w+) ?([^\n]*)\n(.*?)```", re.DOTALL)

NO_YAML = {
    "A002": "a file that is a folder",
    "A003": "a file too large for a page",
    "A004": "bytes that are no text",
    "A005": "a character that no page may hold",
    "A414": "66 blocks are too long for a page",
    "A415": "so are 20, if they are to be read",
}
"""Codes that no example on a page can yield, and why; the tests below make one."""


@pytest.mark.parametrize("code", [code for code in CODES if code not in NO_YAML])
def test_example_yields_its_code(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fences = [(words, text) for kind, words, text in FENCE.findall(explain(code)) if kind == "yaml"]
    words, text = fences[0]
    Path("spec.yaml").write_text(text, encoding="utf-8")
    modules = [
        (words, text) for kind, words, text in FENCE.findall(explain(code)) if kind == "python" and words
    ]
    for name, further in (*fences[1:], *modules):
        Path(name).write_text(further, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name, _ in modules:
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    found = told(shlex.split(words))
    assert [d.code for d in found] == [code]


def told(words: list[str]) -> tuple[Diagnostic, ...]:
    """What archc says of `spec.yaml`, checked, named, built, loaded or saved as the info string wants."""
    kinds = ("-p", "--given", "--absent", "--names", "--weights", "--save", "--allow-ops")
    options: dict[str, list[str]] = {kind: [] for kind in kinds}
    address, build, unbound = "spec.yaml", False, False
    rest = iter(words)
    for word in rest:
        if word in options:
            options[word].append(next(rest))
        elif word.startswith("FILE"):
            address = word.replace("FILE", address)
        elif word == "unbound":
            unbound = True
        else:
            assert word == "build", f"unknown word `{word}` in the info string"
            build = True
    report = Report()
    fixed = {"given": options["--given"], "absent": options["--absent"]}
    result = check(
        address, options["-p"], **fixed, ops=options["--allow-ops"], report=report, unbound=unbound
    )
    for name in options["--names"]:
        assert result.graph is not None
        resolve(result.graph, name, report)
    try:
        if build and result.graph is not None:
            emit(result.graph)
        for file in options["--weights"]:
            WEIGHTS[file](file)
            archc.load(address, weights=file)
        for name in options["--save"]:
            archc.save_weights(archc.load(address), "new.safetensors", names=name)
    except SpecError as wrong:
        return wrong.diagnostics
    return report.diagnostics


def _saved(**tensors: torch.Tensor):
    return lambda file: save_file(tensors, file)


FC = {"fc.weight": torch.zeros(4, 8), "fc.bias": torch.zeros(4)}
WEIGHTS = {
    "empty.safetensors": _saved(),
    "more.safetensors": _saved(**FC, **{"head.weight": torch.zeros(1)}),
    "wider.safetensors": _saved(**FC | {"fc.weight": torch.zeros(4, 16)}),
    "tied.safetensors": _saved(**{"wte.weight": torch.zeros(8, 4), "head.weight": torch.ones(8, 4)}),
    "broken.safetensors": lambda file: Path(file).write_bytes(b"no tensors"),
}
"""The files of weights that the pages name."""


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def holding(content: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def nested(depth: int) -> bytes:
    lines = ["archc: 1", "blocks:", "  B0: {inputs: {x: [B, C]}, flow: {out: x -> relu}}"]
    lines += [
        f"  B{i}: {{inputs: {{x: [B, C]}}, nodes: {{inner: B{i - 1}}}, flow: {{out: x -> inner}}}}"
        for i in range(1, depth)
    ]
    return "\n".join(lines).encode()


def doubling(levels: int) -> bytes:
    lines = ["archc: 1", "blocks:"]
    head = "{params: {n: int = 0}, inputs: {x: [B]}, flow:"
    lines.append(f"  B0: {head} {{out: x -> dropout(1 / (2 + n))}}}}")
    for i in range(1, levels + 1):
        lines.append(f"  B{i}: {head} {{out: x -> B{i - 1}(2 * n) -> B{i - 1}(2 * n + 1)}}}}")
    return "\n".join(lines).encode()


MADE = {
    "A002": folder,
    "A003": holding(b"archc: 1 #" + b" " * 20_000_000),
    "A004": holding(b"archc: 1 # \xff\xfe"),
    "A005": holding(b"archc: 1 # \x00"),
    "A414": holding(nested(66)),
    "A415": holding(doubling(20)),
}


@pytest.mark.parametrize("code", NO_YAML)
def test_code_without_an_example_is_yielded(code: str, tmp_path: Path) -> None:
    path = MADE[code](tmp_path / "spec.yaml")
    assert [d.code for d in check(path).diagnostics] == [code]


def test_blocks_may_be_nested_as_deeply_as_the_page_says(tmp_path: Path) -> None:
    assert check(holding(nested(65))(tmp_path / "spec.yaml")).ok


@pytest.mark.parametrize("code", CODES)
def test_page_has_an_example(code: str) -> None:
    kinds = [kind for kind, _, _ in FENCE.findall(explain(code))]
    assert kinds, "no example"
    assert ("yaml" in kinds) == (code not in NO_YAML)
