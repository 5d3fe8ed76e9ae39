"""Models get memory and first values only where nothing else gives them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import archc
from archc.runtime.construct import construct
from archc.runtime.load import load
from archc.runtime.saving import save_weights
from archc.runtime.weights import load_weights

NET = """\
archc: 1
blocks:
  A:
    inputs: {x: 'int64[B, T]'}
    nodes:
      e: embedding(7, 4)
      l: {call: linear(4), repeat: 3}
      r: lstm(4)
      n: layer_norm
      b: buffer([4], init=ones, persistent=false)
      head: linear(7, bias=false)
    flow: {y: (x -> e -> l -> n -> r) + b -> head}
    init: [{at: e, weight: normal(0.5)}, {at: "l.*", weight: normal(0.5)}]
    tie: {head.weight: e.weight}
"""
SPEC = archc.text(NET)
ALL_SAVED = archc.text(NET.replace(", persistent=false", ""))
X = torch.tensor([[0, 3, 6], [1, 2, 5]])


class Drawn(TorchDispatchMode):
    """Counts how often random numbers are drawn, by the shapes that get them."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: Counter[tuple[int, ...]] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.shapes[tuple(args[0].shape)] += 1
        return func(*args, **(kwargs or {}))


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(1)
    return load(SPEC)


@pytest.fixture
def saved(model: nn.Module, tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    return path


def test_without_memory_nothing_is_drawn() -> None:
    with Drawn() as drawn:
        model = load(SPEC, device="meta")
    assert not drawn.shapes
    assert all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    with Drawn() as drawn, torch.device("meta"):
        load(SPEC)
    assert not drawn.shapes


def test_a_model_is_built_without_the_compiler() -> None:
    """It takes a second and 80 MB to import."""
    code = (
        f"import sys, archc; archc.load(archc.text({NET!r}), device='meta'); archc.load(archc.text({NET!r}))"
    )
    code += "; sys.exit('torch._dynamo' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_models_with_memory_are_made_as_always() -> None:
    with Drawn() as drawn:
        load(SPEC)
    assert drawn.shapes[(7, 4)] > 1


@pytest.mark.parametrize("spec", [SPEC, ALL_SAVED], ids=["a buffer that is not saved", "all are saved"])
def test_what_a_file_gives_is_not_drawn(spec: Any, tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = load(spec)
    save_weights(model, tmp_path / "w.safetensors")
    with Drawn() as drawn:
        other = load(spec, weights=tmp_path / "w.safetensors")
    assert not drawn.shapes
    assert other.head.weight is other.e.weight
    assert [(n, p.requires_grad) for n, p in other.named_parameters()] == [
        (n, p.requires_grad) for n, p in model.named_parameters()
    ]
    assert not any(tensor.is_meta for tensor in (*other.parameters(), *other.buffers()))
    torch.testing.assert_close(other(X), model(X), rtol=0, atol=0)


def test_only_what_a_file_lacks_is_drawn(model: nn.Module, saved: Path, tmp_path: Path) -> None:
    part = {name: tensor for name, tensor in load_file(saved).items() if name != "l.1.weight"}
    save_file(part, tmp_path / "part.safetensors")
    with Drawn() as drawn:
        other = load(SPEC, weights=tmp_path / "part.safetensors", strict=False)
    assert {shape for shape in drawn.shapes if shape != (7, 4)} == {(4, 4)}
    # One draw by the layer and one by the spec, as always; the head has its weight before it is tied.
    assert drawn.shapes == {(4, 4): 2, (7, 4): 1}
    assert 0.1 < other.l[1].weight.std() < 1.5
    assert not torch.equal(other.l[1].weight, model.l[1].weight)
    state, wanted = other.state_dict(), model.state_dict()
    assert state.keys() == wanted.keys()
    for name in set(state) - {"l.1.weight"}:
        assert torch.equal(state[name], wanted[name]), name
    assert other.b.eq(1).all()
    assert other(X).isfinite().all()


def test_nothing_fits(tmp_path: Path) -> None:
    save_file({"other": torch.ones(2)}, tmp_path / "w.safetensors")
    torch.manual_seed(5)
    other = load(SPEC, weights=tmp_path / "w.safetensors", strict=False)
    torch.manual_seed(5)
    torch.testing.assert_close(other(X), load(SPEC)(X), rtol=0, atol=0)


def test_a_dtype_and_a_device(saved: Path) -> None:
    other = load(SPEC, weights=saved, dtype=torch.bfloat16)
    assert {t.dtype for t in (*other.parameters(), *other.buffers())} == {torch.bfloat16}
    assert all(p.is_meta for p in load(SPEC, weights=saved, device="meta").parameters())


class FromWeights(nn.Module):
    """A layer that computes what is not saved from its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.register_buffer("norm", self.fc.weight.detach().norm(), persistent=False)


def test_what_is_computed_of_weights_is_there() -> None:
    model = construct(FromWeights, loaded=nn.Module.state_dict)
    assert not any(t.is_meta for t in (*model.parameters(), *model.buffers()))
    torch.testing.assert_close(model.norm, model.fc.weight.norm())


def test_other_threads_build_as_always() -> None:
    seen: list[bool] = []

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("b", torch.ones(2), persistent=False)
            thread = threading.Thread(target=lambda: seen.append(nn.Linear(2, 2).weight.is_meta))
            thread.start()
            thread.join()
            self.fc = nn.Linear(2, 2)

    model = construct(Net, loaded=nn.Module.state_dict)
    assert model.fc.weight.is_meta
    assert not model.b.is_meta
    assert seen == [False, False]


def test_nothing_stays_behind_an_error() -> None:
    def fail() -> nn.Module:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        construct(fail, device="meta", dtype=torch.float64, loaded=nn.Module.state_dict)
    assert not nn.Linear(2, 2).weight.is_meta
    assert torch.get_default_dtype() is torch.float32


# Pages of files


def mapped(tensor: Tensor, path: Path) -> bool:
    """Does a tensor lie in pages of a file?"""
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, *_, name = line.split(maxsplit=5)
        first, last = (int(end, 16) for end in place.split("-"))
        if name.strip().split(" (")[0] == str(path) and first <= tensor.data_ptr() < last:
            return True
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize("kind", ["safetensors", "pt", "index"])
def test_weights_are_the_pages_of_their_file(model: nn.Module, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"w.{'safetensors' if kind == 'index' else kind}"
    if kind == "pt":
        torch.save({k: v for k, v in model.state_dict().items() if k != "head.weight"}, path)
    else:
        save_weights(model, path, max_shard_size=200 if kind == "index" else None)
    files = sorted(tmp_path.glob("w-*.safetensors")) if kind == "index" else [path]
    before = [file.read_bytes() for file in files]
    other = load(SPEC, weights=tmp_path if kind == "index" else path)
    assert all(any(mapped(p, file) for file in files) for p in other.parameters())

    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    other(X).square().mean().backward()
    optimizer.step()
    assert not torch.equal(other.e.weight, model.e.weight)
    assert [file.read_bytes() for file in files] == before
    torch.testing.assert_close(
        load(SPEC, weights=tmp_path if kind == "index" else path)(X), model(X), rtol=0, atol=0
    )


@needs_proc
def test_a_file_may_be_replaced_or_deleted(model: nn.Module, saved: Path) -> None:
    other = load(SPEC, weights=saved)
    assert mapped(other.e.weight, saved)
    with torch.no_grad():
        other.n.weight.fill_(2.0)
    save_weights(other, saved)  # over the pages that it reads from
    assert load_file(saved)["n.weight"].eq(2).all()
    torch.testing.assert_close(load(SPEC, weights=saved)(X), other(X), rtol=0, atol=0)
    saved.unlink()
    assert torch.equal(other.e.weight, model.e.weight)


@needs_proc
def test_each_weight_has_memory_of_its_own(saved: Path) -> None:
    """So that what saves or sends one does not take the whole file along."""
    for parameter in load(SPEC, weights=saved).parameters():
        assert parameter.untyped_storage().nbytes() == parameter.nbytes


@needs_proc
@pytest.mark.parametrize("way", ["other dtype", "has memory", "between two", "a mapping"])
def test_what_has_to_be_copied_is(way: str, model: nn.Module, saved: Path) -> None:
    source: Any = saved
    dtype = torch.float64 if way == "other dtype" else None
    if way == "between two":  # the data begins where no number of four bytes may
        length = int.from_bytes(saved.read_bytes()[:8], "little")
        content = saved.read_bytes()
        saved.write_bytes(
            (length + 1).to_bytes(8, "little") + content[8 : 8 + length] + b" " + content[8 + length :]
        )
    elif way == "a mapping":
        source = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if way == "has memory":
        other = load(SPEC)
        load_weights(other, saved)
    else:
        other = load(SPEC, weights=source, dtype=dtype)
    assert not any(mapped(p, saved) for p in other.parameters())
    if way == "a mapping":
        pointers = {tensor.data_ptr() for tensor in source.values()}
        assert not any(p.data_ptr() in pointers for p in other.parameters())
    torch.testing.assert_close(other(X).float(), model(X))


@needs_proc
def test_two_of_ours_never_share_one_of_a_pickle(tmp_path: Path) -> None:
    nodes = "nodes: {a: linear(4), b: linear(4)}"
    spec = archc.text(
        f"archc: 1\nblocks: {{A: {{inputs: {{x: '[B, 4]'}}, {nodes}, flow: {{y: x -> a -> b}}}}}}"
    )
    one, bias = torch.randn(4, 4), torch.randn(4)
    torch.save({"a.weight": one, "b.weight": one, "a.bias": bias, "b.bias": bias}, tmp_path / "w.pt")
    model = load(spec, weights=tmp_path / "w.pt")
    assert torch.equal(model.a.weight, model.b.weight)
    assert model.a.weight.data_ptr() != model.b.weight.data_ptr()
