"""What a network gives for its inputs, outputs and gradients by name, and how far two of them differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

EXACT = 1e-9
"""The largest difference in float64, in parts of the largest value."""

NOISE = 10
"""The largest difference in float32, in parts of the original's own rounding."""

SMALL = 1e-3
"""A gradient is not asked to be more exact than one this much smaller than the model's largest: some,
such as that of the keys' bias before a softmax, are zero but for rounding."""


INPUT = "input "
"""What the name of an input's gradient begins with."""


class Results(NamedTuple):
    """`outputs` are flat, in order. `gradients` are those of a fixed mix of the outputs, by the names of
    weights and inputs; what the outputs do not hang on has zeros. `state` is what running has changed: the
    buffers."""

    outputs: list[Tensor | None]
    gradients: dict[str, Tensor]
    state: dict[str, Tensor]


def drawn(case: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The inputs of a case: normal floats for a shape, what else is given as it is, lists for bundles.

    The floats are float32 numbers, so that they are the same in float64."""
    generator = torch.Generator().manual_seed(seed)

    def value(given: Any) -> Any:
        if isinstance(given, list):
            return [value(item) for item in given]
        if isinstance(given, tuple):
            return torch.randn(given, generator=generator, dtype=torch.float32)
        assert given is None or isinstance(given, Tensor), "an input is a shape, a tensor, a list or None"
        return given

    return {name: value(given) for name, given in case.items()}


def results(
    network: nn.Module,
    inputs: Mapping[str, Any],
    dtype: torch.dtype,
    run: Callable[[dict[str, Any]], Any],
    gradients: bool,
) -> Results:
    """Run a network on inputs in a dtype."""
    leaves: dict[str, Tensor] = {}

    def leaf(name: str, given: Any) -> Any:
        if isinstance(given, list):
            return [leaf(f"{name}[{n}]", item) for n, item in enumerate(given)]
        if given is None or not given.is_floating_point():
            return given
        leaves[INPUT + name] = tensor = given.detach().to(dtype, copy=True).requires_grad_(gradients)
        return tensor

    own = {name: leaf(name, given) for name, given in inputs.items()}
    with torch.set_grad_enabled(gradients):
        outputs = list(flat(run(own)))
        leaves |= dict(network.named_parameters(remove_duplicate=False))
        found = _gradients(outputs, leaves) if gradients else {}
    state = {name: buffer.clone() for name, buffer in network.named_buffers() if buffer.is_floating_point()}
    return Results([None if o is None else o.detach() for o in outputs], found, state)


def flat(outputs: Any) -> Iterator[Tensor | None]:
    """The tensors of a result, in order: of a tuple, a list, a mapping."""
    if outputs is None or isinstance(outputs, Tensor):
        yield outputs
        return
    assert isinstance(outputs, Sequence | Mapping), f"a network gave {type(outputs).__name__}"
    for item in outputs.values() if isinstance(outputs, Mapping) else outputs:
        yield from flat(item)


def _gradients(outputs: Sequence[Tensor | None], leaves: Mapping[str, Tensor]) -> dict[str, Tensor]:
    mix = torch.zeros((), dtype=torch.float64)
    for number, output in enumerate(outputs):
        if output is not None and output.requires_grad:
            weight = torch.randn(
                output.shape, generator=torch.Generator().manual_seed(7 + number), dtype=torch.float32
            )
            mix = mix + (output * weight.to(output)).sum().double()
    assert mix.requires_grad, "no output hangs on a weight or an input"
    distinct = {id(tensor): tensor for tensor in leaves.values() if tensor.requires_grad}
    found = torch.autograd.grad(mix, list(distinct.values()), allow_unused=True)
    by = dict(zip(distinct, found, strict=True))
    return {n: torch.zeros_like(t) if (g := by.get(id(t))) is None else g for n, t in leaves.items()}


class Differences:
    """The differences of ours from theirs: `wrong` are those above their limits, as they are told. `largest`
    is the largest of all: of an output in parts of its largest value, of a gradient in parts of the largest
    of all gradients."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.largest = 0.0

    def add(self, name: str, ours: Tensor, theirs: Tensor, scale: float, limit: float, of: float) -> None:
        """`scale` is the largest value, `limit` the largest difference that may be, `of` what differences
        are told in parts of."""
        assert ours.shape == theirs.shape, f"{name}: {list(ours.shape)}, theirs {list(theirs.shape)}"
        assert ours.dtype == theirs.dtype, f"{name}: {ours.dtype}, theirs {theirs.dtype}"
        error = distance(ours, theirs)
        if not error <= limit:
            part = f"{error / scale:.1e}, at most {limit / scale:.1e}" if scale else f"{error:.1e} of 0"
            self.wrong.append(f"{name}: differs by {part} of its largest value")
        elif of:
            self.largest = max(self.largest, error / of)


def distance(a: Tensor, b: Tensor) -> float:
    """The largest difference of two tensors; equal infinities do not differ. NaN where one is NaN."""
    if not a.numel():
        return 0.0
    error = (a.double() - b.double()).abs()
    return float(error.masked_fill(a.double() == b.double(), 0).max())


def size(tensor: Tensor) -> float:
    """The largest finite value of a tensor."""
    finite = tensor.double()[tensor.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


def compare(ours: Results, theirs: Results, true: Results | None = None) -> Differences:
    """Hold ours against theirs; `true` are theirs in float64, where these are float32."""
    found = Differences()
    assert len(ours.outputs) == len(theirs.outputs), f"{len(ours.outputs)} outputs, not {len(theirs.outputs)}"
    exact: Sequence[Tensor | None] = theirs.outputs if true is None else true.outputs
    for number, (mine, other, best) in enumerate(zip(ours.outputs, theirs.outputs, exact, strict=True)):
        name = f"output {number}"
        if mine is None or other is None or best is None:
            assert mine is None and other is None, f"{name}: only one is there"
            continue
        scale = size(best)
        assert scale or not best.numel() or not best.is_floating_point(), (
            f"{name} tells nothing: it is zeros, and no finite number besides"
        )
        found.add(name, mine, other, scale, _limit(other, best, scale), scale)
    _named(found, "gradient of ", ours.gradients, theirs.gradients, true and true.gradients)
    _named(found, "", ours.state, theirs.state, true and true.state)
    return found


def _named(
    found: Differences,
    what: str,
    ours: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
    true: Mapping[str, Tensor] | None,
) -> None:
    exact = theirs if true is None else true
    largest = max((size(exact[name]) for name in ours), default=0.0)
    for name, mine in ours.items():
        scale = max(size(exact[name]), SMALL * largest)
        found.add(what + name, mine, theirs[name], scale, _limit(theirs[name], exact[name], scale), largest)


def _limit(theirs: Tensor, true: Tensor, scale: float) -> float:
    if not theirs.is_floating_point():
        return 0.0
    if theirs.dtype == true.dtype:
        return EXACT * scale
    return NOISE * max(distance(theirs, true), torch.finfo(theirs.dtype).eps * scale)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
