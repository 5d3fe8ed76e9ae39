"""Every architecture of the zoo as every kind of file, with all its inputs and every size free.

An export compares the file with the model itself; what is asserted here is that the spec has lost nothing.
`--exports` writes the differences into docs/export.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archc
from tests.export_page import KINDS, PROPERTY
from tests.small_zoo import SMALL


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.long
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("kind", KINDS)
def test_exported(name: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if kind == "onnx":
        pytest.importorskip("onnxscript")
        pytest.importorskip("onnxruntime")
    small = SMALL[name]
    model = small.built()
    path = tmp_path / ("a.onnx" if kind == "onnx" else "a.pt2")
    made = archc.export(model, path, aot=kind == "aot", given=model.graph.open)  # type: ignore[union-attr, arg-type]
    assert made.manifest is not None and made.difference is not None
    assert {port.name for port in made.manifest.inputs} == {*model.graph.inputs}  # type: ignore[union-attr]
    assert {*small.sizes} <= {*made.manifest.sizes}
    assert all(port is not None for _, port in made.manifest.outputs)
    sizes = ", ".join(made.manifest.sizes)
    request.node.user_properties.append(
        (PROPERTY, (f"{name}: `{small.address}`", sizes, kind, made.difference))
    )
