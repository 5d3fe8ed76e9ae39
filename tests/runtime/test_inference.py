"""Models loaded for inference give what plain ones give, and take the same weights in all ways."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

import archc
from archc.graph import inference
from archc.runtime import fused
from tests.parity.harness import randomise
from tests.small_zoo import SMALL

ROUNDING = 1e-5
"""The largest difference in float32, in parts of the largest value,"""
NOISE = 10
"""or in parts of what rounding does to the plain model, if that is more."""

NET = """
archc: 1
blocks:
  Net:
    inputs: {x: '[B, 3, H, W]'}
    nodes:
      conv: conv2d(8, 3, padding=1, bias=false)
      norm: batch_norm
      q: conv2d(4, 1)
      k: conv2d(6, 1)
      fc: linear(5)
    flow:
      h: x -> conv -> norm -> relu -> dropout(0.5)
      a: h -> q
      b: h -> k
      y: a, b -> concat(1) -> mean([2, 3]) -> fc -> silu
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=["by size", "always packed"])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers as small as those of tests are packed only where they are told to be."""
    if request.param == "always packed":
        monkeypatch.setattr(inference, "_LEAST", 0)
        monkeypatch.setattr(fused.Fused, "_large", lambda self, x: True)


def flat(value: Any) -> list[Tensor]:
    parts = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list | tuple):
        return [tensor for part in parts for tensor in flat(part)]
    return [value]


def doubled(values: Any) -> list[Any]:
    """Inputs in float64."""
    return [doubled(v) if isinstance(v, list) else v.double() if v.is_floating_point() else v for v in values]


def error(found: Tensor, true: Tensor) -> float:
    """The largest difference in parts of the largest value."""
    return ((found - true).abs().max() / true.abs().max().clamp(min=1e-30)).item()


def same(found: Any, expected: Any, tolerance: float = ROUNDING) -> None:
    for a, b in zip(flat(found), flat(expected), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert error(a, b) <= tolerance


def pair(**options: Any) -> tuple[nn.Module, nn.Module, Tensor]:
    """A model as it is and one for inference with other weights, and an input."""
    plain = archc.load(archc.text(NET), **options).eval().requires_grad_(False)
    randomise(plain)
    faster = archc.load(archc.text(NET), optimize="inference", **options)
    x = torch.randn(2, 3, 7, 9, dtype=options.get("dtype"))
    return plain, faster, x


@pytest.mark.parametrize("name", SMALL)
def test_the_zoo(name: str, packing: None) -> None:
    small = SMALL[name]
    graph = small.graph()
    plain, faster = small.built(graph).eval(), archc.load(graph, optimize="inference")
    exact = archc.load(graph, dtype=torch.float64).eval()
    exact.load_state_dict(plain.state_dict())
    inputs = small.inputs(graph).values()
    with torch.no_grad():
        faster(*inputs)
        faster.load_state_dict(plain.state_dict())
        assert list(faster.state_dict()) == list(plain.state_dict())
        outputs = zip(
            *(
                flat(model(*own))
                for model, own in ((faster, inputs), (plain, inputs), (exact, doubled(inputs)))
            ),
            strict=True,
        )
        for found, expected, true in outputs:
            allowed = max(ROUNDING, NOISE * error(expected, true))
            assert error(found, true) <= allowed


@pytest.mark.parametrize("name", ["resnet basic", "mobilenet_v3", "densenet", "discriminator"])
def test_folding_is_exact(name: str) -> None:
    small = SMALL[name]
    graph = small.graph()
    plain = small.built(graph, dtype=torch.float64).eval()
    faster = small.built(graph, dtype=torch.float64, optimize="inference")
    inputs = doubled(small.inputs(graph).values())
    with torch.no_grad():
        same(faster(*inputs), plain(*inputs), 1e-12)
    assert any(isinstance(m, fused.Fused) for m in faster.modules())


def test_what_was_done_is_told() -> None:
    _, faster, _ = pair()
    assert [str(done) for done in faster.optimizations] == [
        "batch norm folded into the layer before it: 1 place (conv)",
        "activation in one call with its layer: 1 place (conv)",
        "layers of one input joined: 1 place (q+k)",
        "oneDNN with packed weights for large calls, images in channels_last: 2 places (q+k, conv)",
        "left out, as it does nothing in inference: 1 place (dropout)",
    ]
    assert not faster.training and not any(p.requires_grad for p in faster.parameters())


def test_it_refuses_to_train() -> None:
    _, faster, _ = pair()
    with pytest.raises(RuntimeError, match="cannot train: load it without"):
        faster.train()
    assert faster.eval() is faster


def test_another_goal_is_refused() -> None:
    with pytest.raises(ValueError, match="`optimize` is \"inference\" or None, not 'speed'"):
        archc.load(archc.text(NET), optimize="speed")  # type: ignore[arg-type]


def loaded(faster: nn.Module, plain: nn.Module) -> None:
    faster.load_state_dict(plain.state_dict())


def assigned(faster: nn.Module, plain: nn.Module) -> None:
    faster.load_state_dict(copy.deepcopy(plain.state_dict()), assign=True)


def weights(faster: nn.Module, plain: nn.Module) -> None:
    archc.load_weights(faster, plain.state_dict())


def in_place(faster: nn.Module, plain: nn.Module) -> None:
    for name, tensor in faster.state_dict().items():
        tensor.copy_(plain.state_dict()[name])


def by_data(faster: nn.Module, plain: nn.Module) -> None:
    for name, parameter in faster.named_parameters():
        parameter.data = plain.get_parameter(name).clone()
    for name, buffer in faster.named_buffers():
        buffer.copy_(plain.get_buffer(name))


def behind_data(faster: nn.Module, plain: nn.Module) -> None:
    for name, tensor in [*faster.named_parameters(), *faster.named_buffers()]:
        tensor.data.copy_(plain.state_dict()[name])
    fused.renew(faster)


@pytest.mark.parametrize("change", [loaded, assigned, weights, in_place, by_data, behind_data])
def test_other_weights_are_seen(change: Any, packing: None) -> None:
    plain, faster, x = pair()
    with torch.no_grad():
        before = faster(x)
        change(faster, plain)
        same(faster(x), plain(x))
        assert not torch.allclose(faster(x), before)
        other = archc.load(archc.text(NET)).eval()
        other.load_state_dict(faster.state_dict())
        same(other(x), plain(x))


def test_copies_and_casts_have_forms_of_their_own(packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    with torch.no_grad():
        faster(x)
        other = copy.deepcopy(faster)
        randomise(faster, seed=5)
        same(other(x), plain(x))
        same(other.double()(x.double()), copy.deepcopy(plain).double()(x.double()), 1e-12)
        # Rounded there and back: what was made of the exact weights would differ.
        same(other.bfloat16().float()(x), copy.deepcopy(plain).bfloat16().float()(x))


def test_a_layer_may_be_exchanged(packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    with torch.no_grad():
        faster(x)
        for model in (plain, faster):
            torch.manual_seed(7)
            model.conv = nn.Sequential(nn.Conv2d(3, 8, 1))
            model.q.weight = nn.Parameter(torch.randn(4, 8, 1, 1), requires_grad=False)
        same(faster(x), plain(x))


def test_hooks_of_layers_are_called(packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    seen: list[Tensor] = []
    with torch.no_grad():
        faster(x)
        handle = faster.norm.register_forward_hook(lambda module, given, made: seen.append(made))  # type: ignore[union-attr]
        same(faster(x), plain(x))
        handle.remove()
        faster(x)
    assert [tuple(made.shape) for made in seen] == [(2, 8, 7, 9)]


def test_a_wrapped_forward_of_a_layer_is_called(packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    faster(x)
    norm: Any = faster.norm
    seen, forward = [], norm.forward
    norm.forward = lambda given: seen.append(1) or forward(given)
    same(faster(x), plain(x))
    assert seen == [1]


def test_tangents_are_those_of_the_layers(packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.randn_like(x))
        found, expected = (
            [forward_ad.unpack_dual(y) for y in flat(model(dual))] for model in (faster, plain)
        )
    for ours, true in zip(found, expected, strict=True):
        assert (ours.tangent is None) == (true.tangent is None)
        same(ours.primal, true.primal)
        if true.tangent is not None:
            same(ours.tangent, true.tangent)


def test_threads_may_share_a_new_model() -> None:
    _, faster, x = pair()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for _ in range(100):
                list(pool.map(copy.deepcopy(faster), [x] * 4))
    finally:
        sys.setswitchinterval(before)


def test_gradients_are_those_of_the_layers(packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    grads = []
    for model in (plain, faster):
        model.requires_grad_(True)
        own = x.clone().requires_grad_()
        model(own).square().sum().backward()
        grads.append([own.grad, *(p.grad for p in model.parameters())])
    same(grads[1], grads[0])


@pytest.mark.parametrize("transformed", ["vmap", "grad", "autocast", "functional_call", "inference_mode"])
def test_what_else_torch_does_with_a_call(transformed: str, packing: None) -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    with torch.no_grad():
        faster(x)

    def call(model: nn.Module) -> Any:
        if transformed == "vmap":
            return torch.func.vmap(model)(x[:, None])
        if transformed == "grad":
            return torch.func.grad(lambda x: model(x).sum())(x)
        if transformed == "functional_call":
            other = {name: 2 * tensor for name, tensor in model.state_dict().items()}
            return torch.func.functional_call(model, other, (x,))
        if transformed == "autocast":
            with torch.autocast("cpu", torch.bfloat16):
                return model(x)
        with torch.inference_mode():
            return copy.deepcopy(model)(x).clone()

    with torch.no_grad() if transformed != "grad" else torch.enable_grad():
        expected, found = call(plain), call(faster)
    if transformed == "autocast":
        assert torch.equal(found, expected)
    else:
        same(found, expected)


def test_sizes_of_inputs_may_change(packing: None) -> None:
    plain, faster, _ = pair()
    loaded(faster, plain)
    with torch.no_grad():
        for shape in [(1, 3, 4, 4), (2, 3, 8, 4), (0, 3, 4, 4), (1, 3, 5, 3), (3, 3, 2, 2), (1, 3, 4, 4)]:
            x = torch.randn(shape)
            expected = plain(x)
            same(faster(x), expected) if len(x) else None
            assert faster(x).shape == expected.shape


def test_a_model_without_memory_gets_its_weights_later() -> None:
    plain, _, x = pair()
    faster = archc.load(archc.text(NET), optimize="inference", device="meta")
    archc.load_weights(faster, plain.state_dict())
    with torch.no_grad():
        same(faster(x), plain(x))


def test_it_is_exported() -> None:
    plain, faster, x = pair()
    loaded(faster, plain)
    with torch.no_grad():
        exported = torch.export.export(faster, (x,)).module()
        same(exported(x), plain(x))


@pytest.mark.parametrize("compile", [True, "whole"])
def test_it_is_compiled(compile: Any) -> None:
    plain, faster, x = pair()
    compiled = archc.load(archc.text(NET), optimize="inference", compile=compile)
    loaded(compiled, plain)
    assert [done.lever for done in compiled.optimizations] == [inference.DROPPED]
    with torch.no_grad():
        same(compiled(x), plain(x))


def test_one_that_is_compiled_afterwards_sees_other_weights() -> None:
    plain, faster, x = pair()
    compiled = torch.compile(faster, backend="eager", fullgraph=True)
    with torch.no_grad():
        compiled(x)
        loaded(faster, plain)
        same(compiled(x), plain(x))
