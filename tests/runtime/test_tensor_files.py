"""Files of tensors: every kind, whole and damaged."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from archc.runtime import tensor_files
from archc.runtime.tensor_files import Header, open_tensors
from archc.source.diagnostic import SpecError

TENSORS = {
    "a": torch.arange(12, dtype=torch.float32).view(3, 4),
    "b": torch.tensor(7),
    "c": torch.arange(5, dtype=torch.bfloat16),
    "d": torch.tensor([True, False, True]),
    "e": torch.zeros(0, 3),
    "f": torch.arange(6, dtype=torch.float64).view(1, 2, 3),
}


def pickled(path: Path) -> Path:
    torch.save(TENSORS, path)
    return path


def old_pickle(path: Path) -> Path:
    torch.save({"state_dict": TENSORS, "epoch": 3}, path, _use_new_zipfile_serialization=False)
    return path


def safe(path: Path) -> Path:
    path = path.with_suffix(".safetensors")
    save_file(TENSORS, path)
    return path


def sharded(path: Path, suffix: str = ".safetensors") -> Path:
    files = {"part-1" + suffix: ("a", "b", "c"), "part-2" + suffix: ("d", "e", "f")}
    for file, names in files.items():
        tensors = {name: TENSORS[name] for name in names}
        save_file(tensors, path.parent / file) if suffix == ".safetensors" else torch.save(
            tensors, path.parent / file
        )
    index = path.parent / f"model{suffix}.index.json"
    where = {name: file for file, names in files.items() for name in names}
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}))
    return index


def sharded_pickles(path: Path) -> Path:
    return sharded(path, ".bin")


KINDS = [safe, pickled, old_pickle, sharded, sharded_pickles]


def everything(source: object) -> dict[str, Tensor]:
    with open_tensors(source) as tensors:  # type: ignore[arg-type]
        return {name: tensors[name].clone() for name in tensors.headers}


@pytest.mark.parametrize("kind", KINDS)
def test_all_kinds_of_files(kind, tmp_path: Path) -> None:
    path = kind(tmp_path / "w.pt")
    with open_tensors(path) as tensors:
        assert tensors.headers == {n: Header(tuple(t.shape), t.dtype) for n, t in TENSORS.items()}
        for _ in range(2):
            for name, tensor in TENSORS.items():
                found = tensors[name]
                assert found.dtype == tensor.dtype
                assert torch.equal(found, tensor)
                del found
            tensors.release()


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_with_one_checkpoint(kind, tmp_path: Path) -> None:
    kind(tmp_path / "w.pt")
    (tmp_path / "config.json").write_text("{}")
    assert everything(tmp_path).keys() == TENSORS.keys()


def test_a_state_dict() -> None:
    assert everything({"model": TENSORS}).keys() == TENSORS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_copied_outlives_the_file(kind, tmp_path: Path) -> None:
    path = kind(tmp_path / "w.pt")
    found = everything(path)
    for file in tmp_path.iterdir():
        file.write_bytes(b"")
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


def test_a_tensor_that_begins_anywhere(tmp_path: Path) -> None:
    """The format puts tensors behind each other, whatever alignment their numbers want."""
    path = tmp_path / "w.safetensors"
    header = {
        "a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [3, 11]},
    }
    text = json.dumps(header).encode()
    data = bytes([1, 2, 3]) + bytes(torch.tensor([1.5, -2.0]).view(torch.uint8).tolist())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    found = everything(path)
    assert found["a"].tolist() == [1, 2, 3]
    assert found["b"].tolist() == [1.5, -2.0]


def test_what_is_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_files, "_WINDOW", 100)
    with open_tensors(pickled(tmp_path / "w.pt")) as tensors:
        first = tensors["a"].untyped_storage().data_ptr()
        tensors.spend(60)
        assert tensors["a"].untyped_storage().data_ptr() == first
        kept = tensors["a"]
        tensors.spend(int(1e6))
        assert tensors["a"].untyped_storage().data_ptr() != kept.untyped_storage().data_ptr()


def without_map(index: Path, found: dict) -> None:
    index.write_text("[]")


def wrong_map(index: Path, found: dict) -> None:
    index.write_text(json.dumps({"weight_map": {"a": 3}}))


def beside(index: Path, found: dict) -> None:
    found["weight_map"]["a"] = "../part-1.safetensors"
    index.write_text(json.dumps(found))


def itself(index: Path, found: dict) -> None:
    found["weight_map"]["a"] = index.name
    index.write_text(json.dumps(found))


def lost(index: Path, found: dict) -> None:
    (index.parent / "part-2.safetensors").unlink()


def moved(index: Path, found: dict) -> None:
    found["weight_map"]["a"] = "part-2.safetensors"
    index.write_text(json.dumps(found))


def cut_off(index: Path, found: dict) -> None:
    file = index.parent / "part-2.safetensors"
    file.write_bytes(file.read_bytes()[:-4])


DAMAGES = {
    without_map: "no `weight_map`",
    wrong_map: "no `weight_map`",
    beside: "`../part-1.safetensors` is not beside it",
    itself: "cannot be read as tensors",
    lost: "its file `part-2.safetensors` is missing",
    moved: "it tells of `a` in `part-2.safetensors`, which has none",
    cut_off: "cannot be read as tensors",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_indices(damage, tmp_path: Path) -> None:
    index = sharded(tmp_path / "w.pt")
    damage(index, json.loads(index.read_text()))
    with pytest.raises(SpecError) as error:
        open_tensors(index)
    assert [d.code for d in error.value.diagnostics] == ["A605"]
    assert DAMAGES[damage] in str(error.value)


def test_a_tensor_that_the_index_forgets_is_there(tmp_path: Path) -> None:
    index = sharded(tmp_path / "w.pt")
    found = json.loads(index.read_text())
    del found["weight_map"]["c"]
    index.write_text(json.dumps(found))
    assert "c" in everything(index)


REFUSED = {
    "nothing": ([], "has no file of weights"),
    "two": (["x.safetensors", "y.safetensors"], "has several files of weights: `x.safetensors`, `y.saf"),
    "two pickles": (["x.pt", "y.pt"], "has several"),
    "no index": (["m-1-of-2.safetensors", "m-2-of-2.safetensors"], "`m.safetensors.index.json` is missing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_folders_that_are_refused(name: str, tmp_path: Path) -> None:
    files, message = REFUSED[name]
    for file in files:
        (tmp_path / file).write_bytes(b"")
    with pytest.raises(SpecError) as error:
        open_tensors(tmp_path)
    assert [d.code for d in error.value.diagnostics] == ["A605"]
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("source", "help"),
    [(torch.nn.Linear(2, 2), "give its `state_dict()`"), (3, "give a path or a state_dict")],
)
def test_what_is_no_source(source: object, help: str) -> None:
    with pytest.raises(SpecError) as error:
        open_tensors(source)  # pyright: ignore[reportArgumentType]
    assert [(d.code, d.help) for d in error.value.diagnostics] == [("A605", help)]


class Evil:
    def __reduce__(self):
        return print, ("run",)


def saved(content: object):
    return lambda path: torch.save(content, path)


def scripted(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(torch.nn.Linear(2, 2)).save(path)


def broken(path: Path) -> None:
    torch.save(TENSORS, path)
    path.write_bytes(path.read_bytes()[:-100])


NO_TENSORS = {
    "a pickle of other things": (
        saved({"optimizer": {}, "step": 3}),
        "there are no tensors, but `optimizer`",
    ),
    "a list": (saved([1, 2]), "there is no mapping of names to tensors"),
    "a tensor": (saved(TENSORS["a"]), "there is no mapping of names to tensors"),
    "a model": (saved(torch.nn.Linear(2, 2)), "holds more than tensors: `torch.nn.modules.linear.Linear`\n"),
    "code": (saved({"a": Evil()}), "holds more than tensors: `print`\n"),
    "a script": (scripted, "is a TorchScript archive\n"),
    "a broken one": (broken, "cannot be read as tensors: PytorchStreamReader failed"),
    "no bytes": (lambda path: path.write_bytes(b""), "is no file that torch has saved"),
    "other bytes": (lambda path: path.write_bytes(b"abc"), "is no file that torch has saved"),
}


@pytest.mark.parametrize("name", NO_TENSORS)
def test_pickles_without_tensors(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write, message = NO_TENSORS[name]
    write(tmp_path / "w.pt")
    with pytest.raises(SpecError) as error:
        open_tensors(tmp_path / "w.pt")
    assert [d.code for d in error.value.diagnostics] == ["A605"]
    assert message in str(error.value)
    assert "weights_only" not in str(error.value)
    assert capsys.readouterr().out == ""
