"""A program as an ONNX model, with the spec's names for inputs, outputs and free sizes."""

from __future__ import annotations

import importlib.util
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from archc.runtime.exporting.manifest import NAME, Manifest
from archc.runtime.exporting.trace import ExportError

MOST_IN_ONE_FILE = 1_800_000_000
"""Bytes of weights: protobuf holds no more than 2 GiB, so larger ones lie beside the model."""


def needed() -> None:
    """Raises ExportError where the packages are missing."""
    missing = [name for name in ("onnxscript", "onnxruntime") if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(f"ONNX needs {' and '.join(missing)}: pip install 'archc[onnx]'")


def write(program: ExportedProgram, manifest: Manifest, path: Path) -> None:
    """Write a program as an ONNX model; large weights go into `path` + `.data`."""
    inputs = [name for port in manifest.inputs for name in port.tensors]
    found = [name for _, port in manifest.outputs if port is not None for name in port.tensors]
    outputs = [f"{name}_out" if name in inputs else name for name in found]  # names are unique in ONNX
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about itself
            program = program.run_decompositions({_ATTENTION: _attention})
            made = torch.onnx.export(
                program, (), input_names=inputs, output_names=outputs, dynamo=True, verbose=False
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ExportError(f"torch's ONNX exporter cannot write this model: {_cause(error)}") from error
    assert made is not None
    _name_sizes(made.model, manifest)
    made.model.producer_name = "archc"
    made.model.doc_string = f"Written by archc: {manifest.block}"
    made.model.metadata_props[NAME] = manifest.json()
    large = sum(t.numel() * t.element_size() for t in program.state_dict.values()) > MOST_IN_ONE_FILE
    made.save(path, external_data=large)


def _cause(error: BaseException) -> str:
    """The innermost error's words, which name the operator."""
    while error.__cause__ is not None and "Error when translating node" not in str(error):
        error = error.__cause__
    lines = [line for line in str(error).splitlines() if "Error when translating" in line] or [str(error)]
    return lines[0].strip()


_ATTENTION = torch.ops.aten.scaled_dot_product_attention.default


def _attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *args: Any, **kw: Any
) -> Any:
    """Attention without an axis of heads gets one: the exporter knows it with four axes only."""
    if query.dim() != 3:
        return NotImplemented
    mask = mask.unsqueeze(1) if mask is not None and mask.dim() == 3 else mask
    return _ATTENTION(query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1), mask, *args, **kw).squeeze(1)


def _name_sizes(model: Any, manifest: Manifest) -> None:
    """Give the sizes of all values the spec's names, in place of torch's `s77`."""
    import onnx_ir

    shapes = [shape for port in manifest.inputs for shape in port.shapes]
    names: dict[str, str] = {}
    for value, shape in zip(model.graph.inputs, shapes, strict=True):
        for size, wanted in zip(value.shape, shape or (), strict=False):
            if isinstance(wanted, str) and wanted.isidentifier() and not isinstance(size, int):
                names.setdefault(str(size.value), wanted)

    def named(size: Any) -> Any:
        if isinstance(size, int) or size.value is None:
            return size
        return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), str(size.value))

    looping = any(node.op_type == "Loop" for node in model.graph.all_nodes())
    for value in (v for node in model.graph.all_nodes() for v in node.outputs):
        if looping:
            value.shape = None  # torch has the sizes of its example there
        elif value.shape is not None:
            value.shape = onnx_ir.Shape([named(size) for size in value.shape])
    ends = [(port, shape) for _, port in manifest.outputs if port is not None for shape in port.shapes]
    for value, shape in zip(model.graph.inputs, shapes, strict=True):
        value.shape = None if shape is None else onnx_ir.Shape(shape)
    for value, (_, shape) in zip(model.graph.outputs, ends, strict=True):
        value.shape = None if shape is None else onnx_ir.Shape(shape)
