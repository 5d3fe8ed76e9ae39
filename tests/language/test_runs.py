"""Every right case of the language, built and run: torch gives the shapes that the check told."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from archc.graph import presence
from archc.graph.ir import Bundle, Graph, Type
from archc.runtime.load import load
from archc.shapes import Size, Tensor, evaluate, plain, symbols

SIZES = (16, 24, 48, 5, 6, 9)
"""What a free dimension may be: sizes that fulfil most guards, and sizes that break them."""


def test_runs(right_case: Any, tmp_path: Path) -> None:
    graph = right_case.check(tmp_path).graph
    assert graph is not None
    model = load(graph).eval()
    names = sorted(_free(graph))
    ran = 0
    for shift, given in product(range(len(SIZES)), (set(graph.open), set())):
        sizes = {name: SIZES[(shift + i) % len(SIZES)] for i, name in enumerate(names)}
        sizes |= {n: 0 for n in names if graph.may_be_empty(n) and graph.told_by(n) not in given}
        inputs = {
            name: _example(graph.type(ref), sizes)
            for name, ref in graph.inputs.items()
            if name not in graph.open or name in given
        }
        case = sum(1 << i for i, name in enumerate(graph.open) if name in given)
        asked = all(presence.where(ask.test, graph.open) >> case & 1 for ask in graph.asks)
        if asked and all(evaluate(g.condition, sizes) for g in graph.guards if g.needs <= given):
            _compare(graph, _outputs(graph, model(**inputs)), sizes, given)
            ran += 1
        else:
            with pytest.raises((ValueError, RuntimeError)):
                model(**inputs)
    assert ran, "no sizes fulfil the guards"


def _tensors(type: Type) -> tuple[Tensor, ...]:
    return type.members if isinstance(type, Bundle) else (type,)


def _free(graph: Graph) -> set[str]:
    types = [tensor for ref in graph.inputs.values() for tensor in _tensors(graph.type(ref))]
    return {name for tensor in types for size in tensor.shape or () for name in symbols(size)}


def _size(size: Size, sizes: dict[str, int]) -> int:
    return int(evaluate(size, sizes)) if symbols(size) else int(plain(size))


def _dtype(name: str) -> torch.dtype:
    return torch.float32 if name == "float" else getattr(torch, name)


def _example(type: Type, sizes: dict[str, int]) -> Any:
    """Ones of a type: indices and masks that fit anything."""
    made = [
        torch.ones([_size(s, sizes) for s in tensor.shape or ()], dtype=_dtype(tensor.dtype))
        for tensor in _tensors(type)
    ]
    return made if isinstance(type, Bundle) else made[0]


def _outputs(graph: Graph, given: Any) -> dict[str, Any]:
    """What forward returns, by the names of the outputs."""
    names = list(graph.outputs)
    if len(names) == 1:
        return {names[0]: given}
    return dict(zip(names, given, strict=True)) if isinstance(given, tuple) else dict(given)


def _compare(graph: Graph, outputs: dict[str, Any], sizes: dict[str, int], given: set[str]) -> None:
    case = sum(1 << i for i, name in enumerate(graph.open) if name in given)
    for name, ref in graph.outputs.items():
        value = outputs[name]
        assert (value is not None) == bool(graph.presence[name] >> case & 1), name
        if value is None:
            continue
        type = graph.type(ref)
        values = value if isinstance(type, Bundle) else [value]
        for tensor, found in zip(_tensors(type), values, strict=True):
            assert tensor.shape is not None
            assert found.dtype == _dtype(tensor.dtype), name
            wanted = [None if symbols(s) - sizes.keys() else _size(s, sizes) for s in tensor.shape]
            assert [w for w in wanted if w is not None] == [
                n for w, n in zip(wanted, found.shape, strict=True) if w is not None
            ], name
