"""Weights in and out of files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import archc
from archc.runtime.load import load
from archc.runtime.saving import save_weights
from archc.runtime.weights import load_weights, translated
from archc.source.diagnostic import SpecError

NET = """\
archc: 1
blocks:
  A:
    params: {n: int = 3}
    inputs: {x: 'int64[B]'}
    nodes:
      e: embedding(7, 4)
      l: {call: linear(4), repeat: n}
      b: buffer([4], init=ones, persistent=false)
      head: linear(7, bias=false)
    flow: {y: (x -> e -> l) + b -> head}
    tie: {head.weight: e.weight}
    checkpoints:
      theirs: {l.<i>.*: layers.<i + 1>.*, e.weight: tok.weight, head.weight: lm.weight}
"""
SPEC = archc.text(NET)


def codes(error: pytest.ExceptionInfo[SpecError]) -> list[str]:
    return [d.code for d in error.value.diagnostics]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(1)
    return load(SPEC)


@pytest.fixture
def saved(model: nn.Module, tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    return path


X = torch.tensor([0, 3, 6])


def test_there_and_back(model: nn.Module, saved: Path) -> None:
    other = load(SPEC, weights=saved)
    torch.testing.assert_close(other(X), model(X))
    assert other.head.weight is other.e.weight
    assert other.b.eq(1).all()
    third = load(SPEC)
    load_weights(third, saved)
    torch.testing.assert_close(third(X), model(X))


def test_tied_weights_are_written_once(saved: Path) -> None:
    assert sorted(load_file(saved)) == [
        "e.weight",
        *(f"l.{i}.{w}" for i in range(3) for w in ("bias", "weight")),
    ]


def test_names_of_others(model: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    save_weights(model, path, names="theirs")
    assert "layers.1.weight" in load_file(path)
    assert "tok.weight" in load_file(path)
    torch.testing.assert_close(load(SPEC, weights=path, names="theirs")(X), model(X))
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=path)
    assert codes(error) == ["A602"]
    assert error.value.diagnostics[0].help == 'with `names="theirs"` all of it fits'
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=path, names="thiers")
    assert codes(error) == ["A610"]


@pytest.mark.parametrize(("names", "told"), [(None, ""), ("theirs", ', and `names="theirs"`')])
def test_names_that_begin_alike(model: nn.Module, tmp_path: Path, names: str | None, told: str) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(model, path, names=names)
    wrapped = {f"module.{name}": tensor for name, tensor in load_file(path).items()}
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=wrapped)
    assert codes(error) == ["A602"]
    help = f"all names there begin with `module.`: give a state_dict without it{told}: "
    assert (error.value.diagnostics[0].help or "").startswith(help)
    bare = {name.removeprefix("module."): tensor for name, tensor in wrapped.items()}
    torch.testing.assert_close(load(SPEC, weights=bare, names=names)(X), model(X))
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=wrapped | {"module.other": torch.ones(1)})
    assert codes(error) == ["A602", "A603"]


def test_one_file_of_several(model: nn.Module, tmp_path: Path) -> None:
    save_weights(model, tmp_path / "w.safetensors", max_shard_size=200)
    shard = next(tmp_path.glob("w-00001-of-*.safetensors"))
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=shard)
    assert codes(error) == ["A602"]
    assert "give their folder" in (error.value.diagnostics[0].help or "")


@pytest.mark.parametrize("name", ["w.pth", "folder"])
def test_files_that_are_not_written(model: nn.Module, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="safetensors, not as .*: write .*safetensors`"):
        save_weights(model, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_files_have_the_rights_of_files(model: nn.Module, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o640)
    save_weights(model, path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_no_folder_to_write_into(model: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder `.*a` to write `w.safetensors` into"):
        save_weights(model, tmp_path / "a" / "w.safetensors")


def test_names_without_weights() -> None:
    with pytest.raises(TypeError, match="there are no `weights`"):
        load(SPEC, names="theirs")


def test_from_a_state_dict(model: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    save_weights(model, path, names="theirs")
    theirs = load_file(path)
    other = load(SPEC)
    load_weights(other, theirs, names="theirs")
    torch.testing.assert_close(other(X), model(X))
    del theirs["tok.weight"]
    with pytest.raises(SpecError, match="the mapping lacks `tok.weight`"):
        load_weights(other, theirs, names="theirs")


def test_translated_gives_our_names(model: nn.Module) -> None:
    theirs = {"tok.weight": torch.ones(7, 4), "layers.1.bias": torch.zeros(4)}
    ours = translated(model.graph, theirs, "theirs")
    assert set(ours) == {"e.weight", "l.0.bias"}
    assert ours["e.weight"] is theirs["tok.weight"]


def test_names_as_a_mapping(model: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    names = {"e.weight": "emb"}
    save_weights(model, path, names=names)
    torch.testing.assert_close(load(SPEC, weights=path, names=names)(X), model(X))


def test_every_mistake_at_once_and_nothing_loaded(model: nn.Module, saved: Path) -> None:
    tensors = load_file(saved)
    del tensors["l.0.weight"]
    tensors["l.1.weight"] = torch.zeros(5, 4)
    tensors["other"] = torch.zeros(1)
    save_file(tensors, saved)
    before = {n: t.clone() for n, t in model.state_dict().items()}
    for tensor in tensors.values():
        tensor.zero_()
    with pytest.raises(SpecError) as error:
        load_weights(model, saved)
    assert codes(error) == ["A602", "A603", "A604"]
    text = str(error.value)
    assert "`l.0.weight`" in text
    assert "`other`" in text
    assert "`l.1.weight [5, 4], not [4, 4]`" in text
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_what_fits_where_one_asks_for_it(saved: Path) -> None:
    tensors = load_file(saved)
    del tensors["l.0.weight"]
    save_file({n: torch.full_like(t, 2.0) for n, t in tensors.items()}, saved)
    model = load(SPEC, weights=saved, strict=False)
    assert model.l[1].weight.eq(2).all()
    assert not model.l[0].weight.is_meta
    assert not model.l[0].weight.eq(2).any()


def test_tensors_take_the_models_dtype(saved: Path) -> None:
    model = load(SPEC, weights=saved, dtype=torch.float64)
    assert {p.dtype for p in model.parameters()} == {torch.float64}


def test_pickles_of_tensors(model: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"state_dict": model.state_dict()}, path)
    torch.testing.assert_close(load(SPEC, weights=path)(X), model(X))


class Evil:
    def __reduce__(self):
        return print, ("run",)


def test_pickles_that_would_run_code_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.pt"
    torch.save({"e.weight": Evil()}, path)
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=path)
    assert codes(error) == ["A605"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 64])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=path)
    assert codes(error) == ["A605"]


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as error:
        load(SPEC, weights=tmp_path / "nowhere.safetensors")
    assert codes(error) == ["A605"]


def test_failed_write_leaves_nothing(model: nn.Module, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_weights(model, saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
