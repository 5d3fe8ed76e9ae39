"""Weights into files, as a checkpoint map names and arranges them: the inverse of loading."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from torch import Tensor, nn

from archc.graph.checkpoint_layout import Layout
from archc.graph.ir import Graph
from archc.graph.recipe_shapes import Misfit, Partial, Shape, needs, settled
from archc.graph.recipes import Recipe, Take, leaves
from archc.runtime.proof import prove
from archc.runtime.recipes import undone
from archc.runtime.tensor_files import PICKLES, Tensors, open_tensors
from archc.runtime.weights import Names, Source, layout_of, state
from archc.source.diagnostic import Diagnostic, SpecError
from archc.source.written import mode_of


def save_weights(
    model: nn.Module,
    path: str | Path,
    *,
    names: Names = None,
    graph: Graph | None = None,
    like: Source | None = None,
    max_shard_size: int | None = None,
) -> None:
    """Write a model's weights as safetensors; the file appears whole or not at all.

    `names` tells what the file shall call the parts: what is loaded by a checkpoint map is written by it
    as it was. Where the map does not tell the shapes there, `like` is a file that does. Of tied weights
    one is written, or those that `like` has.

    `max_shard_size`, in bytes: what is larger is written as several files beside `path`, and
    `path.index.json` tells which tensor is in which.

    Raises SpecError where loading the file would not give these weights again.
    """
    from safetensors.torch import save_file

    path = Path(path)
    if path.suffix in PICKLES or path.is_dir():
        file = path / "model.safetensors" if path.is_dir() else path.with_suffix(".safetensors")
        raise ValueError(f"weights are written as a file of safetensors, not as `{path}`: write `{file}`")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder `{path.parent}` to write `{path.name}` into")
    tensors = _theirs(state(model), layout_of(model, names, graph), like, path)
    tensors = _apart(tensors)
    shards = _shards(tensors, max_shard_size)
    files = [path]
    if len(shards) > 1:
        count = len(shards)
        files = [path.with_stem(f"{path.stem}-{n:05}-of-{count:05}") for n in range(1, count + 1)]
    with _appearing(files) as temporary:
        for file, shard in zip(temporary, shards, strict=True):
            save_file(shard, file, metadata={"format": "pt", "comment": "Written by archc"})
    if len(shards) > 1:
        total = sum(tensor.nbytes for tensor in tensors.values())
        where = {name: file.name for file, shard in zip(files, shards, strict=True) for name in shard}
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
        with _appearing([path.with_name(f"{path.name}.index.json")]) as [temporary]:
            temporary.write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


# What the checkpoint holds


def _theirs(ours: Mapping[str, Tensor], layout: Layout, like: Source | None, path: Path) -> dict[str, Tensor]:
    """The tensors of the checkpoint, by their names there."""
    recipes = {name: layout.recipes.get(name, Take(name)) for name in ours}
    known: dict[str, Shape] = {}
    if like is not None:
        with open_tensors(like) as there:
            known = {name: header.shape for name, header in there.headers.items()}
        recipes = {n: r for n, r in recipes.items() if all(leaf in known for leaf in leaves(r))}
    else:
        first: dict[int, str] = {}
        for name, tensor in ours.items():
            first.setdefault(id(tensor), name)
        recipes = {name: r for name, r in recipes.items() if first[id(ours[name])] == name}
    changed = {name: recipe for name, recipe in recipes.items() if not isinstance(recipe, Take)}
    shapes = {leaf: known[leaf] for r in changed.values() for leaf in leaves(r)} if known else {}
    shapes = shapes or _shapes(ours, changed)
    found = {recipe.name: ours[name] for name, recipe in recipes.items() if isinstance(recipe, Take)}
    try:
        found |= undone(changed, ours, shapes)
    except (RuntimeError, IndexError) as wrong:
        _fail(f"what is loaded by it is not what the model has: {wrong}")
    proof = prove(ours, layout, Tensors(found, f"`{path.name}`"))
    if proof.problems:
        raise SpecError(
            Diagnostic("A607", f"the weights cannot be written: {p.message}", None, p.help)
            for p in proof.problems
        )
    return found


def _shapes(ours: Mapping[str, Tensor], recipes: Mapping[str, Recipe]) -> dict[str, Shape]:
    """The shapes of theirs, as ours and their recipes tell them."""
    told: dict[str, list[Partial]] = {}
    for name, recipe in recipes.items():
        try:
            for leaf, partial in needs(recipe, tuple(ours[name].shape)):
                told.setdefault(leaf, []).append(partial)
        except Misfit as wrong:
            _fail(str(wrong))
    found: dict[str, Shape] = {}
    for leaf, partials in told.items():
        try:
            shape = settled(leaf, partials)
        except Misfit as wrong:
            _fail(str(wrong))
        if shape is None:
            _fail(f"nothing tells the shape of `{leaf}`")
        found[leaf] = shape
    return found


def _fail(message: str) -> NoReturn:
    help = "give `like=` a file that has these tensors, or say in the map where they end: `w[:8]`"
    raise SpecError([Diagnostic("A607", f"the weights cannot be written by the map: {message}", None, help)])


# Files


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as a file wants them: none with gaps, no two of the same memory."""
    seen: set[int] = set()
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        memory = tensor.untyped_storage().data_ptr()
        found[name] = tensor.clone() if memory in seen else tensor
        seen.add(memory)
    return found


def _shards(tensors: Mapping[str, Tensor], most: int | None) -> list[dict[str, Tensor]]:
    """The tensors in groups of at most so many bytes, one that is larger by itself."""
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        if most is not None and shards[-1] and size + tensor.nbytes > most:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    return shards


@contextmanager
def _appearing(paths: list[Path]) -> Iterator[list[Path]]:
    """Temporary files that get their names when all are written, and go where that fails."""
    made: list[Path] = []
    try:
        for path in paths:
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            os.close(handle)
            made.append(Path(temporary))
        yield made
        for temporary, path in zip(made, paths, strict=True):
            os.chmod(temporary, mode_of(path))  # a temporary file is its owner's alone
            os.replace(temporary, path)
    finally:
        for temporary in made:
            temporary.unlink(missing_ok=True)
