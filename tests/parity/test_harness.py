"""The comparison itself: it passes what is equal and finds what is not, however small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archc.source.diagnostic import SpecError

from .compare import NOISE, Results, compare
from .harness import Parity, published
from .originals import original


class Mlp(nn.Module):
    """What `Mlp` of the library is; `change` is done to what it gives."""

    def __init__(self, change: Callable[[Tensor], Tensor] = lambda out: out, bias: bool = True) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 8), nn.Linear(8, 4, bias)
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(self.fc2(F.gelu(self.fc1(x))))


class Norm(nn.Module):
    """What `ConvNormAct` of the library is, with one running mean too many where `wrong`."""

    def __init__(self, wrong: bool = False) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.norm.momentum = 0.11 if wrong else 0.1

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).relu()


SETTINGS = {"D": 4, "hidden": 8}
CASES: list[dict[str, Any]] = [{"x": (2, 4)}, {"x": (5, 4)}]


def measured(original: Callable[[], nn.Module], cases: Any = CASES, **options: Any) -> tuple[str, ...]:
    what = {"address": "std/transformer.yaml#Mlp", "settings": SETTINGS, **options}
    (record,) = Parity(original=original, **what).check(cases)
    return record


def test_equal_networks_are_equal() -> None:
    kind, spec, package, float64, float32 = measured(Mlp)
    assert (kind, spec, package) == ("compared", "std/transformer.yaml", "written in the test")
    assert float(float64) <= 1e-12 and float(float32) <= 1e-5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda out: out * (1 + 2e-9), "output 0: differs by 2.0e-09, at most 1.0e-09"),
        (lambda out: out + (out - out.detach()) * 1e-8, "gradient of fc2.weight: differs by 1.0e-08"),
        (lambda out: torch.where(out.float() == out, out, out * 2), "output 0"),
        (lambda out: out / (out != out.max()), "output 0: differs by (nan|inf)"),
    ],
    ids=("output", "gradient", "where float32 is not exact", "nan"),
)
def test_small_differences_are_found(change: Callable[[Tensor], Tensor], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        measured(lambda: Mlp(change))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda out: out[..., :3], "output 0: "),
        (lambda out: out * 0, "tells nothing"),
        (lambda out: (out, out), "1 outputs, not 2"),
        (lambda out: None, "no output hangs on a weight"),
        (lambda out: out.half(), "output 0: torch.float64, theirs torch.float16"),
    ],
    ids=("shape", "zeros", "count", "absent", "dtype"),
)
def test_other_outputs_are_refused(change: Any, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        measured(lambda: Mlp(change))


def test_float32_is_held_to_the_original_s_own_rounding() -> None:
    """Ten times what float32 does to the original, and no more."""
    true = torch.ones(3, dtype=torch.float64)
    theirs = true.float() + 1e-4
    for factor, passes in ((NOISE - 1, True), (NOISE + 1, False)):
        mine = theirs + factor * 1e-4
        found = compare(Results([mine], {}, {}), Results([theirs], {}, {}), Results([true], {}, {}))
        assert (not found.wrong) is passes


def test_infinities_are_equal_where_both_have_them() -> None:
    inf = torch.tensor([1.0, -torch.inf], dtype=torch.float64)
    assert not compare(Results([inf], {}, {}), Results([inf.clone()], {}, {})).wrong
    assert compare(Results([inf], {}, {}), Results([inf.abs()], {}, {})).wrong


def test_every_weight_has_to_be_there_both_ways() -> None:
    with pytest.raises(SpecError, match="lacks `fc2.bias`"):
        measured(lambda: Mlp(bias=False))
    with pytest.raises(SpecError, match="does not take, `more"):
        measured(more)
    assert measured(more, unused=["more.*"])
    with pytest.raises(AssertionError, match="nothing is named less"):
        measured(more, unused=["more.*", "less.*"])


def more() -> nn.Module:
    network = Mlp()
    network.more = nn.Linear(1, 1)
    return network


def test_inputs_may_be_given_and_run_as_one_likes() -> None:
    def twice(network: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return network(x), {"sum": network(x + y)}

    x = torch.ones(2, 4)
    assert measured(Mlp, [{"x": x, "y": (2, 4)}], run=twice, ours=twice)


def test_running_statistics_are_compared_in_training() -> None:
    options: dict[str, Any] = {"address": "std/vision.yaml#ConvNormAct", "settings": {"C": 3, "c_out": 4}}
    cases = [{"x": (2, 3, 5, 5)}]
    assert measured(Norm, cases, training=True, **options)
    assert measured(lambda: Norm(wrong=True), cases, **options)
    with pytest.raises(AssertionError, match="norm.running_mean: differs"):
        measured(lambda: Norm(wrong=True), cases, training=True, **options)


def test_a_size_has_the_published_number_of_parameters() -> None:
    what: Any = {"address": "std/transformer.yaml#Mlp", "original": Mlp, "settings": SETTINGS}
    (record,) = published(**what, parameters=76)
    assert record == (
        "size",
        "std/transformer.yaml#Mlp -p D=4 -p hidden=8",
        "written in the test",
        "76",
        "4",
    )
    with pytest.raises(AssertionError, match="ours"):
        list(published(**what, parameters=75))
    with pytest.raises(SpecError, match="other tensors"):
        list(published(**{**what, "settings": {"D": 4, "hidden": 7}}, parameters=76))


def test_an_original_that_is_not_there_skips_its_tests_but_not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="pip install"):
        original("no_such_package.models")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(ImportError):
        original("no_such_package.models")
