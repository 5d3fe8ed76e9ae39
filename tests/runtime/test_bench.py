"""How strategies are measured: what is compared, what is told of those that fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

import archc
from archc.runtime import bench as module
from archc.runtime.bench import STRATEGIES, Bench, Job, Measured, Sample, bench
from archc.runtime.bench_worker import _answer, _apart, _Model, _most_at_once
from archc.runtime.session import CannotRun

SPEC = archc.text(
    "archc: 1\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {fc: linear(8), drop: dropout(0.5)}, "
    "flow: {y: x -> fc -> drop}}}"
)


class Inside:
    """Stands for a process: a strategy in this one, which is compiled by nothing."""

    broken = ""

    def __init__(self, key: str, job: Job, folder: Path, first: bool) -> None:
        self.key, self.first = key, first
        self.model = _Model(job, STRATEGIES["eager"])
        self.asked: list[str] = []

    def ask(self, what: str, *arguments: object):
        if self.key == self.broken:
            raise module.Failed("Broken: it is")
        self.asked.append(what)
        kind, result = _answer(getattr(self.model, what), arguments)
        if kind == "refused":
            raise CannotRun(result)
        assert kind == "done", result
        return result

    def end(self, *, wait: float) -> None:
        self.asked.append("end")


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Inside]]:
    class Own(Inside):
        pass

    monkeypatch.setattr(module, "_Worker", Own)
    threads = torch.get_num_threads()
    yield Own
    torch.set_num_threads(threads)


def job(**options) -> Job:
    return Job(partial(archc.graph, SPEC), {"B": 3}, **{"threads": 1} | options)


def test_what_is_measured(inside) -> None:
    found = bench(job(), ["eager", "block"], rounds=3)
    assert list(found.measured) == ["eager", "block"] and found.rounds == 3
    assert found.machine.device == "cpu" and found.machine.threads == 1
    eager, block = found.measured.values()
    assert eager.built and eager.built.parameters == 40 and eager.built.shapes == {"x": [3, 4]}
    assert len(eager.samples) == len(block.samples) == 3
    low, high = eager.quartiles
    assert 0 < low <= eager.run <= high
    assert block.called and block.called.difference == 0.0, "the same weights and inputs in every process"
    assert eager.memory and eager.memory.call == 4 * (40 + 12 + 24), "weights, input, output"
    assert eager.memory.process > 10**7


def test_gradients_are_compared_in_training(inside) -> None:
    spec = archc.text(
        "archc: 1\nblocks: {A: {inputs: {x: '[B, 4]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc -> tanh}}}"
    )
    steady = Job(partial(archc.graph, spec), {"B": 3}, train=True)
    found = bench(steady, ["eager", "block"], rounds=2)
    assert all(one.called and one.called.difference == 0.0 for one in found.measured.values())


def test_what_is_random_cannot_be_compared(inside) -> None:
    found = bench(job(train=True), ["eager", "block"], rounds=2)
    assert [one.called and one.called.difference for one in found.measured.values()] == [None, None]


def test_a_strategy_that_fails_is_told_and_the_others_are_measured(inside) -> None:
    inside.broken = "block"
    found = bench(job(), ["eager", "block", "whole"], rounds=2)
    assert [one.failure for one in found.measured.values()] == ["", "Broken: it is", ""]
    assert not found.measured["block"].samples and found.measured["whole"].samples


def test_without_a_first_strategy_there_is_nothing_to_compare_with(inside) -> None:
    inside.broken = "eager"
    with pytest.raises(CannotRun, match="the model fails: Broken: it is"):
        bench(job(), ["eager", "block"])


def test_sizes_that_cannot_be_are_refused(inside) -> None:
    with pytest.raises(CannotRun, match="has no free dimension Z"):
        bench(Job(partial(archc.graph, SPEC), {"Z": 3}), ["eager"])


def test_what_has_no_gradient_is_not_trained(inside) -> None:
    spec = archc.text("archc: 1\nblocks: {A: {inputs: {x: '[B, 4]'}, flow: {y: x -> relu}}}")
    with pytest.raises(CannotRun, match="there is nothing to train"):
        bench(Job(partial(archc.graph, spec), train=True), ["eager"])


def test_rounds_end_early_where_they_are_long(inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG", 0.0)
    assert bench(job(), ["eager"], rounds=9).rounds == module.FEWEST_ROUNDS
    assert bench(job(), ["eager"], rounds=2).rounds == 2


def test_a_process_that_ends_is_told() -> None:
    with pytest.raises(CannotRun, match="the model fails: its process ended with status 3"):
        bench(Job(partial(os._exit, 3)), ["eager"])  # type: ignore[arg-type]


def test_the_signal_that_ended_a_process_is_told() -> None:
    assert module._ended(-9) == "by signal 9; was the memory too little?"
    assert module._ended(-11) == "by signal 11"


def test_differences_are_relative_to_the_largest_number() -> None:
    a = [torch.tensor([1.0, 100.0]), torch.tensor([1, 2])]
    assert _apart(a, [torch.tensor([2.0, 100.0]), torch.tensor([1, 2])]) == pytest.approx(0.01)
    assert _apart(a, [torch.tensor([1.0, 100.0]), torch.tensor([1, 3])]) == 1.0
    assert _apart(a, a) == 0.0
    assert _apart([torch.tensor([1j, 2.0])], [torch.tensor([0j, 2.0])]) == 0.5


def test_the_memory_of_a_call_is_what_lives_at_once() -> None:
    def call() -> torch.Tensor:
        a = torch.ones(1000)
        b = a + 1
        del a
        return b + torch.ones(500).sum()

    assert 8000 < _most_at_once(call) < 8100, "two of a thousand numbers, and a few numbers alone"


def test_medians_and_quartiles() -> None:
    one = Measured("eager", samples=[Sample(t, t) for t in (5.0, 1.0, 2.0, 3.0, 4.0)])
    assert one.run == 3.0 and one.quartiles == (2.0, 4.0) and one.compile is None
    assert Bench({"eager": one}, 1.0, 5).toolchain is None
