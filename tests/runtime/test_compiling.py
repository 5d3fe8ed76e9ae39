"""Compilation by block: how often a block is compiled, for what, and what is told of it."""

from __future__ import annotations

import copy
import logging
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc
from archc.runtime.compiling import compilations, compile_blocks, compile_whole, shared, sizes
from archc.runtime.compiling.select import _chosen
from archc.runtime.free_sizes import free_sizes

NET = """\
archc: 1
blocks:
  Layer:
    inputs: {x: '[B, T, D]', m: '[B, D]?'}
    nodes: {n: layer_norm, a: linear(D)}
    flow: {s: x -> n -> a -> gelu, e: m -> unsqueeze(1), out: x + s + e}
  Net:
    inputs: {x: '[B, T, 8]', m: '[B, 8]?'}
    nodes: {h: {call: Layer, repeat: 3}}
    require: [T <= 64: it is too long]
    flow: {y: x -> h(m)}
"""
IMAGES = """\
archc: 1
blocks:
  Layer: {inputs: {x: '[B, C, H, W]'}, nodes: {c: 'conv2d(C, 3, padding=1)'}, flow: {y: x -> c -> relu}}
  Net: {inputs: {x: '[B, 4, H, W]'}, nodes: {h: {call: Layer, repeat: 3}}, flow: {y: x -> h}}
"""

open_sizes = pytest.mark.skipif(sizes._spec is None, reason="before torch 2.13 every size is compiled")


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    torch._dynamo.reset()
    torch.manual_seed(0)
    yield
    torch._dynamo.reset()


def loaded(text: str, backend: str = "eager", whole: bool = False) -> nn.Module:
    """A model of a spec, compiled by a backend that is quick; a class of its own, with nothing compiled."""
    model: Any = archc.load(archc.text(text))
    for module in model.modules():
        vars(type(module)).get("_compiled_classes", {}).clear()
    free = free_sizes(model.graph)
    if whole:
        compile_whole(model, free[""], backend=backend)
    else:
        compile_blocks(model, free, backend=backend)
    return model


def graphs(model: nn.Module) -> list[int]:
    return [record.graphs for record in compilations(model)]


@open_sizes
def test_one_graph_for_copies_batches_lengths_and_evaluation() -> None:
    model, eager = loaded(NET, "aot_eager"), archc.load(archc.text(NET))
    eager.load_state_dict(model.state_dict())
    for batch, length in ((2, 3), (1, 3), (5, 1), (8, 7)):
        x = torch.randn(batch, length, 8, requires_grad=True)
        model.train()(x).square().sum().backward()
        ours, x.grad = x.grad, None
        eager(x).square().sum().backward()
        torch.testing.assert_close(ours, x.grad)
        with torch.no_grad():
            found = model.eval()(x)
        assert not found.requires_grad
        torch.testing.assert_close(found, eager(x))
        torch.testing.assert_close(model(x), eager(x))
    assert graphs(model) == [1]
    (record,) = compilations(model)
    assert (record.block, record.copies, record.sizes, record.note) == ("Layer", 3, "any B, T", "")


def test_inference_has_code_of_its_own_unless_there_is_one_of_training() -> None:
    model = loaded(NET)
    x = torch.randn(2, 3, 8, requires_grad=True)
    with torch.no_grad():
        model(x.detach())
    model(x).sum().backward()
    (record,) = compilations(model)
    assert record.graphs == 2
    assert record.why == ("first call", "gradients: wanted, before none; x's gradient: wanted, before none")


def test_one_graph_in_inference_mode() -> None:
    model = loaded(NET)
    with torch.inference_mode():
        model(torch.randn(2, 3, 8))
    assert graphs(model) == [1]


@open_sizes
def test_images_of_each_size_by_itself_of_any_batch() -> None:
    model, eager = loaded(IMAGES, "aot_eager"), archc.load(archc.text(IMAGES))
    eager.load_state_dict(model.state_dict())
    for shape in ((2, 4, 6, 6), (1, 4, 6, 6), (3, 4, 8, 6), (5, 4, 8, 6)):
        x = torch.randn(shape, requires_grad=True)
        model(x).square().sum().backward()
        torch.testing.assert_close(model(x), eager(x))
    (record,) = compilations(model)
    assert record.sizes == "any B, each H, W by itself"
    assert record.why == ("first call", "x: [B, 4, 8, 6], before [B, 4, 6, 6]")


def test_what_a_model_compiled_serves_another() -> None:
    model = loaded(NET)
    x = torch.randn(2, 3, 8, requires_grad=True)
    model(x)
    other: Any = archc.load(archc.text(NET))
    compile_blocks(other, free_sizes(other.graph), backend="eager")
    other(x)
    assert graphs(other) == graphs(model) == [1]


def test_copies_stay_compiled_and_pickles_do_not() -> None:
    model = loaded(NET)
    x = torch.randn(2, 3, 8, requires_grad=True)
    want = model(x)
    twin = copy.deepcopy(model)
    torch.testing.assert_close(twin(x), want)
    assert graphs(twin) == [1]
    with torch.no_grad():
        next(twin.parameters()).add_(1.0)
    assert not torch.equal(twin(x), model(x))
    kept = pickle.loads(pickle.dumps(model.h[0]))
    assert not compilations(kept)
    torch.testing.assert_close(kept(x), model.h[0](x))


def test_hooks_see_compiled_blocks() -> None:
    model, seen = loaded(NET), []
    model.h[1].register_forward_hook(lambda *_: seen.append(1))
    for _ in range(2):
        model(torch.randn(2, 3, 8, requires_grad=True))
    assert seen == [1, 1]
    assert graphs(model) == [1]


def test_blocks_within_transforms_run_as_they_stand() -> None:
    model, x = loaded(NET), torch.randn(4, 2, 3, 8)
    model(x[0])
    before = graphs(model)
    plain: Any = archc.load(archc.text(NET))
    plain.load_state_dict(model.state_dict())

    def loss(net: nn.Module, weights: Any) -> Tensor:
        return torch.func.functional_call(net, weights, (x[0],)).square().mean()

    ours, true = (
        torch.func.grad(lambda w, n=net: loss(n, w))(dict(net.named_parameters())) for net in (model, plain)
    )
    torch.testing.assert_close(ours, true)
    with torch.no_grad():
        torch.testing.assert_close(torch.func.vmap(model)(x), torch.func.vmap(plain)(x))
    assert graphs(model) == before


def test_compiled_blocks_within_a_compiled_model() -> None:
    model = loaded(NET)
    x = torch.randn(2, 3, 8)
    want = model(x)
    torch.testing.assert_close(torch.compile(model, fullgraph=True, backend="eager")(x), want)
    torch.testing.assert_close(torch.export.export(model, (x,)).module()(x), want)


@pytest.mark.parametrize("whole", [False, True])
def test_inputs_that_do_not_fit_are_refused_as_without_compilation(whole: bool) -> None:
    model = loaded(NET, whole=whole)
    model(torch.randn(2, 3, 8, requires_grad=True))
    with pytest.raises(ValueError, match="it is too long, got T = 65"):
        model(torch.randn(2, 65, 8))
    with pytest.raises(ValueError, match=r"x: expected \[B, T, 8\]"):
        model(torch.randn(2, 3, 9))
    assert graphs(model) == [1]


@open_sizes
@pytest.mark.parametrize("whole", [False, True])
def test_a_mistake_in_a_call_leaves_sizes_open(whole: bool) -> None:
    model = loaded(NET, whole=whole)
    with pytest.raises(RuntimeError, match="dtype|Double"):
        model(torch.ones(2, 3, 8, dtype=torch.float64))
    (record,) = compilations(model)
    assert (record.sizes, record.note) == ("any B, T", "")
    with torch.no_grad():
        for batch, length in ((2, 3), (5, 4)):
            model(torch.ones(batch, length, 8))
    assert graphs(model) == [1]


def test_what_differs_is_told() -> None:
    model = loaded(NET)
    x = torch.randn(2, 3, 8, requires_grad=True)
    model(x)
    model(x, torch.randn(2, 8))
    model.double()(x.detach().double().requires_grad_())
    (record,) = compilations(model)
    assert "m: [" in record.why[1]
    assert "weights: float64 on cpu, before float32 on cpu" in record.why[2]
    assert str(record).startswith(f"Layer x 3: {record.graphs} graphs")


def test_no_more_sizes_than_a_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared, "MOST", 2)
    model, eager = loaded(IMAGES), archc.load(archc.text(IMAGES))
    eager.load_state_dict(model.state_dict())
    with caplog.at_level(logging.WARNING, "archc.compile"):
        for size in (4, 5, 6, 7, 4):
            x = torch.randn(1, 4, size, size)
            torch.testing.assert_close(model(x), eager(x))
    assert len(caplog.records) == 1
    (record,) = compilations(model)
    assert (record.graphs, record.note) == (2, caplog.records[0].args[1])
    assert "further ones run as they stand" in record.note


def test_no_rows_run_as_they_stand() -> None:
    model = loaded(NET)
    assert model(torch.randn(0, 3, 8)).shape == (0, 3, 8)
    assert graphs(model) == [0]


class Branch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1 if x.shape[0] > 2 else x - 1


class Breaks(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = x + 1
        torch._dynamo.graph_break()
        return y * 2


@open_sizes
def test_sizes_that_cannot_be_open() -> None:
    model = Branch()
    compile_whole(model, {"x": ("B", None)}, backend="eager")
    for batch in (2, 3, 2):
        x = torch.randn(batch, 4)
        torch.testing.assert_close(model(x), Branch()(x))
    (record,) = compilations(model)
    assert record.graphs == 2
    assert record.sizes == "each B by itself"
    assert record.note.startswith("B as they come, since torch says: ")


def test_what_dynamo_cannot_take_whole_is_compiled_in_parts() -> None:
    model = Breaks()
    compile_whole(model, backend="eager")
    x = torch.randn(2, 4)
    torch.testing.assert_close(model(x), Breaks()(x))
    (record,) = compilations(model)
    assert record.note.startswith("in parts, since torch says")


def test_recurrent_layers_are_told() -> None:
    layer = "Layer: {inputs: {x: '[B, T, 4]'}, nodes: {rnn: lstm(4)}, flow: {y: x -> rnn -> tanh}}"
    net = "A: {inputs: {x: '[B, T, 4]'}, nodes: {l: {call: Layer, repeat: 2}}, flow: {y: x -> l}}"
    model = loaded(f"archc: 1\nblocks: {{{layer}, {net}}}")
    model(torch.randn(2, 5, 4))
    (record,) = compilations(model)
    assert "in parts, round nn.LSTM" in record.note


def test_eager_models_have_no_compilations() -> None:
    assert compilations(archc.load(archc.text(NET))) == []


def test_what_is_opened() -> None:
    """A block is opened where that leaves less to compile: what repeats within, not what stands alone."""
    small = "Small: {inputs: {x: '[B, D]'}, nodes: {a: linear(D)}, flow: {y: x -> a}}"
    once = "Once: {inputs: {x: '[B, D]'}, nodes: {s: Small, b: linear(D)}, flow: {y: x -> s -> b}}"
    many = "Many: {inputs: {x: '[B, D]'}, nodes: {s: {call: Small, repeat: 9}}, flow: {y: x -> s}}"
    net = "A: {inputs: {x: '[B, 4]'}, nodes: {once: Once, many: Many}, flow: {y: x -> once -> many}}"

    def chosen(*blocks: str) -> list[str]:
        model: Any = archc.load(archc.text(f"archc: 1\nblocks: {{{', '.join(blocks)}}}"))
        return [type(module).__name__ for module in _chosen(model)]

    alone = net.replace("once: Once, many: Many", "once: Once").replace(" -> many", "")
    assert chosen(small, once, alone) == ["Once"]
    assert chosen(small, once, many, net) == ["Small"] * 10  # it is compiled anyway
