"""Weights in and out of files: everything is proved against the file's header before it is read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archc.graph.checkpoints import resolve
from archc.graph.ir import Graph
from archc.graph.recipes import text
from archc.graph.weights import weights
from archc.source.diagnostic import Diagnostic, SpecError

Names = str | Mapping[str, str] | None
"""A checkpoint map of the spec by its name, or a mapping of our names to those of the file."""

_SHOWN = 10  # names in one message


def load_weights(
    model: nn.Module,
    source: str | Path | Mapping[str, Tensor],
    *,
    names: Names = None,
    graph: Graph | None = None,
    device: Any = None,
    strict: bool = True,
) -> None:
    """Fill a model from a safetensors file, a pickle of tensors alone, or a state_dict.

    `names` tells how the file names the parts. All that is missing, left over or of another shape
    is told at once, as SpecError, and then nothing is loaded; with `strict=False` what fits is.
    A weight that is tied to one in the file may be missing there. Tensors take the model's dtype.
    """
    theirs = _names(names, graph if graph is not None else getattr(model, "graph", None))
    wanted = {name: tensor for name, tensor in _state(model).items()}
    with _File(source) as file:
        shapes = file.shapes()
        sources = {name: theirs.get(name, name) for name in wanted}
        problems = _problems(wanted, sources, shapes, file.name)
        if problems and strict:
            raise SpecError(problems)
        found: dict[str, Tensor] = {}
        for name, tensor in wanted.items():
            if shapes.get(sources[name]) == tuple(tensor.shape):
                place = device or ("cpu" if tensor.is_meta else tensor.device)
                found[name] = file.read(sources[name]).to(device=place, dtype=tensor.dtype)
    _fill(model, found)


def translated(graph: Graph, tensors: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """Tensors of a checkpoint, weights or their gradients, under the names of a Graph's tensors.

    A tensor of ours that they do not give is left out. Of tied ones each has what is given for it.
    """
    theirs = _names(names, graph)
    sources = {name: theirs.get(name, name) for name in weights(graph)}
    return {name: tensors[source] for name, source in sources.items() if source in tensors}


def save_weights(
    model: nn.Module, path: str | Path, *, names: Names = None, graph: Graph | None = None
) -> None:
    """Write a model's weights as safetensors; the file appears whole or not at all.

    Of tied weights one is written. `names` tells what the file shall call the parts.
    """
    from safetensors.torch import save_file

    theirs = _names(names, graph if graph is not None else getattr(model, "graph", None))
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in _state(model).items():
        if id(tensor) not in seen:
            seen.add(id(tensor))
            tensors[theirs.get(name, name)] = tensor.detach().contiguous()
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        save_file(tensors, temporary, metadata={"format": "pt"})
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _state(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of the state_dict themselves, by name; of tied ones both names have the same."""
    found: dict[str, Tensor] = {}
    keys = model.state_dict().keys()
    everything = dict(model.named_parameters(remove_duplicate=False))
    everything |= dict(model.named_buffers(remove_duplicate=False))
    for name in keys:
        if name in everything:
            found[name] = everything[name]
    return found


def _names(names: Names, graph: Graph | None) -> Mapping[str, str]:
    if names is None:
        return {}
    if not isinstance(names, str):
        return names
    if graph is None:
        raise TypeError("a checkpoint map by name needs the model's Graph: give `graph=`")
    return {ours: text(recipe) for ours, recipe in resolve(graph, names).recipes.items()}


def _problems(
    wanted: Mapping[str, Tensor], sources: Mapping[str, str], shapes: Mapping[str, tuple], where: str
) -> list[Diagnostic]:
    there = {id(t) for name, t in wanted.items() if sources[name] in shapes}
    missing = [sources[n] for n, t in wanted.items() if sources[n] not in shapes and id(t) not in there]
    used = set(sources.values())
    left = [name for name in shapes if name not in used]
    other = [
        f"{sources[n]} {list(shapes[sources[n]])}, not {list(t.shape)}"
        for n, t in wanted.items()
        if sources[n] in shapes and shapes[sources[n]] != tuple(t.shape)
    ]
    told = []
    for code, what, found, help in (
        ("A602", "lacks", missing, None),
        ("A603", "has, and the model does not take,", left, None),
        ("A604", "has tensors of another shape:", other, "check the params with which the model was built"),
    ):
        if found:
            told.append(Diagnostic(code, f"{where} {what} {_listed(found)}", None, help))
    if told and (missing or left) and not other:
        advice = "`names=` tells how a file names its parts; `strict=False` loads what fits"
        told[-1] = Diagnostic(told[-1].code, told[-1].message, None, advice)
    return told


def _listed(found: Iterable[str]) -> str:
    names = list(found)
    shown = ", ".join(f"`{n}`" for n in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _fill(model: nn.Module, found: Mapping[str, Tensor]) -> None:
    """Put tensors into a model; one that has no memory yet takes them as they are."""
    state = _state(model)
    replaced: dict[int, Tensor] = {}
    with torch.no_grad():
        for name, tensor in found.items():
            own = state[name]
            if own.is_meta:
                kept = nn.Parameter(tensor, own.requires_grad) if isinstance(own, nn.Parameter) else tensor
                replaced.setdefault(id(own), kept)
            else:
                own.copy_(tensor)
    for name, own in state.items():
        if id(own) in replaced:
            owner, _, attribute = name.rpartition(".")
            module = model.get_submodule(owner)
            kept = replaced[id(own)]
            if isinstance(kept, nn.Parameter):
                setattr(module, attribute, kept)
            else:
                module._buffers[attribute] = kept


class _File:
    """A file of tensors, opened; or tensors by their names."""

    def __init__(self, source: str | Path | Mapping[str, Tensor]) -> None:
        self._path = Path() if isinstance(source, Mapping) else Path(source)
        self._tensors = _tensors(source) if isinstance(source, Mapping) else None
        self._open: Any = None
        self.name = "the mapping" if isinstance(source, Mapping) else f"`{self._path.name}`"

    def __enter__(self) -> _File:
        if self._tensors is not None:
            return self
        if not self._path.is_file():
            raise SpecError([Diagnostic("A605", f"there is no file `{self._path}`", None)])
        try:
            if self._path.suffix in (".pt", ".pth", ".bin", ".ckpt"):
                self._tensors = _tensors(torch.load(self._path, map_location="cpu", weights_only=True))
            else:
                from safetensors import safe_open

                self._open = safe_open(str(self._path), framework="pt")
        except Exception as error:  # whatever a damaged file makes of its reader
            message = f"`{self._path.name}` cannot be read as a file of tensors: {error}"
            raise SpecError([Diagnostic("A605", message, None)]) from error
        return self

    def __exit__(self, *error: object) -> None:
        if self._open is not None:
            self._open.__exit__(None, None, None)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        if self._tensors is not None:
            return {name: tuple(t.shape) for name, t in self._tensors.items()}
        return {name: tuple(self._open.get_slice(name).get_shape()) for name in self._open.keys()}  # noqa: SIM118

    def read(self, name: str) -> Tensor:
        return self._tensors[name] if self._tensors is not None else self._open.get_tensor(name)


def _tensors(loaded: Any) -> dict[str, Tensor]:
    """The tensors of a pickle: a state_dict, perhaps inside `state_dict` or `model`."""
    for key in ("state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        raise ValueError("it holds no mapping of names to tensors")
    return {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
