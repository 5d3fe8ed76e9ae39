"""What every operator owes, told by its `examples`: one place for the whole table.

For drawn sizes and attributes, the written PyTorch runs on meta tensors and must give the shapes
and dtypes that the operator tells; what it refuses, torch must refuse on real tensors.
"""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.utils.flop_counter import FlopCounterMode

from archc.ops import table
from archc.ops.arithmetic import INFIX, Negative
from archc.ops.attributes import Choice, Valid
from archc.ops.base import BadAttributes, Op, ShapeError, bind
from archc.ops.index import Index
from archc.ops.python import plain_text
from archc.shapes import Mismatch, Tensor, TooSmall, decide, evaluate, recording, substitute, symbol

INTERNAL = {op.title(): op for op in (*INFIX.values(), Negative, Index) if op.title() not in table.TABLE}
REFUSALS = (ShapeError, Mismatch, TooSmall)

each_operator = pytest.mark.parametrize("op", [*table.TABLE, *INTERNAL], indirect=True)


@pytest.fixture
def op(request) -> type[Op]:
    """The operator's class, by its name."""
    return INTERNAL.get(request.param) or table.get(request.param)


few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


# --- drawing a use -----------------------------------------------------------------------------


def is_number(text: str) -> bool:
    return "[" not in text


def shape_entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.partition("[")[2].rstrip("]").split(",") if entry.strip()]


def input_type(text: str | None, sizes: dict) -> Tensor | None:
    """The type that an example's text tells, its names replaced by sizes."""
    if text is None:
        return None
    if is_number(text):
        value = eval(text)
        return Tensor((), {bool: "bool", int: "int64", float: "float"}[type(value)], weak=True)
    shape = tuple(int(e) if e.isdigit() else sizes[e] for e in shape_entries(text))
    return Tensor(shape, text.partition("[")[0] or "float")


@st.composite
def uses(draw, op: type[Op]):
    """An instance of `op`, its example and the sizes of the names in its inputs."""
    example = draw(st.sampled_from(op.examples))
    attributes = {k: draw(st.sampled_from(list(v)), label=k) for k, v in example.attributes.items()}
    names = {e for t in example.inputs if t for e in shape_entries(t) if not e.isdigit()}
    names |= set(example.sizes)
    sizes = {n: draw(st.integers(*example.sizes.get(n, (1, 9))), label=n) for n in sorted(names)}
    return example, attributes, sizes


def substitute_all(value, sizes: dict):
    """An attribute of an example with the sizes put in for its free dimensions."""
    if isinstance(value, tuple):
        return tuple(substitute_all(v, sizes) for v in value)
    return substitute(value, sizes) if hasattr(value, "least") else value


def torch_dtype(dtype: str) -> torch.dtype:
    return torch.get_default_dtype() if dtype == "float" else getattr(torch, dtype)


def written(op: Op, example, types: list, device: str, seen: list | None = None, sizes: dict | None = None):
    """What `op` writes: a block that owns its weights, a `forward` for that, and inputs of zeros.

    `seen` are the types that the emitter tells it, over the names of `sizes`; or it knows none.
    """
    scope = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "math": math}
    scope |= {"DEVICE": device, "DTYPE": torch_dtype("float")} | (sizes or {})
    for source in op.helpers.values():
        exec(source, scope)
    block = torch.nn.Module()
    text = op.module(*types)
    inputs = {}
    with torch.device(device):
        block.owned = None if text is None else eval(plain_text(text), scope)
        for i, (told_text, type_) in enumerate(zip(example.inputs, types, strict=True)):
            if told_text is not None and is_number(told_text):
                inputs[f"input{i}"] = eval(told_text)
            elif told_text is not None:
                inputs[f"input{i}"] = torch.zeros(type_.shape, dtype=torch_dtype(type_.dtype))
    names = [f"input{i}" if f"input{i}" in inputs else None for i in range(len(example.inputs))]
    text = op.lower(names, seen, "self.owned") if seen else op.call(*names, self_="self.owned")
    exec(f"def forward(self, {', '.join(inputs)}):\n    return {plain_text(text)}", scope)
    return block, scope["forward"], inputs


def run(written: tuple, training: bool, device: str):
    """Runs what an operator writes: its outputs as a tuple, and what it owns."""
    block, forward, inputs = written
    with torch.device(device):
        out = forward(block.train(training), **inputs)
    return (out if isinstance(out, tuple | list) else (out,)), block.owned


def told(op: Op, types: list):
    """The outputs' types that `op` tells and the facts they stand on, or None where it refuses."""
    try:
        with recording() as facts:
            out = op.shape(*types)
    except REFUSALS:
        return None
    return (out if isinstance(out, tuple) else (out,)), facts


# --- the contract ------------------------------------------------------------------------------


@each_operator
def test_is_documented(op):
    assert op.__doc__ and "Example" in op.__doc__, "the docstring shows an example"
    assert op.examples, "examples for this test"
    assert not op.source or not op.ports(), "a source has no inputs"


@each_operator
def test_attributes_are_checked(op):
    for name, field in op.model_fields.items():
        checks = [m for m in field.metadata if isinstance(m, Valid | Choice)]
        assert checks or "Valid(" in repr(field.annotation) or nested_check(field.annotation), name
        attribute = field.alias or name
        with pytest.raises(BadAttributes) as refused:
            bind(op, (), {attribute: object()})
        assert attribute in [p.argument for p in refused.value.problems]


def nested_check(annotation) -> bool:
    metadata = getattr(annotation, "__metadata__", ())
    return any(isinstance(m, Valid | Choice) for m in metadata) or any(
        nested_check(a) for a in getattr(annotation, "__args__", ())
    )


@each_operator
@few
@given(data=st.data())
def test_agrees_with_torch(op, data):
    example, attributes, sizes = data.draw(uses(op))
    attributes = {k: substitute_all(v, sizes) for k, v in attributes.items()}
    training = data.draw(st.booleans(), label="training")
    try:
        built = op(**attributes)
    except ValidationError:
        return
    assert hash(built) == hash(op(**attributes))
    types = [input_type(t, sizes) for t in example.inputs]
    seen = types if data.draw(st.booleans(), label="types are known") else None
    device = "meta" if example.meta else "cpu"
    expected = told(built, types)
    if expected is None:
        if example.stricter:
            return
        with pytest.raises(Exception):  # noqa: B017 torch raises whatever it likes
            run(written(built, example, types, "cpu", seen), training, "cpu")
        return
    outputs, facts = expected
    assert facts == [], "known sizes need no guards"
    with FlopCounterMode(display=False) as counter:
        found, owned = run(written(built, example, types, device, seen), training, device)
    assert [(tuple(t.shape), t.dtype) for t in found] == [(t.shape, torch_dtype(t.dtype)) for t in outputs]
    assert len(built.output_names(len(outputs))) == len(outputs)
    assert isinstance(built.label(*types), str)
    check_weights(built, types, owned)
    check_flops(built, types, counter.get_total_flops())


def check_weights(op: Op, types: list, owned) -> None:
    weights = op.weights(*types)
    assert bool(weights) == op.owns_weights == (owned is not None)
    assert op.weighted or not weights
    if owned is None:
        return
    if isinstance(owned, torch.Tensor):
        holder = torch.nn.Module()
        holder.owned = owned
        weights = {"owned": weights[""]}
        owned = holder
    parameters, buffers = dict(owned.named_parameters()), dict(owned.named_buffers())
    assert weights.keys() == parameters.keys() | buffers.keys()
    for name, weight in weights.items():
        tensor = buffers[name] if weight.buffer else parameters[name]
        assert (tuple(tensor.shape), tensor.dtype) == (weight.shape, torch_dtype(weight.dtype))
        assert tensor.requires_grad == weight.trainable
        assert (name in owned.state_dict()) == weight.persistent


UNCOUNTED = {"mat_mul", "bilinear", "einsum", "lstm", "gru", "rnn", "lstm_cell", "gru_cell", "rnn_cell"}
"""Operators that torch's counter takes apart otherwise, or not at all; their own tests count them."""


def check_flops(op: Op, types: list, counted: int) -> None:
    if op.title() not in UNCOUNTED:
        assert op.flops(*types) == counted


UNCOMPILED = {"lstm", "gru", "rnn"}
"""Operators that Dynamo does not take as part of a graph."""


@each_operator
def test_compiles_as_one_graph(op):
    """The source runs under `torch.compile(fullgraph=True)`, and under autocast, like any other."""
    if op.title() in UNCOMPILED:
        pytest.skip("Dynamo takes no recurrent layers")
    for example in op.examples:
        sizes = {e: 4 for t in example.inputs if t for e in shape_entries(t) if not e.isdigit()}
        sizes |= {n: high for n, (_, high) in example.sizes.items()}
        for built in instances(op, example, sizes):
            types = [input_type(t, sizes) for t in example.inputs]
            if told(built, types) is not None:
                return compile_once(built, example, types)
    raise AssertionError("no example is valid for sizes of 4")


def instances(op: type[Op], example, sizes: dict):
    """The operator with each combination of the example's attributes that is valid."""
    for values in product(*example.attributes.values()):
        attributes = zip(example.attributes, (substitute_all(v, sizes) for v in values), strict=True)
        try:
            yield op(**dict(attributes))
        except ValidationError:
            continue


def compile_once(op: Op, example, types: list) -> None:
    block, forward, inputs = written(op, example, types, "cpu", types)
    torch.compiler.reset()
    torch.compile(forward, fullgraph=True, backend="eager")(block, **inputs)
    with torch.autocast("cpu", torch.bfloat16):
        forward(block, **inputs)


@each_operator
@few
@given(data=st.data())
def test_symbolic_sizes_agree_with_known_ones(op, data):
    example, attributes, sizes = data.draw(uses(op))
    try:
        built = op(**attributes)
        plain = op(**{k: substitute_all(v, sizes) for k, v in attributes.items()})
    except ValidationError:
        return
    seen = [input_type(t, {n: symbol(n) for n in sizes}) for t in example.inputs]
    symbolic = told(built, seen)
    if symbolic is None:
        return
    outputs, facts = symbolic
    if not all(holds(fact, sizes) for fact in facts):
        return
    types = [input_type(t, sizes) for t in example.inputs]
    known = told(plain, types)
    assert known is not None, "the facts hold, and the sizes are refused"
    for mine, other in zip(outputs, known[0], strict=True):
        assert tuple(evaluate(s, sizes) for s in mine.shape) == other.shape
        assert mine.dtype == other.dtype
    device = "meta" if example.meta else "cpu"
    found, _ = run(written(built, example, types, device, seen, sizes), False, device)
    assert [tuple(t.shape) for t in found] == [t.shape for t in known[0]]


def holds(fact, sizes: dict) -> bool:
    truth = substitute(fact, sizes)
    return truth if isinstance(truth, bool) else decide(truth) is True
