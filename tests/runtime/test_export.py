"""Models in files: torch.export, ONNX, AOTInductor and weights; they say what the spec says."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archc
from archc.runtime.exporting import export as exporting
from archc.runtime.exporting.manifest import Manifest, expression
from archc.runtime.exporting.taken import Taken, every_size
from archc.runtime.exporting.trace import ExportError

NET = archc.text(
    """\
archc: 1
blocks:
  Net:
    inputs:
      x: [B, 3, H, W]
      mask: "float[B, 1, H, W]?"
    nodes:
      conv: conv2d(4, 3, padding=1)
      down: conv2d(4, 4, stride=4)
    require:
      - H % 4 == 0 and W % 4 == 0: the image must be made of whole patches
    flow:
      h: x * mask -> conv -> relu
      small: h -> down
    outputs: [small, h]
"""
)

PAST = archc.text(
    """\
archc: 1
blocks:
  Net:
    inputs:
      x: [B, T, 4]
      past: {bundle: 2, shape: "[B, P = 0, 4]?"}
      context: "[B, S, 4]?"
    nodes:
      fc: linear(4)
    flow:
      long: past[0], x -> concat(1) -> fc
      y: long + (past[1], x -> concat(1))
      kept: bundle(long, y)
    outputs: [y, kept]
"""
)

onnx = pytest.mark.skipif(
    not all(map(__import__("importlib.util").util.find_spec, ("onnxscript", "onnxruntime"))),
    reason="ONNX needs archc[onnx]",
)
KINDS = ["a.pt2", pytest.param("a.onnx", marks=onnx)]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def alike(found: Any, wanted: Any) -> None:
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_the_model_at_every_size(tmp_path: Path, name: str) -> None:
    model = archc.load(NET).eval()
    made = archc.export(model, tmp_path / name)
    assert made.difference is not None and made.difference < 1e-4
    opened = archc.open_exported(tmp_path / name)
    for shape in ((1, 3, 8, 12), (2, 3, 16, 8), (5, 3, 32, 32)):
        x = torch.randn(shape)
        alike(opened(x), model(x))
        alike(opened(x=x), model(x))


@pytest.mark.parametrize("name", KINDS)
def test_it_has_the_names_of_the_spec(tmp_path: Path, name: str) -> None:
    archc.export(NET, tmp_path / name)
    manifest = archc.open_exported(tmp_path / name).manifest
    assert [str(port) for port in manifest.inputs] == ["x: float32[B, 3, H, W]"]
    assert [str(port) for _, port in manifest.outputs] == [
        "small: float32[B, 4, H // 4, W // 4]",
        "h: float32[B, 4, H, W]",
    ]
    assert manifest.sizes == ("B", "H", "W")
    assert "H % 4 == 0 and W % 4 == 0" in manifest.guards


def test_a_program_has_them_for_torch_too(tmp_path: Path) -> None:
    archc.export(NET, tmp_path / "a.pt2", given=["mask"])
    program = torch.export.load(tmp_path / "a.pt2")
    assert program.graph_signature.user_inputs == ("x", "mask")
    assert program.graph_signature.user_outputs == ("small", "h")
    assert {*program.state_dict} == {*archc.load(NET).state_dict()}


@onnx
def test_an_onnx_model_has_them_for_everyone(tmp_path: Path) -> None:
    import onnxruntime

    archc.export(NET, tmp_path / "a.onnx", given=["mask"])
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    shapes = {value.name: value.shape for value in (*session.get_inputs(), *session.get_outputs())}
    assert shapes == {
        "x": ["B", 3, "H", "W"],
        "mask": ["B", 1, "H", "W"],
        "small": ["B", 4, "H // 4", "W // 4"],
        "h": ["B", 4, "H", "W"],
    }


@onnx
def test_an_output_named_as_an_input_gets_another_name_in_onnx(tmp_path: Path) -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {x: '[B, 2]', state: '[B, 2]'},"
        " flow: {y: x + state, new: y * 2}, outputs: {y: y, state: new}}}"
    )
    archc.export(spec, tmp_path / "a.onnx")
    opened = archc.open_exported(tmp_path / "a.onnx")
    x = torch.randn(3, 2)
    alike(opened(x, x), (2 * x, 4 * x))


@onnx
def test_large_weights_lie_beside_an_onnx_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archc.runtime.exporting.onnx_file.MOST_IN_ONE_FILE", 0)
    model = archc.load(NET).eval()
    made = archc.export(model, tmp_path / "a.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.onnx", "a.onnx.data"]
    assert made.bytes > (tmp_path / "a.onnx").stat().st_size
    x = torch.randn(1, 3, 8, 8)
    alike(archc.open_exported(tmp_path / "a.onnx")(x), model(x))


@pytest.mark.parametrize("name", KINDS)
def test_inputs_that_it_was_not_made_for_are_refused(tmp_path: Path, name: str) -> None:
    archc.export(NET, tmp_path / name)
    opened = archc.open_exported(tmp_path / name)
    wrong: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (
            ValueError,
            r"x: expected \[B, 3, H, W\], got \[2, 4, 8, 8\]",
            lambda: opened(torch.randn(2, 4, 8, 8)),
        ),
        (ValueError, r"x: expected \[B, 3, H, W\], got \[3, 8, 8\]", lambda: opened(torch.randn(3, 8, 8))),
        (
            ValueError,
            "expected H % 4 == 0 and W % 4 == 0, got B = 2, H = 9, W = 8",
            lambda: opened(torch.randn(2, 3, 9, 8)),
        ),
        (ValueError, "x: expected float32, got float64", lambda: opened(torch.randn(2, 3, 8, 8).double())),
        (TypeError, "missing x", lambda: opened()),
        (TypeError, "no input y", lambda: opened(y=torch.ones(1))),
        (TypeError, "given twice", lambda: opened(torch.ones(1), x=torch.ones(1))),
        (TypeError, "mask: the file was made without it", lambda: opened(torch.ones(1), torch.ones(1))),
        (TypeError, "expected a tensor, got list", lambda: opened([1])),
    ]
    for error, message, call in wrong:
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("name", KINDS)
def test_what_may_be_absent_is_absent_unless_it_is_given(tmp_path: Path, name: str) -> None:
    model = archc.load(NET).eval()
    x, mask = torch.randn(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    archc.export(model, tmp_path / name, example={"x": x, "mask": mask})
    opened = archc.open_exported(tmp_path / name)
    alike(opened(x, mask), model(x, mask))
    with pytest.raises(TypeError, match="missing mask"):
        opened(x)
    with pytest.raises(ValueError, match=r"mask: expected \[B, 1, H, W\]"):
        opened(x, mask[:1])


def test_an_example_of_one_leaves_the_batch_free(tmp_path: Path) -> None:
    model = archc.load(NET).eval()
    made = archc.export(model, tmp_path / "a.pt2", torch.randn(1, 3, 8, 8))
    assert {"B": 1, "H": 8, "W": 8} in made.tried
    x = torch.randn(4, 3, 8, 12)
    alike(archc.open_exported(tmp_path / "a.pt2")(x), model(x))


@pytest.mark.parametrize("name", KINDS)
def test_bundles_and_sizes_that_absent_inputs_tell(tmp_path: Path, name: str) -> None:
    model = archc.load(PAST).eval()
    x, past = torch.randn(2, 5, 4), [torch.randn(2, 3, 4), torch.randn(2, 3, 4)]
    archc.export(model, tmp_path / name)
    made = archc.open_exported(tmp_path / name)
    assert str(made.manifest.outputs[0][1]) == "y: float32[B, T, 4]"
    alike(made(x), model(x))
    archc.export(model, tmp_path / name, given=["past"])
    made = archc.open_exported(tmp_path / name)
    assert [str(port) for port in made.manifest.inputs][1] == "past: 2 x float32[B, P, 4]"
    alike(made(x, past), model(x, past))
    y, kept = made(x, past=past)
    assert isinstance(kept, list) and y.shape == (2, 8, 4)
    with pytest.raises(ValueError, match="past: expected 2 tensors, got 1"):
        made(x, past[:1])


@pytest.mark.parametrize("name", KINDS)
def test_steps_of_a_recurrent_layer_stay_free(tmp_path: Path, name: str) -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {x: '[B, T, 3]'}, nodes: {l: lstm(4)}, flow: {'y, h, c': x -> l}}}"
    )
    model = archc.load(spec).eval()
    archc.export(model, tmp_path / name)
    opened = archc.open_exported(tmp_path / name)
    for steps in (1, 2, 9):
        x = torch.randn(2, steps, 3)
        alike(opened(x), model(x))


@onnx
def test_attention_without_heads_and_with_a_mask(tmp_path: Path) -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {q: '[B, T, 4]', k: '[B, S, 4]', mask: 'bool[B, T, S]'},"
        " flow: {y: 'q, k, k, mask=mask -> attention'}}}"
    )
    model = archc.load(spec).eval()
    archc.export(model, tmp_path / "a.onnx")
    q, k, mask = torch.randn(2, 5, 4), torch.randn(2, 7, 4), torch.rand(2, 5, 7) < 0.7
    mask[..., 0] = True
    alike(archc.open_exported(tmp_path / "a.onnx")(q, k, mask), model(q, k, mask))


def test_ahead_of_time(tmp_path: Path) -> None:
    model = archc.load(NET).eval()
    made = archc.export(model, tmp_path / "a.pt2", aot=True, given=["mask"])
    assert made.kind == "aot"
    opened = archc.open_exported(tmp_path / "a.pt2")
    for shape in ((1, 3, 8, 12), (2, 3, 16, 8)):
        x = torch.randn(shape).to(memory_format=torch.channels_last)  # it lies otherwise in memory
        alike(opened(x, mask=x[:, :1]), model(x, x[:, :1]))
    with pytest.raises(ValueError, match="expected H % 4 == 0 and W % 4 == 0"):
        opened(torch.randn(1, 3, 8, 9), torch.randn(1, 1, 8, 9))


def test_weights_under_the_names_of_a_checkpoint(tmp_path: Path) -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {x: '[B, 2]'}, nodes: {fc: linear(3)}, flow: {y: x -> fc},"
        " checkpoints: {old: {'fc.*': 'layers.0.*'}}}}"
    )
    made = archc.export(spec, tmp_path / "a.safetensors", write_names="old")
    assert made.manifest is None
    from safetensors import safe_open

    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert sorted(file.keys()) == ["layers.0.bias", "layers.0.weight"]
    assert archc.load(spec, weights=tmp_path / "a.safetensors", names="old")


def test_a_compiled_model_and_one_in_training_are_left_as_they_were(tmp_path: Path) -> None:
    model = archc.load(NET, compile="whole").train()
    before = model._compiled_call_impl
    archc.export(model, tmp_path / "a.pt2")
    assert model.training and model._compiled_call_impl is before


def test_nothing_is_written_where_the_file_would_not_be_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = exporting.WRITERS["program"]

    def wrong(program: Any, manifest: Manifest, path: Path) -> None:
        program.state_dict["conv.weight"] = nn.Parameter(program.state_dict["conv.weight"] + 0.01)
        write(program, manifest, path)

    monkeypatch.setitem(exporting.WRITERS, "program", wrong)
    (tmp_path / "a.pt2").write_text("mine")
    with pytest.raises(ExportError, match="differs from the model"):
        archc.export(NET, tmp_path / "a.pt2")
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt2"]
    assert (tmp_path / "a.pt2").read_text() == "mine"


def test_wrong_uses(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"`a.txt` should end in .pt2, .onnx or .safetensors"):
        archc.export(NET, tmp_path / "a.txt")
    with pytest.raises(ValueError, match=r"AOTInductor compiles ends in .pt2: `a.pt2`"):
        archc.export(NET, tmp_path / "a.onnx", aot=True)
    with pytest.raises(TypeError, match="write_names"):
        archc.export(NET, tmp_path / "a.pt2", write_names="old")
    with pytest.raises(FileNotFoundError, match="no folder"):
        archc.export(NET, tmp_path / "none" / "a.pt2")
    with pytest.raises(TypeError, match="no Graph"):
        archc.export(nn.Linear(2, 2), tmp_path / "a.pt2")
    model = archc.load(NET)
    with pytest.raises(TypeError, match="takes no settings: ch"):
        archc.export(model, tmp_path / "a.pt2", ch=3)
    with pytest.raises(TypeError, match="the example has y"):
        archc.export(model, tmp_path / "a.pt2", {"y": torch.ones(1)})
    with pytest.raises(TypeError, match="the example lacks x"):
        archc.export(model, tmp_path / "a.pt2", {"mask": torch.ones(1)})
    with pytest.raises(ExportError, match="no free dimension Q: free are B, H, W"):
        archc.export(model, tmp_path / "a.pt2", sizes={"Q": 3})
    with pytest.raises(ExportError, match="the image must be made of whole patches"):
        archc.export(model, tmp_path / "a.pt2", torch.ones(1, 3, 6, 8))
    with pytest.raises(ExportError, match="`meta` has no weights"):
        archc.export(NET, tmp_path / "a.pt2", device="meta")
    assert not any(tmp_path.iterdir())


def test_a_model_of_optional_inputs_alone_asks_for_one(tmp_path: Path) -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {a: '[B]?', b: '[B]?'},"
        " flow: {x: a -> relu, y: b -> relu}, outputs: [x, y]}}"
    )
    with pytest.raises(ExportError, match="name what the file takes, as in --given a"):
        archc.export(spec, tmp_path / "a.pt2")
    model = archc.load(spec)
    archc.export(model, tmp_path / "a.pt2", given=["b"])
    opened = archc.open_exported(tmp_path / "a.pt2")
    assert opened(b=torch.ones(3))[0] is None
    alike(opened(None, torch.ones(3))[1], torch.ones(3))


def test_only_our_own_files_are_opened(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("a pickle was run",))

    foreign = tmp_path / "foreign.pt2"
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.ones(1, 2),)), foreign)
    (tmp_path / "text.onnx").write_text("no model")
    (tmp_path / "text.pt2").write_text("no archive")
    for name in ("foreign.pt2", "text.pt2"):
        with pytest.raises(ValueError, match="no file that archc exported"):
            archc.open_exported(tmp_path / name)
    archc.export(NET, tmp_path / "a.pt2")
    with zipfile.ZipFile(tmp_path / "a.pt2") as ours:
        files = {name: ours.read(name) for name in ours.namelist()}
    root = next(iter(files)).split("/")[0]
    samples = next(name for name in files if "sample_inputs" in name)
    config = next(name for name in files if name.endswith("weights_config.json"))
    pickled = json.loads(files[config])
    for entry in pickled["config"].values():
        entry["use_pickle"] = True
    changes = {
        "pickled object": {f"{root}/data/constants/custom_obj_0": pickle.dumps(Evil())},
        "pickled weights": {config: json.dumps(pickled).encode()},
        "pickled inputs": {samples: pickle.dumps(Evil())},
    }
    for message, changed in changes.items():
        with zipfile.ZipFile(tmp_path / "evil.pt2", "w") as evil:
            for name, content in {**files, **changed}.items():
                evil.writestr(name, content)
        with pytest.raises(ValueError, match=message):
            archc.open_exported(tmp_path / "evil.pt2")


@pytest.mark.parametrize(
    "text",
    ["__import__('os')", "(1).real", "a[0]", "[1]", "lambda: 1", "min(a, key=b)", "print(1)", "1 <", "'a'"],
)
def test_an_expression_computes_sizes_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match="no expression over sizes"):
        expression(text)


def test_expressions() -> None:
    sizes = {"H": 9, "W": 4}
    cases = {
        "H // 2 + W": 8,
        "-H + 10": 1,
        "max(H, W) - min(H, W)": 5,
        "H % 2 == 1 and not W > 4": True,
        "H if W == 3 else 2 ** W": 16,
        "H < 9 or W >= 4": True,
    }
    for text, wanted in cases.items():
        assert expression(text)(sizes) == wanted, text


def test_sizes_to_trace_with_are_no_special_case() -> None:
    graph = archc.graph(NET)
    first = Taken(graph, ("x",)).plain_sizes({})[0]
    assert len({*first.values()}) == 3
    assert first["H"] % 4 == 0 and first["H"] // 4 >= 2
    assert {str(size) for size in every_size(graph)} >= {"B", "H // 4"}
