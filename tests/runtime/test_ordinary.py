"""The networks of specs/ are ordinary modules: what works on hand-written ones works on them."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import archc

VQ = Path(__file__).parents[2] / "specs" / "vq"
SMALL = {"ch": 32, "ch_mult": [1, 2], "num_res_blocks": 1, "attn_resolutions": [8], "resolution": 16}


def encoder() -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    return archc.load(f"{VQ / 'nets.yaml'}#Encoder", z_channels=6, **SMALL), (torch.randn(2, 3, 16, 16),)


def unet() -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    return archc.load(VQ / "unet.yaml", **SMALL), (torch.randn(2, 3, 16, 16), torch.tensor([3, 40]))


@pytest.fixture(params=[encoder, unet], ids=["encoder", "unet"])
def made(request: pytest.FixtureRequest) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    torch.manual_seed(0)
    return request.param()


Made = tuple[nn.Module, tuple[torch.Tensor, ...]]


def test_deepcopy_has_weights_of_its_own(made: Made) -> None:
    net, x = made
    other = copy.deepcopy(net)
    torch.testing.assert_close(other(*x), net(*x), rtol=0, atol=0)
    with torch.no_grad():
        next(other.parameters()).add_(1.0)
    assert not torch.equal(other(*x), net(*x))


def test_state_dict_travels_through_a_file(made: Made) -> None:
    net, x = made
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    other = copy.deepcopy(net)
    for p in other.parameters():
        nn.init.zeros_(p)
    other.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(other(*x), net(*x), rtol=0, atol=0)


def test_one_graph_under_torch_compile(made: Made) -> None:
    net, x = made
    compiled = torch.compile(net, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*x), net(*x))


def test_export(made: Made) -> None:
    net, x = made
    program = torch.export.export(net, x)
    torch.testing.assert_close(program.module()(*x), net(*x))
    assert set(program.state_dict) == set(net.state_dict())


def test_autocast(made: Made) -> None:
    net, x = made
    with torch.autocast("cpu", torch.bfloat16):
        low = net(*x)
    assert low.dtype is torch.bfloat16
    want = net(*x)
    assert (low.float() - want).abs().max() < 0.1 * want.abs().max()


def test_channels_last(made: Made) -> None:
    net, (image, *rest) = made
    want = net(image, *rest)
    last = net.to(memory_format=torch.channels_last)
    found = last(image.contiguous(memory_format=torch.channels_last), *rest)
    torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-4)


def test_hooks_see_every_block(made: Made) -> None:
    net, x = made
    seen: list[str] = []
    for name, module in net.named_modules():
        module.register_forward_hook(lambda *_, name=name: seen.append(name))
    net(*x)
    assert {name for name, module in net.named_modules() if not isinstance(module, nn.ModuleList)} == set(
        seen
    )


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_data_parallel_gradients(made: Made, one_process: None) -> None:
    net, x = made
    parallel = DistributedDataParallel(copy.deepcopy(net))
    parallel(*x).square().mean().backward()
    net(*x).square().mean().backward()
    for own, other in zip(net.parameters(), parallel.module.parameters(), strict=True):
        assert own.grad is not None and other.grad is not None  # DDP finds no parameter unused
        torch.testing.assert_close(other.grad, own.grad)


def test_meta_to_empty(made: Made) -> None:
    net, x = made
    spec = net.graph
    empty = archc.load(spec, device="meta").to_empty(device="cpu")
    empty.load_state_dict(net.state_dict())
    torch.testing.assert_close(empty(*x), net(*x), rtol=0, atol=0)


def test_the_built_file_is_the_loaded_model(made: Made, tmp_path: Path) -> None:
    net, x = made
    namespace: dict[str, object] = {}
    exec(compile(archc.source(net.graph), "model.py", "exec"), namespace)
    built = namespace[type(net).__name__]()  # type: ignore[operator]
    assert list(built.state_dict()) == list(net.state_dict())
    built.load_state_dict(net.state_dict())
    torch.testing.assert_close(built(*x), net(*x), rtol=0, atol=0)
