"""Generated code does what its Graph says, on random specs with open inputs, choices and copies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from archc.emit import emit
from archc.graph.compile import Text, check
from archc.runtime.build import build_module
from tests.emit.interpreter import run

LIBRARY = """\
archc: 1
blocks:
  Part:
    inputs: {x: "[B, 4]", e: "[B, 4]?"}
    nodes: {l: linear(4)}
    flow:
      h: x -> l
      out: h + e -> tanh
    outputs: [out, h]
  Take:
    inputs: {x: "[B, 4]", s: bundle}
    nodes: {l: linear(4)}
    flow:
      y: s -> stack -> sum(axis=0)
      out: x * y -> l
"""

NAMES = ["x", "a", "b"]
TESTS = ["a", "b", "not a", "a and b", "a or not b"]


@st.composite
def specs(draw: st.DrawFn) -> str:
    values = list(NAMES)
    bundles: list[str] = []
    nodes: list[str] = []
    lines: list[str] = []

    def value() -> str:
        return draw(st.sampled_from(values))

    def node(call: str) -> str:
        nodes.append(f"n{len(nodes)}: {call}")
        return f"n{len(nodes) - 1}"

    def step() -> str:
        return (
            draw(st.sampled_from(["relu", "sigmoid", "tanh"])) if draw(st.booleans()) else node("linear(4)")
        )

    def chain() -> str:
        steps = [step() for _ in range(draw(st.integers(1, 4)))]
        return f"{value()} -> {' -> '.join(steps)}"

    for number in range(draw(st.integers(2, 9))):
        name = f"v{number}"
        kind = draw(st.integers(0, 10))
        if kind <= 2:
            lines.append(f"{name}: {chain()}")
        elif kind == 3:
            lines.append(f"{name}: {value()} + {value()} {draw(st.sampled_from('+*'))} {value()}")
        elif kind == 4:
            lines.append(f"{name}: {value()} * ({chain()}) + {value()} -> {step()}")
        elif kind == 5:
            lines.append(f"{name}: {draw(st.sampled_from(['a', 'b']))} or {value()}")
        elif kind == 6:
            lines.append(f"{name}: {chain()} if {draw(st.sampled_from(TESTS))} else {chain()}")
        elif kind == 7:
            lines.append(f"{name}: {chain()} if {draw(st.sampled_from(TESTS))}")
        elif kind == 8:
            part = node(
                "{call: Part, repeat: 2}"
                if draw(st.booleans())
                else "{call: Part, repeat: 3 as i, when: i != 1}"
            )
            lines.append(f"{name}, w{number}: {value()} -> {part}({value()})")
            bundles.append(f"w{number}")
        elif kind == 9:
            lines.append(f"{name}: {value()} -> {node('Part')}({value()})")
        elif bundles:
            lines.append(f"{name}: {value()} -> {node('Take')}(bundle({draw(st.sampled_from(bundles))}, x))")
        else:
            lines.append(f"{name}: {value()}, {value()}, {value()} -> stack -> sum(axis=0)")
        values.append(name)
    outputs = draw(st.lists(st.sampled_from(values[3:]), min_size=1, max_size=3, unique=True))
    text = LIBRARY + "  Net:\n    inputs: {x: '[B, 4]', a: '[B, 4]?', b: '[B, 4]?'}\n"
    if nodes:
        text += "    nodes:\n" + "".join(f"      {n}\n" for n in nodes)
    text += "    flow:\n" + "".join(f"      {line}\n" for line in lines)
    return text + f"    outputs: [{', '.join(outputs)}]\n"


@settings(max_examples=150, report_multiple_bugs=False)
@given(specs())
def test_generated_code_does_what_the_graph_says(text: str) -> None:
    note(text)
    result = check(Text(text))
    if result.graph is None:
        return
    source = emit(result.graph)
    note(source.source)
    net = build_module(source)()
    generator = torch.Generator().manual_seed(0)
    x, a, b = (torch.randn(3, 4, generator=generator) for _ in range(3))
    for given_a in (a, None):
        for given_b in (b, None):
            ours = net(x, a=given_a, b=given_b) if result.graph.open else net(x)
            ours = list(ours) if isinstance(ours, tuple) else [ours]
            wanted = run(result.graph, net, {"x": x, "a": given_a, "b": given_b})
            assert [o is None for o in ours] == [w is None for w in wanted]
            for left, right in zip(ours, wanted, strict=True):
                if left is not None:
                    torch.testing.assert_close(left, right)


def test_style_of_random_specs(tmp_path: Path) -> None:
    """Formatter, linter and type checker leave them as they are."""
    count = 0

    @settings(max_examples=60, derandomize=True, phases=[Phase.generate], database=None)
    @given(specs())
    def write(text: str) -> None:
        nonlocal count
        graph = check(Text(text)).graph
        if graph is not None:
            (tmp_path / f"m{count}.py").write_text(emit(graph).source)
            count += 1

    write()
    assert count > 30
    for command in (
        ("ruff", "format", "--isolated", "--diff", "."),
        ("ruff", "check", "--isolated", "--extend-select", "E,F,I,UP,B", "."),
        ("pyright", "."),
    ):
        done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "address", ["residual.yaml#Encoder", "nets.yaml#UNet", "nets.yaml#GPT", "hard.yaml#When"]
)
def test_specs_do_what_their_graphs_say(address: str) -> None:
    from archc.graph.compile import graph
    from tests.emit.conftest import BUILT, SPECS

    found = graph(f"{SPECS}/{address}", BUILT[address])
    net = build_module(emit(found))().eval()
    draw = {"x": torch.randn(2, 3, 16, 16), "emb": None, "ids": torch.randint(0, 50, (2, 5)), "mask": None}
    if address == "hard.yaml#When":
        draw = {"x": torch.randn(2, 4), "ctx": None, "emb": None}
    sizes = {"emb": 32 if "Encoder" in address else 7}
    for open_ in ([], list(found.open)):
        inputs = {p: draw[p] for p in found.inputs}
        for port in open_:
            if port == "mask":
                inputs[port] = torch.ones(5, 5, dtype=torch.bool).tril()
            else:
                inputs[port] = torch.randn(2, 4 if "When" in address else sizes[port])
        torch.testing.assert_close(net(**inputs), run_one(found, net, inputs), rtol=1e-4, atol=1e-5)


def run_one(graph, net, inputs):
    found = run(graph, net, inputs)
    return found[0] if len(found) == 1 else tuple(found)
