"""A spec's model beside the network that it describes: same weights, same inputs, same numbers.

In float64 outputs and gradients are equal to 1e-9. In float32 they differ by at most ten times what
rounding alone does to the original, which is measured: float32 against float64, with the same weights.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import archc
from archc.runtime.weights import translated

from .compare import Results, compare, default_dtype, drawn, results
from .zoo import Compared, Record, Size, package_of, sized, versioned

SPECS = Path(__file__).parents[2] / "specs"

Names = str | Mapping[str, str] | None


def randomise(model: nn.Module, seed: int = 1) -> None:
    """Weights and running statistics that hide nothing: no zeros, no ones, no two alike.

    Matrices and kernels keep the scale of what passes. What begins as ones lies around 1.
    """
    generator = torch.Generator().manual_seed(seed)

    def noise(tensor: Tensor) -> Tensor:
        return torch.randn(tensor.shape, generator=generator, dtype=torch.float32).to(tensor)

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(noise(parameter) / parameter[0].numel() ** 0.5)
            else:
                ones = bool((parameter == 1).all())
                parameter.copy_(0.3 * noise(parameter) + ones)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(0.3 * noise(buffer))
            elif name.endswith("running_var"):
                buffer.copy_(torch.rand(buffer.shape, generator=generator, dtype=torch.float32) + 0.5)


@dataclass(frozen=True, kw_only=True)
class Parity:
    """A spec's model and its original, and how each is run."""

    address: str
    original: Callable[[], nn.Module]
    names: Names = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    run: Callable[..., Any] | None = None
    ours: Callable[..., Any] | None = None
    gradients: bool = True
    unused: Sequence[str] = ()
    training: bool = False
    randomise: Callable[[Any], None] | None = None
    real: bool = False
    package: str | None = None

    def check(self, cases: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
        """Compare all cases: the largest difference of each dtype, in parts of the largest value; with real
        weights the size too."""
        assert cases, "a comparison needs inputs"
        rounded = self._built(torch.float32)
        exact = self._built(torch.float64)
        exact.load_state_dict(rounded.state_dict())
        pairs = [
            (self._model(original, dtype), original, dtype)
            for original, dtype in ((exact, torch.float64), (rounded, torch.float32))
        ]
        largest = dict.fromkeys((torch.float64, torch.float32), 0.0)
        for number, case in enumerate(cases):
            inputs = drawn(case, seed=100 * number)
            true: Results | None = None
            for model, original, dtype in pairs:
                ours = results(model, inputs, dtype, lambda own: self._ours(model, own), self.gradients)  # noqa: B023
                with default_dtype(dtype):
                    theirs = self._theirs(original, model, inputs, dtype)
                ours = ours._replace(state=ours.state if self.training else {})
                found = compare(ours, theirs, true)
                where = f"inputs {number} in {str(dtype).removeprefix('torch.')}"
                assert not found.wrong, "\n  ".join([f"{where}, {self.address}:", *found.wrong[:20]])
                largest[dtype] = max(largest[dtype], found.largest)
                true = theirs
        package = versioned(self.package) if self.package else package_of(rounded)
        spec = self.address.partition("#")[0].partition("@")[0]
        yield Compared(spec, package, largest[torch.float64], largest[torch.float32]).record()
        if self.real:
            model = pairs[0][0]
            count = sum(p.numel() for p in model.parameters())
            size = sized(self.address, self.settings)
            yield Size(size, package, count, len(model.state_dict())).record()

    def _built(self, dtype: torch.dtype) -> Any:
        """The original, with weights drawn anew unless they are the real ones."""
        torch.manual_seed(0)
        with default_dtype(dtype):
            original = self.original().to(dtype)
            if not self.real:
                randomise(original)
            if self.randomise is not None:
                self.randomise(original)
        return original.requires_grad_().train(self.training)

    def _model(self, original: nn.Module, dtype: torch.dtype) -> nn.Module:
        model = archc.load(f"{SPECS}/{self.address}", dtype=dtype, **self.settings)
        archc.load_weights(model, kept(original.state_dict(), self.unused), names=self.names)
        return model.train(self.training)

    def _ours(self, model: nn.Module, inputs: dict[str, Any]) -> Any:
        return model(**inputs) if self.ours is None else self.ours(model, **inputs)

    def _theirs(
        self, original: nn.Module, model: nn.Module, inputs: Mapping[str, Any], dtype: torch.dtype
    ) -> Results:
        """What the original gives, its gradients and buffers under our names."""

        def run(own: dict[str, Any]) -> Any:
            return original(*own.values()) if self.run is None else self.run(original, **own)

        found = results(original, inputs, dtype, run, self.gradients)
        graph: Any = model.graph
        none = {name: torch.zeros_like(tensor) for name, tensor in original.state_dict().items()}
        renamed = translated(graph, kept({**none, **found.gradients}, self.unused), self.names)
        renamed |= {name: g for name, g in found.gradients.items() if name.startswith("input ")}
        state = translated(graph, kept({**none, **found.state}, self.unused), self.names)
        return found._replace(gradients=renamed, state=state)


def kept(state: Mapping[str, Tensor], unused: Sequence[str]) -> dict[str, Tensor]:
    """A state_dict without what matches a pattern of `unused`; each has to match something."""
    left = {name: t for name, t in state.items() if not any(fnmatch.fnmatchcase(name, p) for p in unused)}
    for pattern in unused:
        assert any(fnmatch.fnmatchcase(name, pattern) for name in state), f"nothing is named {pattern}"
    return left


def published(
    address: str,
    original: Callable[[], nn.Module],
    parameters: int,
    names: Names = None,
    settings: Mapping[str, Any] | None = None,
    unused: Sequence[str] = (),
    package: str | None = None,
) -> Iterator[Record]:
    """Hold a published size against the original, without memory: every name and shape, both ways, and
    the number of parameters."""
    with torch.device("meta"):
        theirs = original()
    model = archc.load(f"{SPECS}/{address}", device="meta", **(settings or {}))
    state = kept(theirs.state_dict(), unused)
    archc.load_weights(model, state, names=names, device="meta")
    graph: Any = model.graph
    renamed = translated(graph, state, names)
    wanted = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    assert {name: list(tensor.shape) for name, tensor in renamed.items()} == wanted
    assert sum(p.numel() for p in model.parameters()) == parameters, "ours"
    there = dict(theirs.named_parameters())
    assert sum(p.numel() for name, p in there.items() if name in state) == parameters, "theirs"
    size = sized(address, settings or {})
    yield Size(size, versioned(package) if package else package_of(theirs), parameters, len(renamed)).record()
