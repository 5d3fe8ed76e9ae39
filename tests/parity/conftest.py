"""Comparison of a spec's model with the original network that it describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archc.graph.checkpoints import resolve
from archc.graph.recipes import text

from .harness import Parity
from .harness import published as sizes
from .zoo import PROPERTY

HERE = Path(__file__).parent

OUTPUTS = {torch.float64: 1e-9, torch.float32: 1e-5}
"""The largest difference of an output, in parts of that output's largest value."""

GRADIENTS = {torch.float64: 1e-9, torch.float32: 1e-5}
"""The largest difference of a gradient, in parts of the largest gradient of the model: some gradients,
such as that of the keys' bias before a softmax, are zero but for rounding."""


def randomise(model: nn.Module, seed: int) -> None:
    """Weights that hide nothing: no zeros, no ones, no two alike.

    Matrices and kernels keep the scale of what passes; norms' weights lie around 1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            if parameter.dim() > 1:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)
            else:
                parameter.copy_(0.3 * noise + ("norm" in name and name.endswith("weight")))


def values(shape: Sequence[int], dtype: torch.dtype, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(tuple(shape), generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def adopt(model: nn.Module, original: nn.Module, unused: str = "") -> dict[str, str]:
    """Give a model the original's weights by its map `taming`; the names, ours to theirs.

    The state_dicts must have the same names, but for those of the original that end with `unused`,
    and the same shapes.
    """
    names = {ours: text(recipe) for ours, recipe in resolve(model.graph, "taming").recipes.items()}
    state = original.state_dict()
    there = {n for n in state if not unused or not n.rpartition(".")[0].endswith(unused)}
    assert set(names) == set(model.state_dict())
    assert set(names.values()) == there
    assert len(names) == len(there), "two of ours are one of theirs"
    shapes = {ours: tensor.shape for ours, tensor in model.state_dict().items()}
    assert shapes == {ours: state[theirs].shape for ours, theirs in names.items()}
    model.load_state_dict({ours: state[theirs] for ours, theirs in names.items()})
    return names


def check_outputs(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        assert (a - b).abs().max() <= OUTPUTS[b.dtype] * b.abs().max()


def gradients(model: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """The gradients of a fixed mix of the outputs, for every parameter and every input, by name."""
    mix = sum((out * values(out.shape, out.dtype, 7 + n).detach()).sum() for n, out in enumerate(outputs))
    wanted = {**{f"input {n}": x for n, x in inputs.items()}, **dict(model.named_parameters())}
    assert isinstance(mix, Tensor)
    found = torch.autograd.grad(mix, list(wanted.values()), allow_unused=True)
    return {name: g for name, g in zip(wanted, found, strict=True) if g is not None}


@dataclass(frozen=True)
class Pair:
    """A spec's model and the original, with the same weights."""

    model: nn.Module
    original: nn.Module
    names: Mapping[str, str]

    def check(
        self,
        inputs: Mapping[str, Tensor],
        ours: Callable[..., Sequence[Tensor]],
        theirs: Callable[..., Sequence[Tensor]],
    ) -> None:
        """The outputs are equal; where gradients are on, so are those of all weights and inputs."""
        mine, other = ours(*inputs.values()), theirs(*inputs.values())
        check_outputs(mine, other)
        if not torch.is_grad_enabled():
            return
        smooth = {name: x for name, x in inputs.items() if x.requires_grad}
        found = gradients(self.model, smooth, mine)
        wanted = gradients(self.original, smooth, other)
        names = {ours: ours if ours.startswith("input ") else self.names[ours] for ours in found}
        assert set(names.values()) == set(wanted)
        scale = max(g.abs().max() for g in wanted.values())
        for ours_name, theirs_name in names.items():
            error = (found[ours_name] - wanted[theirs_name]).abs().max()
            assert error <= GRADIENTS[error.dtype] * scale, (ours_name, float(error / scale))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("parity")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small lose more by handing work to threads than by doing it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a spec's model with its original: outputs and gradients, in float64 and float32.

        parity(
            "vision/resnet.yaml@resnet18",  # below specs/
            names="torchvision",  # the checkpoint map; None: the names are the same
            original=lambda: models.resnet18(num_classes=10),
            settings={"classes": 10},  # params, free dimensions, given= and absent=
            inputs=[{"x": (2, 3, 64, 64)}, {"x": (1, 3, 97, 65)}],
        )

    `inputs` are cases: a shape stands for normal floats, tensors are taken as they are, a list is a bundle,
    None an absent input. `run(original, **inputs)` runs the original (without it, `original(*inputs)`),
    `ours(model, **inputs)` the model; what they give is compared in order, tuples and lists flattened.
    `unused` are patterns of their names that the spec does not have. `randomise(original)` draws what
    weights drawn anew leave out; `real` keeps the weights that the original comes with. With `training`
    both are in training mode, and the running statistics are compared too. `package` names the original's
    distribution where the class of the original does not tell it.
    """

    def check(address: str, *, inputs: Sequence[Mapping[str, Any]], **options: Any) -> None:
        for record in Parity(address=address, **options).check(inputs):
            request.node.user_properties.append((PROPERTY, record))

    return check


@pytest.fixture
def published(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Hold a published size against its original, without memory for either.

        published("vision/resnet.yaml@resnet50", names="torchvision", original=models.resnet50,
                  parameters=25_557_032)

    All names and shapes agree, both ways, and both have as many parameters as was published. `settings`,
    `unused` and `package` are those of `parity`.
    """

    def check(address: str, *, original: Callable[[], Any], parameters: int, **options: Any) -> None:
        for record in sizes(address, original, parameters, **options):
            request.node.user_properties.append((PROPERTY, record))

    return check


@pytest.fixture
def paired() -> Callable[..., Pair]:
    """A Pair of a loaded model and an original, whose weights are drawn anew."""

    def make(model: nn.Module, original: nn.Module, unused: str = "") -> Pair:
        randomise(original, seed=1)
        dtype = next(model.parameters(), torch.empty(0)).dtype
        original.to(dtype).eval()
        return Pair(model.eval(), original, adopt(model, original, unused))

    return make
