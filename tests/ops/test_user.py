"""Operators that a user writes in Python, from the decorator to the built module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc
from tests.ops import own_operators

MODULE = own_operators.__name__


def spec(inputs: str, flow: str, nodes: str = "", more: str = "") -> Any:
    body = f"inputs: {{{inputs}}}\nnodes: {{{nodes}}}\n{more}\nflow:\n"
    body += "".join(f"  {line}\n" for line in flow.split("; "))
    block = body.replace("\n", "\n    ")
    return archc.text(f"archc: 1\nops: [{MODULE}]\nblocks:\n  Net:\n    {block}")


def load(*parts: str, **settings: Any) -> nn.Module:
    return archc.load(spec(*parts), ops=[own_operators], **settings)


def told(*parts: str, **settings: Any) -> list[str]:
    found = archc.check(spec(*parts), ops=[MODULE], **settings)
    return [f"{d.code} {d.message}" for d in found.diagnostics]


def shape(*parts: str, **settings: Any) -> str:
    result = archc.check(spec(*parts), ops=[MODULE], **settings)
    assert result.ok, result.diagnostics
    return ", ".join(str(t) for t in list(result.shapes.values())[-1:])


X = "x: '[B, T, 8]'"


# --- what they make ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((X, "y: x -> squared_relu"), "[B, T, 8]"),
        ((X, "y: x -> thin"), "[B, T, 4]"),
        ((X, "y: x -> thin(every=3)"), "[B, T, 2]"),
        (("x: '[B, T]'", "y: x -> thin"), "[B, T // 2]"),
        (("x: '[B, T]'", "y: x -> thin(every=B)"), "[B, T // B]"),
        (("x: '[B, T, C]'", "y: x -> halves(1)"), "[B, T // 2 + T % 2, C]"),
        ((X, "y: x, x, x -> total(how=mean)"), "[B, T, 8]"),
        ((X, "y: x -> jitter(0.1)"), "[B, T, 8]"),
        ((X, "y: x @ chessboard(8)"), "[B, T, 8]"),
        ((X, "y: x -> fc", "fc: normed_linear(3)"), "[B, T, 3]"),
        ((X, "y: x -> g", "g: gate"), "[B, T, 8]"),
    ],
)
def test_shapes(parts: tuple, expected: str) -> None:
    found = shape(*parts)
    assert found == expected or found == expected.replace("T // 2 + T % 2", "(T + 1) // 2")


def test_the_built_module_calls_the_users() -> None:
    model = load(X, "a: x -> squared_relu; y: a -> thin(w=p, every=4)", "p: 'param([8], init=ramp(0.5))'")
    x = torch.randn(2, 3, 8)
    expected = own_operators.thin(x.relu().square(), torch.arange(8) / 2, every=4)
    torch.testing.assert_close(model(x), expected)
    source = archc.source(spec(X, "y: x -> thin(every=4)"), ops=[MODULE])
    assert f"import {MODULE}\n" in source
    assert f"return {MODULE}.thin(x, every=4)" in source


def test_open_inputs() -> None:
    model = load(X + ", w: '[8]?'", "y: x -> thin(w=w)")
    x, w = torch.randn(2, 3, 8), torch.randn(8)
    torch.testing.assert_close(model(x), own_operators.thin(x))
    torch.testing.assert_close(model(x, w), own_operators.thin(x, w))


def test_outputs_have_names() -> None:
    model = load(X, "h: x -> halves; l, r: x -> halves; y: h.high - r + l")
    x = torch.randn(2, 3, 8)
    torch.testing.assert_close(model(x), x[..., :4])


def test_training_is_told() -> None:
    model = load(X, "y: x -> jitter(0.5)")
    x = torch.zeros(2, 3, 8)
    assert not torch.equal(model(x), x)
    assert torch.equal(model.eval()(x), x)


def test_weights_are_those_of_the_class() -> None:
    nodes = "fc: {call: normed_linear(8), repeat: 2}, s: scale(0.5)"
    model = load(X, "y: x -> fc -> s", nodes)
    assert list(dict(model.named_parameters())) == [
        f"fc.{i}.linear.{name}"
        for i in range(2)
        for name in ("bias", "parametrizations.weight.original0", "parametrizations.weight.original1")
    ] + ["s.weight"]
    total = archc.summary(spec(X, "y: x -> fc -> s", nodes), ops=[MODULE]).total
    assert total.parameters == sum(p.numel() for p in model.parameters())
    assert total.flops is None
    x = torch.randn(2, 3, 8)
    torch.testing.assert_close(model(x), model.fc[1](model.fc[0](x)) * 0.5)


def test_flops_are_those_that_are_told() -> None:
    assert archc.summary(spec(X, "y: x -> thin"), ops=[MODULE]).total.flops == 7


def test_initialisers_in_rules() -> None:
    more = "init: [{op: linear, weight: ramp(2), bias: ramp}]"
    model = load("x: '[B, 2]'", "y: x -> fc", "fc: linear(2)", more)
    assert model.fc.weight.tolist() == [[0, 2], [4, 6]]
    assert model.fc.bias.tolist() == [0, 1]


def test_an_operator_as_a_param() -> None:
    given = spec(X, "y: x -> act", "", "params: {act: op = relu}")
    model = archc.load(given, ops=[MODULE], act="squared_relu")
    assert model(torch.full((1, 1, 8), 3.0)).max() == 9


def test_it_is_drawn_outlined_and_compiled_as_others_are() -> None:
    given = spec(
        "x: '[B, T, C]'", "y: x -> thin(every=k) -> fc", "fc: normed_linear(n)", "params: {n: int, k: int}"
    )
    picture = archc.draw(given, ops=[MODULE])
    assert "normed_linear" in str(picture)
    assert "thin" in str(picture)
    model = archc.load(given, ops=[MODULE], n=4, k=2, C=8)
    x = torch.randn(2, 3, 8)
    torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(x), model(x))


# --- what is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((X, "y: x -> thin(every=0.5)"), "A403 `every` must be a whole number, not 0.5"),
        ((X, "y: x -> thin(evry=2)"), "A244 `thin` has no attribute `evry`"),
        ((X, "y: x -> jitter"), "A401 `jitter` needs `scale`"),
        ((X, "y: x, x, x -> thin"), "A405 `thin` takes 1 to 2 inputs, got 3"),
        ((X, "y: x -> thin(w=2.0)"), "A302 `w` takes a tensor, not a number"),
        ((X + ", w: '[4]'", "y: x -> thin(w=w)"), "A301 `w` must be [D] and is [4]: 4 and 8 differ"),
        ((X, "y: x -> total(how=max)"), 'A403 `how` must be sum or mean, not "max"'),
        ((X, "y: x -> normed_linear(3)"), "A243 `normed_linear` owns weights, so it must be a node"),
        (
            ("x: '[B, C]'", "y: x -> fc", "fc: normed_linear(3)"),
            "A406 `D` of `normed_linear` must be known when the model is built",
        ),
        (
            ("x: '[B, T]'", "y: x -> wrongly_ruled"),
            "A302 the shape rule of `wrongly_ruled` tells [13, 15], and it makes [13, 14] for B = 13, T = 14",
        ),
        ((X, "y: x -> squared_rely"), "A250 there is no node or operator `squared_rely`"),
        ((X, "y: x * p", "p: 'param([8], init=romp)'"), "A501 there is no initialiser `romp`"),
    ],
)
def test_mistakes(parts: tuple, message: str) -> None:
    [found, *others] = told(*parts)
    assert (found, others) == (message, [])


def test_what_torch_cannot_tell_is_not_guessed() -> None:
    [found] = archc.check(spec(X, "y: x -> nonzero"), ops=[MODULE]).diagnostics
    assert found.code == "A302"
    assert found.message == "`nonzero`: sizes depend on the values of its inputs, not on their sizes alone"
    assert found.help is not None and "@archc.op(shape=" in found.help


def test_what_torch_refuses_is_told_as_torch_does() -> None:
    [found] = archc.check(spec("x: '[B, 8]', y: '[B, 3]'", "z: x, y -> total"), ops=[MODULE]).diagnostics
    assert found.message.startswith("`total`: stack expects each tensor to be equal size")


def test_modules_are_loaded_only_where_allowed() -> None:
    result = archc.check(spec(X, "y: x -> squared_relu -> no_such"))
    assert [d.code for d in result.diagnostics] == ["A118"], "what the module may hold is not told as missing"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("import no_such_module_at_all", "A126", "No module named 'no_such_module_at_all'"),
        ("1 / 0", "A126", "ZeroDivisionError"),
        ("raise SystemExit(3)", "A126", "SystemExit: 3"),
        ("x = 1", "A126", "declares no operators"),
        ("import archc\n@archc.op\ndef f(x): return x", "A126", "`x` needs an annotation"),
        (
            "import archc, torch\n@archc.op\ndef relu(x: torch.Tensor) -> torch.Tensor: return x",
            "A127",
            "archc's own",
        ),
    ],
)
def test_modules_that_cannot_be_loaded(
    text: str, code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_ops.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_ops", raising=False)
    given = archc.text("archc: 1\nops: [broken_ops]\nblocks: {A: {inputs: {x: '[B]'}, flow: {y: x -> own}}}")
    [found] = archc.check(given, ops=["broken_ops"]).diagnostics
    assert found.code == code
    assert words in found.message
    assert found.span is not None and found.span.text == "broken_ops"


def test_a_missing_module(tmp_path: Path) -> None:
    given = archc.text("archc: 1\nops: [no.such]\nblocks: {A: {inputs: {x: '[B]'}, flow: {y: x -> relu}}}")
    [found] = archc.check(given, ops=["no.such"]).diagnostics
    assert (found.code, found.message) == ("A126", "there is no Python module `no.such`")


def test_a_file_sees_only_the_operators_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        f"archc: 1\nops: [{MODULE}]\nuse: [./b.yaml]\n"
        "blocks: {A: {inputs: {x: '[B]'}, nodes: {b: B}, flow: {y: x -> b -> squared_relu}}}"
    )
    (tmp_path / "b.yaml").write_text(
        "archc: 1\nblocks: {B: {inputs: {x: '[N]'}, flow: {y: x -> squared_relu}}}"
    )
    [found] = archc.check(tmp_path / "a.yaml", ops=[MODULE]).diagnostics
    assert found.code == "A250" and found.span is not None and found.span.source.name.endswith("b.yaml")
    assert found.help == f"it is an operator of `{MODULE}`: add `ops: [{MODULE}]` to this file"


# --- declarations --------------------------------------------------------------------------


def bare(x): ...
def untyped(x: Tensor, n) -> Tensor: ...
def listed(x: Tensor, n: list[int]) -> Tensor: ...
def no_return(x: Tensor): ...
def odd_return(x: Tensor) -> dict: ...
def needed_none(x: Tensor | None) -> Tensor: ...
def two_many(x: Tensor, *xs: Tensor) -> Tensor: ...
def keywords(x: Tensor, **more: int) -> Tensor: ...
def good(x: Tensor, n: int = 1) -> Tensor: ...


class NoModule:
    def __init__(self, n: int) -> None: ...
    def forward(self, x: Tensor) -> Tensor: ...


class TensorInit(nn.Module):
    def __init__(self, start: Tensor) -> None: ...
    def forward(self, x: Tensor) -> Tensor: ...


class LateAttribute(nn.Module):
    def __init__(self) -> None: ...
    def forward(self, x: Tensor, n: int) -> Tensor: ...


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        (bare, {}, "`x` needs an annotation"),
        (untyped, {}, "`n` needs an annotation"),
        (listed, {}, "`n: list[int]` is no type of an attribute"),
        (no_return, {}, "needs an annotation of what it returns"),
        (odd_return, {}, "returns tensors"),
        (needed_none, {}, "give it the default None"),
        (two_many, {}, "it is the only one"),
        (keywords, {}, "cannot be given by a spec"),
        (good, {"kind": "nice"}, "there is no kind 'nice'"),
        (good, {"name": "BadName"}, "snake_case"),
        (good, {"outputs": ("a", "b")}, "returns 1, and `outputs` names 2"),
        (good, {"shape": "[B, T]"}, "has no `->`"),
        (good, {"shape": "[B], [B] -> [B]"}, "has 2 inputs, and the operator 1"),
        (good, {"shape": "[B, T] -> [B, K]"}, "`K` stands alone in no input"),
        (good, {"shape": "[B, T] -> [B, k]"}, "`k` is no attribute"),
        (good, {"shape": "[B, 2 * T] -> [B, T]"}, "`T` stands alone in no input"),
        (good, {"shape": "[B] -> [..., B]"}, "`...` stands in no input"),
        (good, {"shape": "int[B] -> [B]"}, "there is no dtype `int`"),
        (good, {"shape": "[B -> B]"}, "in the shape rule's"),
        (NoModule, {}, "is a torch.nn.Module"),
        (TensorInit, {}, "`start` is a tensor"),
        (LateAttribute, {}, "attributes belong to `__init__`"),
    ],
)
def test_what_is_no_operator(target: Any, options: dict, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match="@archc.op " + target.__name__) as refused:
        archc.op(**options)(target)
    assert words in str(refused.value)


def test_what_is_no_initialiser() -> None:
    for target, words in ((good, None), (two_many, "it is the only one"), (NoModule, "is a function")):
        if words is None:
            assert archc.initialiser(target) is target
            continue
        with pytest.raises(TypeError, match=words):
            archc.initialiser(target)
