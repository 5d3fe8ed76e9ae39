"""Weights in and out of files: everything is proved against the file's header before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archc.graph.checkpoint_layout import Layout
from archc.graph.checkpoints import known_maps, plain_layout, resolve
from archc.graph.ir import Graph
from archc.graph.recipes import Recipe, Take, leaves, text
from archc.runtime.proof import Proof, prove
from archc.runtime.recipes import joins, made
from archc.runtime.tensor_files import SHARD, Tensors, open_tensors
from archc.source.diagnostic import Diagnostic, Report, SpecError

Names = str | Mapping[str, str] | None
"""A checkpoint map of the spec by its name, or a mapping of our names to those of the file."""

Source = str | Path | Mapping[str, Tensor]
"""A state_dict, a file of tensors, the index of a sharded checkpoint, or the folder of one."""


def load_weights(
    model: nn.Module,
    source: Source,
    *,
    names: Names = None,
    graph: Graph | None = None,
    device: Any = None,
    strict: bool = True,
) -> None:
    """Fill a model with weights.

    `source` is a safetensors file, a pickle of tensors alone, the `.index.json` of a sharded
    checkpoint, a folder with one of these, or a state_dict. `names` tells how it names the parts.

    All that is missing, left over or of another shape is told at once, as SpecError, and then nothing
    is loaded; with `strict=False` what fits is. A weight that is tied to one in the file may be missing
    there. Tensors take the model's dtype. Those that have no memory yet get it on `device`; where that is
    "cpu" and the file has what they are to be, its own pages are their memory: nothing is copied, what is
    trained leaves the file as it is, and the file may be replaced or deleted but not be written into.

    >>> import archc, torch
    >>> net = "archc: 1\\nblocks: {A: {inputs: {x: '[B, C]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> model = archc.load(archc.text(net), C=4)
    >>> load_weights(model, {"fc.weight": torch.zeros(8, 4), "fc.bias": torch.ones(8)})
    >>> model(torch.ones(1, 4)).sum().item()
    8.0
    """
    layout = layout_of(model, names, graph)
    ours = state(model)
    place = torch.device(device if device is not None else "cpu")
    with open_tensors(source) as theirs, torch.no_grad():
        proof = prove(ours, layout, theirs)
        if strict:
            _check_twins(proof, layout, theirs)
            if proof.problems:
                graph = graph or getattr(model, "graph", None)
                raise SpecError(_advised(proof.problems, ours, layout, graph, theirs))
        _check_memory(ours, proof, theirs, place)
        new = _lent(ours, proof, theirs) if place.type == "cpu" else {}
        copier = _Copier(theirs)
        for name, recipe in proof.recipes.items():
            if name in new:
                continue
            own = ours[name]
            target = torch.empty_like(own, device=place) if own.is_meta else own.detach()
            copier.copy(target, recipe)
            if own.is_meta:
                new[name] = target
    for name in proof.kept:
        if ours[name].is_meta:
            new[name] = torch.zeros_like(ours[name], device=place)
    _adopt(model, ours, new)


def fitting(model: nn.Module, source: Source, names: Names, graph: Graph | None) -> set[str]:
    """The names of the tensors that `load_weights` with `strict=False` fills; the model may be without
    memory."""
    with open_tensors(source) as theirs:
        return set(prove(state(model), layout_of(model, names, graph), theirs).recipes)


def translated(graph: Graph, tensors: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """Tensors of a checkpoint, weights or their gradients, under the names of a Graph's tensors.

    Each is what the checkpoint map `names` makes of theirs. A tensor of ours of which they do not have
    everything is left out. Of tied ones each has what is given for it.
    """
    recipes = _layout(graph, names).recipes
    return {
        name: made(recipe, tensors.__getitem__)
        for name, recipe in recipes.items()
        if all(leaf in tensors for leaf in leaves(recipe))
    }


# Names


def layout_of(model: nn.Module, names: Names, graph: Graph | None) -> Layout:
    """What a checkpoint with these names is to a model."""
    graph = graph if graph is not None else getattr(model, "graph", None)
    if isinstance(graph, Graph):
        return _layout(graph, names)
    if isinstance(names, str):
        raise TypeError("a checkpoint map by name needs the model's Graph: give `graph=`")
    return Layout({ours: Take(theirs) for ours, theirs in (names or {}).items()})


def _layout(graph: Graph, names: Names) -> Layout:
    if isinstance(names, str):
        return resolve(graph, names)
    plain = plain_layout(graph)
    return plain._replace(recipes=plain.recipes | {ours: Take(name) for ours, name in (names or {}).items()})


def state(model: nn.Module) -> dict[str, Tensor]:
    """The tensors of the state_dict themselves, by name; of tied ones both names have the same."""
    found: dict[str, Tensor] = {}
    keys = model.state_dict().keys()
    everything = dict(model.named_parameters(remove_duplicate=False))
    everything |= dict(model.named_buffers(remove_duplicate=False))
    for name in keys:
        if name in everything:
            found[name] = everything[name]
    return found


def _advised(
    problems: list[Diagnostic], ours: Mapping[str, Tensor], layout: Layout, graph: Any, theirs: Tensors
) -> list[Diagnostic]:
    """What speaks against a checkpoint; one thing, with what would make all of it fit, if that is known."""
    first, *_ = problems
    tried: dict[str, Layout] = {}
    for name in known_maps(graph) if isinstance(graph, Graph) else ():
        found = Report()
        other = resolve(graph, name, found)
        if found.ok:
            tried[name] = other
    for name, other in tried.items():
        if not prove(ours, other, theirs).problems:
            return [first._replace(help=f'with `names="{name}"` all of it fits')]
    prefix, inner = _without_prefix(theirs)
    for name, other in {"": layout, **tried}.items() if prefix else ():
        if not prove(ours, other, inner).problems:
            help = f"all names there begin with `{prefix}`: give a state_dict without it"
            named = f', and `names="{name}"`' if name else ""
            code = f'`{{k.removeprefix("{prefix}"): v for k, v in tensors.items()}}`'
            return [first._replace(help=f"{help}{named}: {code}")]
    if len(problems) == 1 and first.code == "A602" and SHARD.search(theirs.where):
        help = "it is one of several files: give their folder, or the `.index.json` in it"
        return [first._replace(help=help)]
    return problems


def _without_prefix(theirs: Tensors) -> tuple[str, Tensors]:
    """The part that all of their names begin with, as `module.` of DistributedDataParallel, and the shapes
    by the names without it; "" where there is none."""
    prefixes = {name.partition(".")[0] + "." for name in theirs.headers}
    prefix = prefixes.pop() if len(prefixes) == 1 else ""
    headers = theirs.headers if prefix else {}
    bare = {n[len(prefix) :]: torch.empty(h.shape, dtype=h.dtype, device="meta") for n, h in headers.items()}
    return prefix, Tensors(bare, theirs.where)


# What headers do not tell


def _check_twins(proof: Proof, layout: Layout, theirs: Tensors) -> None:
    """Of tied weights a checkpoint may have both; they must be equal."""
    for twin, first in proof.twins.items():
        one, other = proof.recipes.get(first), layout.recipes.get(twin, Take(twin))
        if one is None or proof.problems or one == other:
            continue
        a, b = made(one, theirs.__getitem__), made(other, theirs.__getitem__)
        if not (a.is_meta or b.is_meta or torch.equal(a, b)):
            message = f"{theirs.where} has different values in `{text(one)}` and `{text(other)}`"
            help = f"`{first}` and `{twin}` are tied: they are one tensor"
            proof.problems.append(Diagnostic("A608", message, None, help))
        del a, b
        theirs.release()


def _check_memory(ours: Mapping[str, Tensor], proof: Proof, theirs: Tensors, place: torch.device) -> None:
    """Tensors without memory have no values to give."""
    for name, recipe in proof.recipes.items():
        wanted = place.type != "meta" if ours[name].is_meta else True
        empty = [leaf for leaf in leaves(recipe) if theirs[leaf].is_meta] if wanted else []
        if empty:
            message = f"`{empty[0]}` of {theirs.where} is on the device `meta`: it has no values"
            raise SpecError([Diagnostic("A605", message, None)])


# Filling


def _lent(ours: Mapping[str, Tensor], proof: Proof, theirs: Tensors) -> dict[str, Tensor]:
    """What needs no copy: of ours without memory those that the file has as they are, in pages that no
    other has."""
    found: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, recipe in proof.recipes.items():
        own = ours[name]
        tensor = theirs.lent(recipe.name) if own.is_meta and isinstance(recipe, Take) else None
        if tensor is None or (tensor.dtype, tensor.stride()) != (own.dtype, own.stride()):
            continue
        if tensor.data_ptr() not in taken:
            taken.add(tensor.data_ptr())
            found[name] = tensor
    return found


class _Copier:
    """Copies what recipes make, large tensors piece by piece, so that little of a file is held at once."""

    def __init__(self, theirs: Tensors) -> None:
        self._theirs = theirs
        self._buffer = torch.empty(0, dtype=torch.uint8)

    def copy(self, target: Tensor, recipe: Recipe) -> None:
        size = target.numel() * target.itemsize
        value = self._made(recipe)
        if size <= self._theirs.window or joins(recipe):
            target.copy_(value)
            del value
            self._theirs.spend(size)
            return
        axis = max(range(value.dim()), key=value.stride)  # along it, pieces lie together in the file
        length = value.shape[axis]
        del value
        step = max(1, self._theirs.window // (size // length))
        for start in range(0, length, step):
            count = min(step, length - start)
            piece = self._made(recipe).narrow(axis, start, count)
            target.narrow(axis, start, count).copy_(piece if axis == 0 else self._in_order(piece))
            del piece
            self._theirs.spend(size // length * count)

    def _made(self, recipe: Recipe) -> Tensor:
        return made(recipe, self._theirs.__getitem__)

    def _in_order(self, piece: Tensor) -> Tensor:
        """A turned tensor with its elements in order, which torch is fast at; always in the same memory."""
        size = piece.numel() * piece.itemsize
        if self._buffer.numel() < size or self._buffer.device != piece.device:
            self._buffer = torch.empty(size, dtype=torch.uint8, device=piece.device)
        return self._buffer[:size].view(piece.dtype).view(piece.shape).copy_(piece)


def _adopt(model: nn.Module, ours: Mapping[str, Tensor], new: Mapping[str, Tensor]) -> None:
    """Put tensors into a model where it had none with memory; tied ones at all their names."""
    kept: dict[int, Tensor] = {}
    for name, tensor in new.items():
        own = ours[name]
        kept[id(own)] = nn.Parameter(tensor, own.requires_grad) if isinstance(own, nn.Parameter) else tensor
    for name, own in ours.items():
        if id(own) not in kept:
            continue
        owner, _, attribute = name.rpartition(".")
        module = model.get_submodule(owner)
        if isinstance(own, nn.Parameter):
            setattr(module, attribute, kept[id(own)])
        else:
            module._buffers[attribute] = kept[id(own)]
