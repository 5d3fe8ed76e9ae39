"""A model as a program of torch.export, with its free sizes free and the spec's names."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from archc.emit.names import argument_name
from archc.graph.ir import Bundle, Type
from archc.runtime.exporting.taken import Taken
from archc.shapes import Dim
from archc.shapes import Tensor as TensorType

Values = Mapping[str, Any]
"""Inputs by name: a tensor, or a list of tensors."""


class ExportError(Exception):
    """A model cannot be exported as asked. The message says why, and what to do."""


def traced(model: nn.Module, taken: Taken, values: Values, outputs: list[str]) -> ExportedProgram:
    """The program of a model, called on the given inputs alone; `outputs` are the names of what it returns.

    Raises ExportError where torch.export cannot follow the model, or fixes a size that the spec leaves free.
    """
    program = _exported(model, taken, values, nullcontext())
    if fixed_sizes(program, taken) and any(isinstance(m, nn.RNNBase) for m in model.modules()):
        # torch.export unrolls a recurrent layer over the steps of the example, unless told to loop.
        program = _exported(model, taken, values, _looping())
    if fixed := fixed_sizes(program, taken):
        example = " ".join(f"-p {name}={size}" for name, size in fixed.items())
        raise ExportError(
            f"torch.export cannot leave {', '.join(fixed)} free in this model; set what is wanted: {example}"
        )
    _name_outputs(program, outputs)
    return program


def _exported(model: nn.Module, taken: Taken, values: Values, around: Any) -> ExportedProgram:
    arguments, axes = called(taken, values), []
    for name, value in zip(taken.graph.inputs, arguments, strict=False):
        axes.append(None if value is None else _axes(taken.inputs[name]))
    try:
        with around, _as_written(model), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about itself
            return torch.export.export(model, tuple(arguments), dynamic_shapes=tuple(axes), strict=False)
    except Exception as error:
        raise ExportError(f"torch.export cannot follow this model: {_first(error)}") from error


def called(taken: Taken, values: Values) -> list[Any]:
    """The positional arguments of a call with the given inputs; those behind the last one are left out."""
    names = list(taken.graph.inputs)
    last = max((at for at, name in enumerate(names) if name in taken.given), default=-1)
    return [values[name] if name in taken.given else None for name in names[: last + 1]]


def _axes(kind: Type) -> Any:
    if isinstance(kind, Bundle):
        return [_axes(member) for member in kind.members]
    return {axis: torch.export.Dim.AUTO for axis, n in enumerate(kind.shape or ()) if isinstance(n, Dim)}


@contextmanager
def _looping() -> Iterator[None]:
    """Recurrent layers are traced as loops over the steps, as torch.onnx does it too."""
    from torch.export import _patches

    layers = (torch.ops.aten.lstm.input, torch.ops.aten.gru.input)
    with _patches.register_lstm_while_loop_decomposition(), _patches.register_gru_while_loop_decomposition():
        try:
            for layer in layers:  # it remembers how it was traced before
                layer._dispatch_cache.clear()
            yield
        finally:
            for layer in layers:
                layer._dispatch_cache.clear()


@contextmanager
def _as_written(model: nn.Module) -> Iterator[None]:
    """The model without what torch.compile put over its blocks, which a trace cannot enter."""
    compiled = {m: m._compiled_call_impl for m in model.modules() if m._compiled_call_impl is not None}
    try:
        for module in compiled:
            module._compiled_call_impl = None
        yield
    finally:
        for module, call in compiled.items():
            module._compiled_call_impl = call


def _first(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


# Names


def placeholders(program: ExportedProgram) -> list[torch.fx.Node]:
    """The nodes of the inputs, without those of weights."""
    names = set(program.graph_signature.user_inputs)
    return [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]


def given_tensors(taken: Taken) -> list[tuple[str, int | None, TensorType]]:
    """The tensors of the inputs in the order of a program's: input, number in a bundle, type."""
    found: list[tuple[str, int | None, TensorType]] = []
    for name, kind in taken.inputs.items():
        if isinstance(kind, Bundle):
            found += [(name, at, member) for at, member in enumerate(kind.members)]
        else:
            found.append((name, None, kind))
    return found


def fixed_sizes(program: ExportedProgram, taken: Taken) -> dict[str, int]:
    """The free sizes of the spec that a program has as numbers."""
    found: dict[str, int] = {}
    for node, (_, _, kind) in zip(placeholders(program), given_tensors(taken), strict=True):
        for size, traced_size in zip(kind.shape or (), node.meta["val"].shape, strict=True):
            if str(size) in taken.free and not isinstance(traced_size, torch.SymInt):
                found[str(size)] = int(traced_size)
    for guard in guards(program, taken):
        name, _, number = guard.partition(" == ")
        if name in taken.free and number.isdecimal():
            found[name] = int(number)
    return found


def symbol_names(program: ExportedProgram, taken: Taken) -> dict[str, str]:
    """torch's symbols, `s77`, and the spec's names of these sizes."""
    found: dict[str, str] = {}
    for node, (_, _, kind) in zip(placeholders(program), given_tensors(taken), strict=True):
        for size, traced_size in zip(kind.shape or (), node.meta["val"].shape, strict=True):
            if str(size) in taken.free and isinstance(traced_size, torch.SymInt):
                found.setdefault(str(traced_size.node.expr), str(size))
    return found


def guards(program: ExportedProgram, taken: Taken) -> list[str]:
    """What torch took for granted of the sizes when it traced, in the spec's names."""
    names = {(argument_name(name), at): kind.shape for name, at, kind in given_tensors(taken)}

    def named(match: re.Match[str]) -> str:
        name, at, axis = match["name"], match["at"], int(match["axis"])
        shape = names[name, None if at is None else int(at)]
        assert shape is not None
        return f"({shape[axis]})" if isinstance(shape[axis], Dim) else str(shape[axis])

    size = re.compile(r"L\['(?P<name>\w+)'\](?:\[(?P<at>\d+)\])?\.size\(\)\[(?P<axis>\d+)\]")
    found = [size.sub(named, code) for code in program._guards_code]
    bounds = []
    spoken = symbol_names(program, taken)
    for symbol, bound in program.range_constraints.items():
        name = spoken.get(str(symbol))
        # From 2 on: torch never tells 0 and 1 apart from numbers, and what it makes of 1 is tried.
        if name and bound.lower > 2:
            bounds.append(f"{name} >= {bound.lower}")
        if name and str(bound.upper) != "int_oo":
            bounds.append(f"{name} <= {bound.upper}")
    asked = [ast.unparse(ast.parse(text)) for text in (*bounds, *found) if "L[" not in text]
    return [text for text in asked if text.partition(" == ")[0] != text.partition(" == ")[2]]


def output_names(taken: Taken, result: Any) -> list[str]:
    """A name for each tensor that a call returns; those of a bundle are numbered."""
    found: list[str] = []
    for name, value in zip(taken.graph.outputs, returned(taken, result), strict=True):
        if isinstance(value, Tensor):
            found.append(name)
        elif value is not None:
            found += [f"{name}_{at}" for at, _ in enumerate(value)]
    return found


def returned(taken: Taken, result: Any) -> list[Any]:
    """What a call returned, output by output."""
    return [result] if len(taken.graph.outputs) == 1 else list(result)


def flat(values: Any) -> list[Tensor]:
    """The tensors in what a call takes or returns, in order."""
    if isinstance(values, Tensor):
        return [values]
    return [] if values is None else [tensor for value in values for tensor in flat(value)]


def _name_outputs(program: ExportedProgram, names: list[str]) -> None:
    """Give the nodes that make the outputs the outputs' names; one that is an input, or another output too,
    keeps what it has."""
    signature = program.graph_signature
    nodes = {node.name: node for node in program.graph.nodes}
    made = [name for name in signature.user_outputs if isinstance(name, str)]
    for at, new in enumerate(names):
        node = nodes[made[at]]
        other = nodes.get(new)
        if node.op == "placeholder" or node.name in names or (other and other.op == "placeholder"):
            continue
        for renamed, name in ((other, f"{new}_inner"), (node, new)):
            if renamed is not None and renamed.name != name:
                made = [name if old == renamed.name else old for old in made]
                signature.replace_all_uses(renamed.name, name)
                nodes[name] = nodes.pop(renamed.name)
                renamed.name = name
