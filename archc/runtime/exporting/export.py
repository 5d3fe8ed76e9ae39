"""A spec or a model as a file that runs without it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archc.graph.ir import Bundle, Graph, Type
from archc.runtime.exporting.formats import NEEDED, WRITERS
from archc.runtime.exporting.kinds import kind_of
from archc.runtime.exporting.manifest import Manifest, Port, expression
from archc.runtime.exporting.opened import open_exported
from archc.runtime.exporting.taken import Taken
from archc.runtime.exporting.trace import (
    ExportError,
    Values,
    called,
    flat,
    guards,
    output_names,
    returned,
    traced,
)
from archc.runtime.exporting.values import bound, example_sizes, random_values, required, single_sizes
from archc.runtime.load import load
from archc.runtime.saving import save_weights
from archc.runtime.weights import Names
from archc.shapes import python
from archc.source.written import mode_of

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}
"""How far a file's outputs may be from the model's, in parts of the largest value."""

Stage = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written.

    `difference` is the largest of its outputs' from the model's, in parts of the largest value of each, on
    inputs of the sizes `tried`; None where only weights were written. `asked` are the guards that are the
    spec's own; the manifest has torch's too, which takes sizes for granted not to be 0 or 1 within."""

    path: Path
    kind: str
    manifest: Manifest | None
    difference: float | None
    tried: tuple[dict[str, int], ...]
    asked: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The size of the file, and of one with its weights beside it."""
        beside = self.path.with_name(f"{self.path.name}.data")
        return self.path.stat().st_size + (beside.stat().st_size if beside.exists() else 0)


def export(
    spec: Any,
    path: str | Path,
    example: Any = None,
    *,
    aot: bool = False,
    given: Iterable[str] = (),
    sizes: Mapping[str, int] | None = None,
    write_names: Names = None,
    stage: Stage = lambda what: nullcontext(),
    **options: Any,
) -> Exported:
    """Write a spec or a loaded model as a file that runs without it; the ending tells the kind.

    `.pt2` is a program of torch.export, with `aot=True` a package that AOTInductor has compiled for machines
    like this one. `.onnx` is an ONNX model. `.safetensors` are the weights alone, named as the checkpoint map
    `write_names` tells. `options` are those of `load`: settings, weights, dtype, ...

    Free dimensions stay free, and what the spec asks of them goes into the file. Inputs that may be left out
    are left out, unless `example` has them or `given` names them. `example` is a tensor, a tuple or a
    mapping of inputs, and tells no more than which there are, and what to compare on too: the model is traced
    with random ones, of sizes that are no special case, or of `sizes` by free dimension.

    The file is opened and compared with the model before it appears, at several sizes. Raises ExportError
    where the model cannot be written so, SpecError where the spec is wrong, TypeError and ValueError for
    arguments that do not fit, OSError.

    >>> import archc, tempfile
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = export(archc.text(spec), f"{folder}/a.pt2")
    >>> print(*made.manifest.inputs, *made.manifest.sizes)
    x: float32[B, 4] B
    """
    path = Path(path)
    kind = kind_of(path, aot)
    if kind != "weights" and write_names is not None:
        raise TypeError("`write_names` names the tensors of a .safetensors file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder `{path.parent}` to write `{path.name}` into")
    if kind in NEEDED:
        NEEDED[kind]()
    given = tuple(given)
    with stage("building"):
        model, graph = _model(spec, given, options)
    if kind == "weights":
        with stage("writing"):
            save_weights(model, path, names=write_names, graph=graph)
        return Exported(path, kind, None, None, ())
    training = model.training
    try:
        taken, first = _taken(graph, given, example)
        return _export(model.eval(), taken, path, kind, first, sizes or {}, stage)
    finally:
        model.train(training)


def _model(spec: Any, given: tuple[str, ...], options: Mapping[str, Any]) -> tuple[nn.Module, Graph]:
    if isinstance(spec, nn.Module):
        graph = getattr(spec, "graph", None)
        if not isinstance(graph, Graph):
            raise TypeError("a model that archc did not load has no Graph: use torch.export itself")
        if options:
            raise TypeError(f"a loaded model takes no settings: {', '.join(options)}")
        return spec, graph
    model = load(spec, given=() if isinstance(spec, Graph) else given, **options)
    return model, type(model).graph  # type: ignore[attr-defined]


def _taken(graph: Graph, given: tuple[str, ...], example: Any) -> tuple[Taken, Values | None]:
    """What the file takes: what a call must give, and what is given beside it; and the example by name."""
    if strange := [name for name in given if name not in graph.inputs]:
        raise TypeError(f"there is no input {', '.join(strange)}; there are {', '.join(graph.inputs)}")
    wanted = {*required(graph), *given}
    first = None if example is None else bound(graph, example)
    if first is not None:
        if missing := [name for name in graph.inputs if name in wanted and name not in first]:
            raise TypeError(f"the example lacks {', '.join(missing)}")
        wanted = {*first}
    if not wanted:
        some = next(iter(graph.inputs))
        raise ExportError(
            f"{graph.name} takes nothing that it must have: name what the file takes, as in --given {some}"
        )
    return Taken(graph, tuple(name for name in graph.inputs if name in wanted)), first


def _export(
    model: nn.Module,
    taken: Taken,
    path: Path,
    kind: str,
    first: Values | None,
    fixed: Mapping[str, int],
    stage: Stage,
) -> Exported:
    device, dtype = _place(model)
    found = example_sizes(taken, fixed)
    cases: list[Values] = [random_values(taken, case, device, dtype) for case in found]
    if first is not None:  # to compare with: traced with a batch of 1, a file would be of batches of 1
        _result(model, taken, first)
        cases.append(first)
        found.append(told_sizes(taken, first))
    result = _result(model, taken, cases[0])
    if not flat(result):
        raise ExportError(f"{taken.graph.name} returns nothing when {', '.join(taken.given)} is all it gets")
    with stage("tracing"):
        program = traced(model, taken, cases[0], output_names(taken, result))
        conditions = _guards(program, taken)
        for name, single in single_sizes(taken, found[0]).items():
            values = random_values(taken, single, device, dtype)
            if not _holds(conditions, single):
                continue
            try:
                wanted, got = _result(model, taken, values), program.module()(*called(taken, values))
                alike = _difference(flat(got), flat(wanted)) <= 1
            except Exception:  # torch took the size for more than 1: what it then raises is its own
                alike = False
            if alike:
                cases.append(values)
                found.append(single)
            else:
                conditions.append(f"{name} >= 2")
    manifest = _manifest(kind, taken, device, cases[0], result, conditions)
    kept = [(values, case) for values, case in zip(cases, found, strict=True) if _holds(conditions, case)]
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        made = Path(folder) / path.name
        with stage("writing"):
            WRITERS[kind](program, manifest, made)
        with stage("comparing"):
            difference = _compare(made, model, taken, [values for values, _ in kept])
        for file in sorted(Path(folder).iterdir(), key=lambda file: file == made):  # itself last
            target = path.with_name(file.name)
            os.chmod(file, mode_of(target))
            os.replace(file, target)
    tried = tuple({tuple(case.items()): case for _, case in kept}.values())
    own = tuple(python(condition) for condition in taken.guards)
    return Exported(path, kind, manifest, difference, tried, own)


def _place(model: nn.Module) -> tuple[str, torch.dtype]:
    """Where a model is, and the dtype of its floats."""
    tensors = [*model.parameters(), *model.buffers()]
    floats = [t for t in tensors if t.is_floating_point()]
    device = tensors[0].device.type if tensors else "cpu"
    if device == "meta":
        raise ExportError("a model on the device `meta` has no weights to write")
    return device, floats[0].dtype if floats else torch.get_default_dtype()


def _result(model: nn.Module, taken: Taken, values: Values) -> Any:
    try:
        with torch.no_grad():
            return model(*called(taken, values))
    except ValueError as error:  # what a model asks of its inputs
        raise ExportError(f"{taken.graph.name} does not take such inputs: {error}") from None


def told_sizes(taken: Taken, values: Values) -> dict[str, int]:
    """The free sizes that inputs have."""
    found: dict[str, int] = {}
    for name, kind in taken.inputs.items():
        members = kind.members if isinstance(kind, Bundle) else [kind]
        tensors = values[name] if isinstance(kind, Bundle) else [values[name]]
        for member, tensor in zip(members, tensors, strict=False):
            for size, actual in zip(member.shape or (), tensor.shape, strict=False):
                if str(size) in taken.free:
                    found.setdefault(str(size), int(actual))
    return found


# What the file says of itself


def _guards(program: Any, taken: Taken) -> list[str]:
    """The spec's conditions and torch's own, as far as they are arithmetic."""
    found = [python(condition) for condition in taken.guards] + guards(program, taken)
    return [text for text in dict.fromkeys(found) if _evaluable(text)]


def _evaluable(text: str) -> bool:
    try:
        expression(text)
    except ValueError:
        return False  # of roots and logarithms; torch has asserted what it needs
    return True


def _holds(conditions: list[str], sizes: Mapping[str, int]) -> bool:
    return all(expression(text)(sizes) for text in conditions)


def _manifest(
    kind: str, taken: Taken, device: str, values: Values, result: Any, conditions: list[str]
) -> Manifest:
    outputs = [
        (name, None if value is None else _port(name, kind_, value))
        for (name, kind_), value in zip(taken.outputs.items(), returned(taken, result), strict=True)
    ]
    return Manifest(
        kind,
        taken.graph.name,
        device,
        torch.__version__,
        tuple(taken.graph.inputs),
        tuple(_port(name, kind_, values[name]) for name, kind_ in taken.inputs.items()),
        tuple(outputs),
        taken.free,
        tuple(conditions),
    )


def _port(name: str, kind: Type, value: Any) -> Port:
    bundle = isinstance(kind, Bundle)
    members = kind.members if isinstance(kind, Bundle) else [kind]
    dtypes = tuple(str(tensor.dtype).removeprefix("torch.") for tensor in flat(value))
    shapes = (
        None if m.shape is None else tuple(int(n) if isinstance(n, int) else python(n) for n in m.shape)
        for m in members
    )
    return Port(name, dtypes, tuple(shapes), bundle)


# Is it the same?


def _compare(path: Path, model: nn.Module, taken: Taken, cases: list[Values]) -> float:
    """The largest difference of a file's outputs from the model's; raises ExportError where that is large."""
    opened = open_exported(path)
    largest = 0.0
    for values in cases:
        with torch.no_grad():
            wanted, found = flat(_result(model, taken, values)), flat(opened(**values))
        if [tuple(t.shape) for t in found] != [tuple(t.shape) for t in wanted]:
            raise ExportError("what was written gives other shapes than the model; nothing was kept")
        if _difference(found, wanted) > 1:
            raise ExportError(
                f"what was written differs from the model by {_largest(found, wanted):.1e} of the largest "
                "value; nothing was kept"
            )
        largest = max(largest, _largest(found, wanted))
    return largest


def _largest(found: list[Tensor], wanted: list[Tensor]) -> float:
    return max((_apart(a, b) for a, b in zip(found, wanted, strict=True)), default=0.0)


def _difference(found: list[Tensor], wanted: list[Tensor]) -> float:
    """The largest difference in parts of what is allowed; whole numbers have to be equal."""
    allowed = ((_apart(a, b), TOLERANCE.get(b.dtype, 0.0)) for a, b in zip(found, wanted, strict=True))
    return max(
        (apart / most if most else apart * float("inf") if apart else 0.0 for apart, most in allowed),
        default=0.0,
    )


def _apart(found: Tensor, wanted: Tensor) -> float:
    """The largest difference of two tensors, in parts of the largest value."""
    if wanted.numel() == 0:
        return 0.0
    a, b = (
        t.detach().cpu().to(torch.complex128 if t.is_complex() else torch.float64) for t in (found, wanted)
    )
    apart = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, (a - b).abs())
    if apart.isnan().any():
        return float("inf")
    return float(apart.max()) / max(float(b.nan_to_num().abs().max()), 1e-30)
