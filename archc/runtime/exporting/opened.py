"""Exported files, opened to run: without the spec, and without anything of the compiler."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from archc.runtime.exporting.manifest import NAME, Manifest

Run = Callable[[dict[str, Any]], list[Any]]


class Opened:
    """A model out of an exported file, to be called as the model was: `opened(x)`, `opened(x=x)`.

    It refuses inputs that the file was not made for, with the spec's names, and returns what the model would.
    `manifest` tells what it takes and gives."""

    def __init__(self, manifest: Manifest, run: Run) -> None:
        self.manifest = manifest
        self._run = run

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        return self.manifest.unpack(self._run(self.manifest.bind(inputs, named)))

    def __repr__(self) -> str:
        takes = ", ".join(map(str, self.manifest.inputs))
        gives = ", ".join(str(port) for _, port in self.manifest.outputs if port is not None)
        return f"<{self.manifest.block}, {self.manifest.kind}: ({takes}) -> ({gives})>"


def open_exported(path: str | Path) -> Opened:
    """A model out of a file that `archc.export` wrote: a `.pt2` of either kind, or an `.onnx`.

    Opening runs what is in the file: an AOTInductor package is machine code. Open what you made or trust.
    Pickled objects are refused all the same, and so is every file that archc did not write.

    Raises ValueError for such a file, OSError where it cannot be read.

    >>> import archc, tempfile, torch
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = archc.export(archc.text(spec), f"{folder}/a.pt2")
    ...     opened = archc.open_exported(f"{folder}/a.pt2")
    >>> opened(x=torch.ones(2, 4)).shape
    torch.Size([2, 8])
    """
    path = Path(path)
    with path.open("rb") as file:
        archive = file.read(2) == b"PK"
    manifest = in_archive(path) if archive else None
    if manifest is not None:
        return Opened(manifest, _OPENERS[manifest.kind](path, manifest))
    if path.suffix == ".onnx":
        return _onnx(path)
    raise ValueError(f"{path} is no file that archc exported")


def in_archive(path: Path) -> Manifest | None:
    """What an archive says of itself; None where archc did not write it. Nothing in it is run."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(f"/extra/{NAME}"):
                    return Manifest.read(archive.read(name))
    except (zipfile.BadZipFile, ValueError):
        return None
    return None


def _program(path: Path, manifest: Manifest) -> Run:
    import torch.export

    _refuse_pickles(path)
    module = torch.export.load(path).module()

    def run(values: dict[str, Any]) -> list[Any]:
        return _flat(module(*manifest.positional(values)))

    return run


def _refuse_pickles(path: Path) -> None:
    """torch.export.load unpickles what an archive asks it to; ours hold tensors alone."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            *_, folder, file = ("", *name.split("/"))
            if file.startswith(("custom_obj", "opaque_obj")):
                raise ValueError(f"{path} holds a pickled object, {file}, which archc does not write")
            if folder in ("weights", "constants") and file.endswith(".json") and _pickled(archive.read(name)):
                raise ValueError(f"{path} holds pickled weights, which archc does not write")
            if folder == "sample_inputs":
                try:
                    torch.load(archive.open(name), weights_only=True)
                except Exception:  # whatever an unpickler makes of what it does not know
                    raise ValueError(f"{path} holds pickled inputs, which archc does not write") from None


def _pickled(config: bytes) -> bool:
    import json

    return any(entry.get("use_pickle") for entry in json.loads(config)["config"].values())


def _aot(path: Path, manifest: Manifest) -> Run:
    # What `torch._inductor.aoti_load_package` ends in. That imports the compiler first, for seconds.
    loader = torch._C._aoti.AOTIModelPackageLoader(str(path), "model", False, 1, -1)  # type: ignore[attr-defined]

    def run(values: dict[str, Any]) -> list[Any]:
        # What was compiled reads memory in order, and does not look whether it lies so.
        return loader.run([tensor.contiguous() for tensor in manifest.named_tensors(values).values()])

    return run


def _onnx(path: Path) -> Opened:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map.get(NAME)
    if told is None:
        raise ValueError(f"{path} is no file that archc exported")
    manifest = Manifest.read(told)

    def run(values: dict[str, Any]) -> list[Any]:
        tensors = {name: t.detach().numpy() for name, t in manifest.named_tensors(values).items()}
        return [torch.from_numpy(array) for array in session.run(None, tensors)]

    return Opened(manifest, run)


_OPENERS: dict[str, Callable[[Path, Manifest], Run]] = {"program": _program, "aot": _aot}


def _flat(values: Any) -> list[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        return [values]
    return [] if values is None else [tensor for value in values for tensor in _flat(value)]
