"""Specs as models: construction, attributes, compilation, export."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import traceback
from typing import Any

import pytest
import torch
from torch import nn

import archc
from archc.emit import emit
from archc.runtime.build import build_module
from archc.runtime.compiling import compile_blocks
from archc.runtime.load import load
from archc.source.diagnostic import SpecError

NET = """\
archc: 1
blocks:
  Block:
    doc: Norm, then two layers around a shortcut.
    inputs: {x: '[B, T, D]', m: '[B, T, D]?'}
    nodes: {n: layer_norm, a: linear(2 * D), b: linear(D)}
    flow: {out: x + m + (x -> n -> a -> gelu -> b)}
  Net:
    params: {dim: int = 8, depth: int = 4}
    inputs: {x: '[B, T, 3]', m: '[B, T, dim]?'}
    nodes: {inp: linear(dim), h: {call: Block, repeat: depth}, out: linear(2)}
    flow: {y: x -> inp -> h(m) -> out}
"""


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return load(archc.text(NET))


def inputs(batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 5, 3, generator=generator), torch.randn(batch, 5, 8, generator=generator)


def test_model_knows_where_it_comes_from(net: nn.Module) -> None:
    assert net.graph.name == "Net"
    assert isinstance(net.graph, archc.Graph)
    assert net.spec == archc.text(NET)


def test_source_is_shown(net: nn.Module) -> None:
    source = inspect.getsource(type(net))
    assert source.startswith("class Net(nn.Module):")
    assert (
        inspect.getsource(type(net.h[0])).splitlines()[1].strip('" ')
        == "Norm, then two layers around a shortcut."
    )


def test_traceback_shows_generated_lines(net: nn.Module) -> None:
    x, _ = inputs()
    net.h[2].a = nn.Linear(3, 3)
    with pytest.raises(RuntimeError) as error:
        net(x)
    text = "".join(traceback.format_exception(error.value))
    assert "= block(" in text
    assert "self.a(self.n(x))" in text


def test_same_source_is_one_class(net: nn.Module) -> None:
    assert type(load(archc.text(NET))) is type(net)
    assert type(load(archc.text(NET), dim=16)) is not type(net)


def test_what_hand_written_modules_do(net: nn.Module) -> None:
    x, m = inputs()
    want = net(x, m)
    torch.testing.assert_close(copy.deepcopy(net)(x, m), want)
    other = load(archc.text(NET))
    other.load_state_dict(pickle.loads(pickle.dumps(net.state_dict())))
    torch.testing.assert_close(other(x, m), want)
    half = copy.deepcopy(net).to(torch.float64)
    torch.testing.assert_close(half(x.double(), m.double()).float(), want)
    seen = []
    net.h[1].register_forward_hook(lambda *_: seen.append("h.1"))
    net(x)
    assert seen == ["h.1"]
    assert dict(net.named_modules())["h.1.a"] is net.h[1].a
    with torch.autocast("cpu", torch.bfloat16):
        assert net(x, m).dtype is torch.bfloat16


def test_dtype_is_the_default_while_it_is_built() -> None:
    net = load(archc.text(NET), dtype=torch.bfloat16)
    assert {p.dtype for p in net.parameters()} == {torch.bfloat16}
    assert torch.get_default_dtype() is torch.float32


def test_default_dtype_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(nn.Linear, "__init__", fail)
    with pytest.raises(RuntimeError):
        load(archc.text(NET), dtype=torch.float64)
    assert torch.get_default_dtype() is torch.float32


def test_meta_needs_no_memory() -> None:
    net = load(archc.text(NET), device="meta", dim=1_000_000)
    assert {p.device.type for p in net.parameters()} == {"meta"}


def test_wrong_spec_is_told_whole() -> None:
    with pytest.raises(SpecError) as error:
        load(archc.text(NET.replace("linear(2)", "linaer(2)").replace("-> gelu", "-> gleu")))
    assert {d.code for d in error.value.diagnostics} == {"A250"}
    assert len(error.value.diagnostics) == 2


@pytest.mark.parametrize(
    ("error", "told", "wrong"),
    [
        (ValueError, "`compile` is True, \"whole\" or False, not 'wole'", {"compile": "wole"}),
        (TypeError, "such as torch.bfloat16, not 'float16'", {"dtype": "float16"}),
        (TypeError, "such as torch.bfloat16, not torch.int64", {"dtype": torch.int64}),
    ],
)
def test_wrong_options(error: type[Exception], told: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(error, match=re.escape(told)):
        load(archc.text(NET), **wrong)


def test_graph_takes_no_settings() -> None:
    graph = archc.graph(archc.text(NET))
    assert isinstance(load(graph), nn.Module)
    with pytest.raises(TypeError, match="dim"):
        load(graph, dim=4)


@pytest.mark.parametrize("node", ["graph", "spec"])
def test_node_named_as_an_attribute_of_ours(node: str) -> None:
    text = "archc: 1\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {NAME: linear(3)}, flow: {y: x -> NAME}}}"
    net = load(archc.text(text.replace("NAME", node)))
    assert net(torch.ones(2, 4)).shape == (2, 3)


@pytest.mark.parametrize("batch", [2, 3])
def test_blocks_compile_once_for_all_copies(net: nn.Module, batch: int) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = compile_blocks(net, backend="aot_eager")
    assert compiled == list(net.h)
    x, m = inputs(batch)
    other = copy.deepcopy(load(archc.text(NET)))
    other.load_state_dict(net.state_dict())
    torch.testing.assert_close(net(x, m), other(x, m))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_blocks_at_several_resolutions_stay_static(net: nn.Module) -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compile_blocks(net, backend="eager")
    for length in range(1, 12):
        net(torch.randn(2, length, 3))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 11


def test_compiled_gradients_are_the_eager_ones(net: nn.Module) -> None:
    torch._dynamo.reset()
    other = load(archc.text(NET))
    other.load_state_dict(net.state_dict())
    compile_blocks(net, backend="aot_eager")
    x, m = inputs()
    net(x, m).square().sum().backward()
    other(x, m).square().sum().backward()
    for (name, ours), theirs in zip(net.named_parameters(), other.parameters(), strict=True):
        assert ours.grad is not None, name
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=1e-5)


def test_model_without_blocks_compiles_whole() -> None:
    text = "archc: 1\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {l: linear(3)}, flow: {y: x -> l}}}"
    net = load(archc.text(text))
    assert compile_blocks(net, backend="eager") == [net]


def test_blocks_with_recurrent_layers_compile_around_them() -> None:
    torch._dynamo.reset()
    layer = "Layer: {inputs: {x: '[B, T, 4]'}, nodes: {rnn: lstm(4)}, flow: {y: x -> rnn -> tanh}}"
    model = "A: {inputs: {x: '[B, T, 4]'}, nodes: {layer: {call: Layer, repeat: 2}}, flow: {y: x -> layer}}"
    text = archc.text(f"archc: 1\nblocks: {{{layer}, {model}}}")
    net, eager = load(text), load(text)
    eager.load_state_dict(net.state_dict())
    assert len(compile_blocks(net, backend="eager")) == 2
    x = torch.randn(2, 5, 4)
    torch.testing.assert_close(net(x), eager(x))


def test_whole_graph_capture(net: nn.Module) -> None:
    torch._dynamo.reset()
    x, m = inputs()
    whole = torch.compile(net, fullgraph=True, backend="eager")
    torch.testing.assert_close(whole(x, m), net(x, m))
    torch.testing.assert_close(whole(x), net(x))


def test_export_with_dynamic_sizes(net: nn.Module) -> None:
    x, m = inputs()
    auto = torch.export.Dim.AUTO
    program = torch.export.export(net, (x, m), dynamic_shapes=({0: auto, 1: auto}, {0: auto, 1: auto}))
    x, m = inputs(batch=7)
    torch.testing.assert_close(program.module()(x, m), net(x, m))


def test_source_runs_by_itself(tmp_path) -> None:
    """The file stands alone: archc is not imported."""
    import subprocess
    import sys

    path = tmp_path / "net.py"
    path.write_text(
        emit(archc.graph(archc.text(NET))).source
        + "\n\nif __name__ == '__main__':\n    import sys\n\n    import torch\n\n"
        "    print(Net(dim=16)(torch.ones(2, 5, 3)).shape, 'archc' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-P", str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "torch.Size([2, 5, 2]) False"


def test_arguments_are_the_specs(net: nn.Module) -> None:
    root = build_module(emit(archc.graph(archc.text(NET))))
    assert str(inspect.signature(root)) == "(dim: int = 8, depth: int = 4) -> None"
