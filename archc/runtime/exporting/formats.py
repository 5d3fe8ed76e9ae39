"""The kinds of files that a program is written as."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from archc.runtime.compiler import lacks_compiler
from archc.runtime.compiling.shared import CPU_OPTIONS
from archc.runtime.exporting import onnx_file
from archc.runtime.exporting.manifest import NAME, Manifest
from archc.runtime.exporting.trace import ExportError

Write = Callable[[ExportedProgram, Manifest, Path], None]


def _program(program: ExportedProgram, manifest: Manifest, path: Path) -> None:
    torch.export.save(program, path, extra_files={NAME: manifest.json()})


def _aot(program: ExportedProgram, manifest: Manifest, path: Path) -> None:
    import torch._inductor
    from torch.export.pt2_archive._package import package_pt2

    assert program.example_inputs is not None
    arguments, named = program.example_inputs
    options: dict[str, Any] = {"aot_inductor.package": True}
    options |= CPU_OPTIONS if manifest.device == "cpu" else {}
    try:
        module = program.module(check_guards=False)  # the manifest has them, for whoever opens the file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about itself
            files = torch._inductor.aot_compile(module, arguments, named, options=options)  # type: ignore[arg-type]
    except Exception as error:
        if lacks_compiler(error):
            raise ExportError("AOTInductor needs a C++ compiler and finds none; install g++") from None
        raise
    package_pt2(path, aoti_files={"model": files}, extra_files={NAME: manifest.json()})  # type: ignore[dict-item]


WRITERS: dict[str, Write] = {"program": _program, "aot": _aot, "onnx": onnx_file.write}
"""By the kind: `write(program, manifest, path)` writes a program there, and what belongs to it beside it."""

NEEDED: dict[str, Callable[[], None]] = {"onnx": onnx_file.needed}
"""What raises ExportError where the packages that a kind needs are missing."""
