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

from .compare import INPUT, Results, compare, default_dtype, drawn, results
from .zoo import Compared, Record, Size, package_of, sized, versioned

SPECS = Path(__file__).parents[2] / "specs"

Names = str | Mapping[str, str] | None

File = Callable[[Any, dict[str, Tensor]], Mapping[str, Tensor]]
"""`file(original, tensors)`: what has the names of a package in memory, by those of its published files."""


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
    exact: bool = True
    package: str | None = None
    file: File | None = None

    def check(self, cases: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
        """Compare all cases: the largest difference of each dtype, in parts of the largest value; with real
        weights the size too."""
        assert cases, "a comparison needs inputs"
        rounded = self._built(torch.float32)
        exact = self._built(torch.float64)
        exact.load_state_dict(rounded.state_dict())
        pairs = {torch.float64: exact, torch.float32: rounded}
        models = {d: self._model(o, d) for d, o in pairs.items() if self.exact or o is rounded}
        largest = dict.fromkeys(pairs, 0.0)
        for number, case in enumerate(cases):
            inputs = drawn(case, seed=100 * number)
            true: Results | None = None
            for dtype, original in pairs.items():
                with default_dtype(dtype):
                    theirs = self._theirs(original, models[torch.float32], inputs, dtype)
                if dtype in models:
                    found = compare(self._mine(models[dtype], inputs, dtype), theirs, true)
                    where = f"inputs {number} in {str(dtype).removeprefix('torch.')}, {self.address}:"
                    assert not found.wrong, "\n  ".join([where, *found.wrong[:20]])
                    largest[dtype] = max(largest[dtype], found.largest)
                true = theirs
        package = versioned(self.package) if self.package else package_of(rounded)
        spec = self.address.partition("#")[0].partition("@")[0]
        yield Compared(spec, package, largest[torch.float64], largest[torch.float32]).record()
        if self.real:
            model = models[torch.float32]
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
        archc.load_weights(model, self._filed(original, original.state_dict()), names=self.names)
        return model.train(self.training)

    def _mine(self, model: nn.Module, inputs: Mapping[str, Any], dtype: torch.dtype) -> Results:
        """What the spec's model gives; its buffers, where they have changed."""

        def run(own: dict[str, Any]) -> Any:
            return model(**own) if self.ours is None else self.ours(model, **own)

        found = results(model, inputs, dtype, run, self.gradients)
        return found if self.training else found._replace(state={})

    def _theirs(
        self, original: nn.Module, model: nn.Module, inputs: Mapping[str, Any], dtype: torch.dtype
    ) -> Results:
        """What the original gives, its gradients and buffers under our names."""

        def run(own: dict[str, Any]) -> Any:
            return original(*own.values()) if self.run is None else self.run(original, **own)

        found = results(original, inputs, dtype, run, self.gradients)
        none = {name: torch.zeros_like(tensor) for name, tensor in original.state_dict().items()}
        of_inputs = {name: g for name, g in found.gradients.items() if name.startswith(INPUT)}
        of_weights = {**none, **{name: g for name, g in found.gradients.items() if name in none}}

        def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return translated(model.graph, self._filed(original, tensors), self.names)  # type: ignore[arg-type]

        gradients = {**_aliased(model, renamed(of_weights)), **of_inputs}
        return found._replace(gradients=gradients, state=renamed({**none, **found.state}))

    def _filed(self, original: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The original's tensors that the spec has, by the names of its files."""
        there = kept(tensors, self.unused)
        return there if self.file is None else self.file(original, there)


def _aliased(model: nn.Module, gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradients of all parameters: of tied ones a checkpoint may give one."""
    given: dict[int, Tensor] = {}
    everything = dict(model.named_parameters(remove_duplicate=False))
    for name, parameter in everything.items():
        if name in gradients:
            given.setdefault(id(parameter), gradients[name])
    return {name: gradients.get(name, given[id(parameter)]) for name, parameter in everything.items()}


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
    file: File | None = None,
) -> Iterator[Record]:
    """Hold a published size against the original, without memory: every name and shape, both ways, and
    the number of parameters."""
    with torch.device("meta"):
        theirs = original()
    model = archc.load(f"{SPECS}/{address}", device="meta", **(settings or {}))
    state = kept(theirs.state_dict(), unused)
    filed = state if file is None else file(theirs, state)
    archc.load_weights(model, filed, names=names, device="meta")
    graph: Any = model.graph
    renamed = translated(graph, filed, names)
    wanted = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    assert {name: list(tensor.shape) for name, tensor in renamed.items()} == wanted
    assert sum(p.numel() for p in model.parameters()) == parameters, "ours"
    there = dict(theirs.named_parameters())
    assert sum(p.numel() for name, p in there.items() if name in state) == parameters, "theirs"
    size = sized(address, settings or {})
    yield Size(size, versioned(package) if package else package_of(theirs), parameters, len(renamed)).record()
