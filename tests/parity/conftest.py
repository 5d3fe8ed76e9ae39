"""Comparison of a spec's model with the original network that it describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from .harness import Parity
from .harness import published as sizes
from .zoo import PROPERTY

HERE = Path(__file__).parent


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
    distribution where the class of the original does not tell it. `exact=False` compares in float32 only: for
    an original that computes a part of itself in float32, whatever the dtype. `file(original, tensors)`
    gives tensors the names of the published files, where those are not the original's own.
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
    `unused`, `package` and `file` are those of `parity`.
    """

    def check(address: str, *, original: Callable[[], Any], parameters: int, **options: Any) -> None:
        for record in sizes(address, original, parameters, **options):
            request.node.user_properties.append((PROPERTY, record))

    return check
