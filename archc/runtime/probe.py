"""What a layer of torch.nn, or a user's function, makes of its inputs' types, asked of torch itself.

It runs on tensors without memory, once with symbolic sizes, which gives the shapes as expressions, and
then with plain sizes, which must agree. What torch tells differently from size to size is not guessed:
`Unknown` says why.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from archc.ops.asked import Question
from archc.ops.base import Port, ShapeError, Weight
from archc.runtime.symbolic import Cannot, run_symbolic
from archc.runtime.twins import TWINS
from archc.shapes import Facts, Mismatch, Tensor, evaluate, recording, symbols

TRIALS = 12
LARGEST = 24
FEW = 3


class Unknown(ValueError):
    """torch gives no shape that holds for all sizes; the message says why."""

    cannot_tell = True


class Refused(ValueError):
    """torch refuses the layer, its arguments or these inputs; the message is torch's."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The types of the outputs, in order, and the weights by name.

    The types hold wherever torch takes the inputs; `refuses` is an example of sizes for which it
    does not, and why, where one was found. `facts` are what the sizes must fulfil. `nested`: the
    outputs come in tuples within tuples, one in a tuple, or with None among them."""

    outputs: tuple[Tensor, ...]
    weights: dict[str, Weight]
    refuses: str | None = None
    nested: bool = False
    facts: Facts = field(default_factory=Facts)


class TorchProbe:
    """Asks torch, and each question once."""

    def __call__(self, question: Question) -> Probed:
        """The outputs' types and the weights of a layer or function applied to inputs.

        Raises Refused where torch refuses, Unknown where it gives no shape for all sizes.

        >>> from archc.shapes import symbol
        >>> asked = Question("Linear", (8, 4), inputs=(Tensor((symbol("B"), 8)),), ports=("input",))
        >>> print(*probe(asked).outputs, sorted(probe(asked).weights))
        [B, 4] ['bias', 'weight']
        """
        found = _answer(question)
        if isinstance(found, ValueError):
            raise found
        return found

    def weights(self, question: Question) -> dict[str, Weight]:
        """The weights alone; raises Refused where torch refuses the arguments."""
        return _weights(_built(question))

    def ports(self, layer: str) -> tuple[Port, ...]:
        """The inputs of a layer of torch.nn: the tensors among what its `forward` takes."""
        return _ports(layer)

    def disagrees(self, question: Question, outputs: tuple[Tensor, ...]) -> str | None:
        """What torch makes other than these outputs for some plain sizes, if it runs at all."""
        return _disagrees(question, outputs)


probe = TorchProbe()


@lru_cache(maxsize=1024)
def _answer(question: Question) -> Probed | ValueError:
    try:
        return _ask(question)
    except (Unknown, Refused) as refused:
        return refused


def _ask(question: Question) -> Probed:
    for given in question.inputs:
        if given is not None and given.shape is None:
            raise Unknown("the rank of an input is unknown")
    run = _built(question)
    names = _symbols(question)
    facts = Facts()
    refuses = None
    if not names:
        outputs, nested = _plain(run, question, {})
    else:
        outputs, nested, facts = _with_symbols(run, question, names)
        refuses = _verify(run, question, names, outputs)
    return Probed(outputs, _weights(run), refuses, nested, facts)


def _symbols(question: Question) -> list[str]:
    found: set[str] = set()
    for given in question.inputs:
        found |= symbols(given.shape if given is not None else ())
    for _, value in question.kwargs:
        found |= symbols(value)
    return sorted(found)


# --- making --------------------------------------------------------------------------------


def _built(question: Question) -> Callable[..., Any]:
    """The layer, without memory and in evaluation; a function is what it is."""
    what = question.what
    if isinstance(what, str):
        what = _layer(what)
    elif not isinstance(what, type):
        return what
    try:
        with torch.device("meta"):
            built = what(*question.args, **dict(question.kwargs))
    except Exception as error:  # whatever torch makes of wrong arguments
        raise Refused(_first_line(error)) from error
    if any(isinstance(w, nn.UninitializedParameter) for w in built.parameters()):
        raise Refused("it has no sizes until it runs; take the layer that is told them")
    return built.eval()


def _layer(name: str) -> type[nn.Module]:
    kind = getattr(nn, name, None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise Refused(f"there is no layer `nn.{name}`")
    return kind


@lru_cache(maxsize=256)
def _ports(name: str) -> tuple[Port, ...]:
    kind = getattr(nn, name, None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        return (Port("inputs", variadic=True),)  # that there is none is told where it is built
    found = []
    for parameter in list(inspect.signature(kind.forward).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            return (Port(parameter.name, variadic=True),)
        needed = parameter.default is parameter.empty
        if needed or _takes_tensor(parameter.annotation):
            found.append(Port(parameter.name, optional=not needed))
    return tuple(found)


def _takes_tensor(annotation: Any) -> bool:
    """Does a parameter of a layer's `forward` take a tensor?"""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    names = {part.strip().rsplit(".", 1)[-1] for part in text.replace("Optional[", "").strip("]").split("|")}
    return "Tensor" in names


def _weights(built: Any) -> dict[str, Weight]:
    if not isinstance(built, nn.Module):
        return {}
    found: dict[str, Weight] = {}
    for name, tensor in built.named_parameters():
        found[name] = Weight(tuple(tensor.shape), trainable=tensor.requires_grad)
    kept = built.state_dict().keys()
    norms = [
        path for path, part in built.named_modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)
    ]
    counters = {f"{path}.num_batches_tracked".lstrip(".") for path in norms}  # older files have none
    for name, tensor in built.named_buffers():
        found[name] = Weight(
            tuple(tensor.shape),
            _dtype(tensor.dtype),
            buffer=True,
            trainable=False,
            persistent=name in kept,
            optional=name in counters,
        )
    return found


# --- running -------------------------------------------------------------------------------


def _run(run: Callable[..., Any], question: Question, tensors: Sequence[Any], kwargs: Mapping[str, Any]):
    """Applied to tensors, by position or name."""
    positional = [t for name, t in zip(question.ports, tensors, strict=True) if name is None]
    named = {
        name: t for name, t in zip(question.ports, tensors, strict=True) if name is not None and t is not None
    }
    further = {} if isinstance(run, nn.Module) else kwargs
    with torch.no_grad():
        return run(*positional, **named, **further)


def _plain(
    run: Callable[..., Any], question: Question, sizes: Mapping[str, int]
) -> tuple[tuple[Tensor, ...], bool]:
    """The outputs for plain sizes; raises Refused."""
    tensors = [
        None
        if t is None
        else torch.empty(
            [int(evaluate(s, sizes)) for s in t.shape or ()], dtype=_torch(t.dtype), device="meta"
        )
        for t in question.inputs
    ]
    kwargs = {name: evaluate(value, sizes) for name, value in question.kwargs}
    try:
        made = _run(run, question, tensors, kwargs)
    except Exception as error:  # whatever torch makes of wrong inputs
        raise Refused(_first_line(error)) from error
    found, nested = _tensors(made)
    return tuple(Tensor(tuple(t.shape), _dtype(t.dtype)) for t in found), nested


def _with_symbols(
    run: Callable[..., Any], question: Question, names: Sequence[str]
) -> tuple[tuple[Tensor, ...], bool, Facts]:
    """The outputs for sizes that are symbols; raises Unknown."""
    twin = TWINS.get(question.what) if isinstance(question.what, str) else None
    twin = twin and twin(run)
    if twin:
        nested = _plain(run, question, dict.fromkeys(names, 4))[1] if len(twin.outputs) > 1 else False
        try:
            with recording() as facts:
                told = twin.shape(*question.inputs)
        except (ShapeError, Mismatch) as wrong:
            raise Refused(str(wrong)) from wrong
        return (told if isinstance(told, tuple) else (told,)), nested, facts
    inputs = [t and (t.shape or (), _torch(t.dtype)) for t in question.inputs]

    def apply(tensors: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], bool]:
        return _tensors(_run(run, question, tensors, kwargs))

    try:
        shapes, nested = run_symbolic(apply, inputs, dict(question.kwargs), names)
    except Cannot as error:
        raise Unknown(str(error)) from error
    outputs = tuple(Tensor(shape, _dtype(dtype)) for shape, dtype in shapes)
    return outputs, nested, Facts()


def _drawn(names: Sequence[str], trials: int):
    draw = random.Random(0)
    for _ in range(trials):
        yield {name: draw.randint(1, LARGEST) for name in names}


def _verify(
    run: Callable[..., Any], question: Question, names: Sequence[str], outputs: Sequence[Tensor]
) -> str | None:
    """Hold the symbolic shapes against those of plain sizes; raises Unknown, and Refused where no
    sizes are taken. Tells sizes that are refused."""
    refuses = None
    taken = 0
    for sizes in _drawn(names, TRIALS):
        try:
            found, _ = _plain(run, question, sizes)
        except Refused as refused:
            where = ", ".join(f"{n} = {v}" for n, v in sizes.items())
            refuses = refuses or f"for {where}: {refused}"
            continue
        taken += 1
        if list(found) != _at(outputs, sizes):
            raise Unknown("torch gives no shape that holds for all sizes; give the sizes that are free")
    if not taken:
        raise Refused(str(refuses))
    return refuses


def _at(outputs: Sequence[Tensor], sizes: Mapping[str, int]) -> list[Tensor]:
    return [Tensor(tuple(int(evaluate(s, sizes)) for s in t.shape or ()), t.dtype) for t in outputs]


@lru_cache(maxsize=1024)
def _disagrees(question: Question, outputs: tuple[Tensor, ...]) -> str | None:
    names = _symbols(question)
    if any(t is not None and t.shape is None for t in (*question.inputs, *outputs)):
        return None
    if not symbols([t.shape for t in outputs]) <= set(names):
        return None
    try:
        run = _built(question)
    except Refused:
        return None  # its real arguments are tried where it is built
    for sizes in _drawn(names, FEW if names else 1):
        try:
            found, _ = _plain(run, question, sizes)
        except Refused:
            continue  # a kernel may have no form without memory, and not all sizes need fit
        told = _at(outputs, sizes)
        if list(found) != told:
            where = ", ".join(f"{n} = {v}" for n, v in sizes.items())
            both = f"{', '.join(map(str, told))}, and it makes {', '.join(map(str, found))}"
            return both + (f" for {where}" if where else "")
    return None


# --- between torch's types and ours --------------------------------------------------------


def _tensors(made: Any, depth: int = 0) -> tuple[list[torch.Tensor], bool]:
    """The tensors in what was made, and whether they must be flattened first."""
    if isinstance(made, torch.Tensor):
        return [made], False
    if not isinstance(made, tuple | list):
        raise TypeError(f"it gives {type(made).__name__}, not tensors")
    found: list[torch.Tensor] = []
    nested = depth > 0
    for part in made:
        if part is None:
            nested = True
            continue
        inner, _ = _tensors(part, depth + 1)
        nested |= not isinstance(part, torch.Tensor)
        found += inner
    return found, nested or (depth == 0 and len(found) == 1)


def _torch(dtype: str) -> torch.dtype:
    return torch.get_default_dtype() if dtype == "float" else getattr(torch, dtype)


def _dtype(dtype: torch.dtype) -> str:
    return "float" if dtype is torch.get_default_dtype() else str(dtype).removeprefix("torch.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
