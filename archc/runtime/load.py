"""A spec as a model, ready to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from archc.emit import emit
from archc.graph.compile import check
from archc.graph.ir import Graph
from archc.runtime.build import build_module
from archc.runtime.construct import Loaded, construct
from archc.runtime.inference import for_inference, frozen, settled
from archc.runtime.probe import probe
from archc.runtime.weights import Names, Source, fitting, load_weights
from archc.source.collector import collector_paused
from archc.source.diagnostic import SpecError


@collector_paused()
def load(
    spec: Any,
    *,
    given: Iterable[str] = (),
    absent: Iterable[str] = (),
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    weights: Source | None = None,
    names: Names = None,
    strict: bool = True,
    compile: bool | Literal["whole"] = False,
    optimize: Literal["inference"] | None = None,
    strict_numerics: bool = False,
    **settings: Any,
) -> nn.Module:
    """The model of a spec.

    `spec` is an address, a text, a dict or a checked Graph; `settings` are params and free
    dimensions, `given` and `absent` fix optional inputs, as for `archc.check`.

    `device` may be "meta": shapes without memory. `dtype` is what the default dtype of the spec
    becomes. `weights` is a safetensors file (or another source of `load_weights`), `names` the
    checkpoint map that tells its names (or a mapping from ours to theirs). `compile=True` compiles
    block by block, each distinct block once; `compile="whole"` the model as one.

    `optimize="inference"` gives a model that cannot train and computes the same, to rounding, in fewer
    calls; its weights keep their names, and `model.optimizations` tells what was done where.

    Where torch is quicker with other operators than those of the flow, as with `silu` in the place of
    `x * (x -> sigmoid)`, the model has these, equal to rounding; with `strict_numerics=True` it computes as
    the spec is written, to the bit.

    The model knows where it comes from: `model.graph` and `model.spec` (unless a node has that
    name), and a notebook shows it as its diagram. Raises SpecError with everything that is wrong.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, C]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> model = load(archc.text(spec), C=4)
    >>> model(torch.ones(2, 4)).shape
    torch.Size([2, 8])
    """
    if weights is None and names is not None:
        raise TypeError("`names` tells how the tensors of `weights` are named, and there are no `weights`")
    if compile not in (True, False, "whole"):
        raise ValueError(f'`compile` is True, "whole" or False, not {compile!r}')
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"`dtype` is a floating dtype of torch, such as torch.bfloat16, not {dtype!r}")
    graph = _graph(spec, settings, given=given, absent=absent, root=root, ops=ops)
    if optimize and strict_numerics:
        raise ValueError("`optimize` changes how numbers are rounded, and `strict_numerics` forbids it")
    faster = for_inference(graph, optimize, device, dtype, bool(compile)) if optimize else None
    cls = build_module(emit(faster.graph if faster else graph, strict=strict_numerics))
    if faster:
        cls = frozen(cls, faster.optimizations, graph.members)
    for name, value in (("graph", graph), ("spec", spec)):
        if name not in graph.members:
            setattr(cls, name, value)
    setattr(cls, "_repr_svg_", lambda _: graph._repr_svg_())  # noqa: B010
    loaded: Loaded | None = None
    if weights is not None:
        loaded = (
            nn.Module.state_dict if strict else partial(fitting, source=weights, names=names, graph=graph)
        )
    model = construct(cls, device=device, dtype=dtype, loaded=loaded)
    if weights is not None:
        load_weights(model, weights, names=names, graph=graph, device=device, strict=strict)
        model = model.to(device) if device is not None else model
    if faster:
        settled(model)
    if compile:
        _compile(model, graph, whole=compile == "whole")
    return model


def _compile(model: nn.Module, graph: Graph, whole: bool) -> None:
    # Imported here: it imports torch's compiler, which takes a second and 80 MB.
    from archc.runtime.compiling import compile_blocks, compile_whole
    from archc.runtime.free_sizes import free_sizes

    free = free_sizes(graph)
    if whole:
        compile_whole(model, free.get("", {}))
    else:
        compile_blocks(model, free)


def _graph(spec: Any, settings: Mapping[str, Any], **options: Any) -> Graph:
    if isinstance(spec, Graph):
        if settings:
            raise TypeError(f"a Graph is bound already and takes no settings: {', '.join(settings)}")
        return spec
    result = check(spec, settings, probe=probe, **options)
    if result.graph is None:
        raise SpecError(result.diagnostics)
    return result.graph
