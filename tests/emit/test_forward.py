"""What generated code does, against the same written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from archc.source.diagnostic import SpecError


def same(a, b) -> None:
    torch.testing.assert_close(a, b)


def test_chain(model) -> None:
    net = model(
        "  A: {inputs: {x: '[B, 4]'}, nodes: {a: linear(3), b: linear(2)}, flow: {y: x -> a -> relu -> b}}"
    )
    x = torch.randn(5, 4)
    same(net(x), net.b(F.relu(net.a(x))))
    assert list(net.state_dict()) == ["a.weight", "a.bias", "b.weight", "b.bias"]


RESIDUAL = """\
  A:
    inputs: {x: '[B, 4]', t: '[B, 3]?'}
    nodes: {a: linear(4), p: linear(4)}
    flow:
      h: x -> a
      e: t -> p
      out: h + e -> relu
"""


def test_optional_input(model) -> None:
    net = model(RESIDUAL)
    x, t = torch.randn(5, 4), torch.randn(5, 3)
    same(net(x), F.relu(net.a(x)))
    same(net(x, t), F.relu(net.a(x) + net.p(t)))
    same(net(x, t=t), net(x, t))


def test_absent_input_has_no_weights(model) -> None:
    net = model(RESIDUAL, absent=["t"])
    assert list(net.state_dict()) == ["a.weight", "a.bias"]
    with pytest.raises(TypeError):
        net(torch.randn(5, 4), torch.randn(5, 3))


def test_given_input_is_needed(model) -> None:
    net = model(RESIDUAL, given=["t"])
    with pytest.raises(TypeError):
        net(torch.randn(5, 4))


OPEN = """\
  A:
    inputs: {x: '[B, 4]?', y: '[B, 4]?', z: '[B, 4]'}
    flow:
      s: x + y
      m: x * y
      c: x, z, y -> concat(axis=1)
      p: x -> relu
    outputs: [s, m, c, p]
"""


@pytest.mark.parametrize("has_x", [False, True])
@pytest.mark.parametrize("has_y", [False, True])
def test_operators_leave_out_what_is_absent(model, has_x: bool, has_y: bool) -> None:
    net = model(OPEN)
    z = torch.randn(2, 4)
    x = torch.randn(2, 4) if has_x else None
    y = torch.randn(2, 4) if has_y else None
    s, m, c, p = net(z, x, y)
    there = [v for v in (x, y) if v is not None]
    if not there:
        assert s is None
        assert m is None
    else:
        same(s, sum(there[1:], there[0]))
        same(m, torch.stack(there).prod(0))
    same(c, torch.cat([v for v in (x, z, y) if v is not None], 1))
    if x is None:
        assert p is None
    else:
        same(p, F.relu(x))


CHOICE = """\
  A:
    inputs: {x: '[B, 4]', c: '[B, 4]?', d: '[B, 4]?'}
    nodes: {a: linear(4), b: linear(4), n: {call: linear(4), when: c}}
    flow:
      k: c or d or x
      y: x + c -> a -> relu if c and not d else x -> b
      w: x -> n
      out: k + y + w
"""


@pytest.mark.parametrize("has_c", [False, True])
@pytest.mark.parametrize("has_d", [False, True])
def test_choices(model, has_c: bool, has_d: bool) -> None:
    net = model(CHOICE)
    x = torch.randn(2, 4)
    c = torch.randn(2, 4) if has_c else None
    d = torch.randn(2, 4) if has_d else None
    k = c if c is not None else d if d is not None else x
    y = F.relu(net.a(x + c)) if c is not None and d is None else net.b(x)
    w = net.n(x) if c is not None else x
    same(net(x, c, d), k + y + w)


def test_only_the_arm_that_is_taken_runs(model) -> None:
    net = model(CHOICE)
    ran = []
    net.a.register_forward_hook(lambda *_: ran.append("a"))
    net.b.register_forward_hook(lambda *_: ran.append("b"))
    net(torch.randn(2, 4))
    assert ran == ["b"]
    net(torch.randn(2, 4), torch.randn(2, 4))
    assert ran == ["b", "a"]


LOOPS = """\
  Two:
    inputs: {x: '[B, D]', e: '[B, D]?', s: '[B, D]?'}
    nodes: {l: linear(D)}
    flow:
      h: x -> l
      out: h + e + s
    outputs: [out, h]
  A:
    inputs: {x: '[B, 4]', e: '[B, 4]?'}
    nodes:
      r: {call: Two, repeat: 3}
      t: {call: Two, repeat: 3}
      s: {call: Two, repeat: 2, share: true}
      p: {call: Two, parallel: 2}
      w: {call: Two, repeat: 4 as i, when: i % 2 == 0}
      k: {call: linear(4), repeat: 2}
    flow:
      a, hs: x -> r(e)
      b: a -> t(e, each(reversed(hs)))
      c: b -> s
      d, ds: c -> p(s=e)
      f, fs: c -> w(e)
      out: f -> k
      all: k.all
    outputs: [out, hs, d, ds, fs, all]
"""


@pytest.mark.parametrize("has_e", [False, True])
def test_repeats(model, has_e: bool) -> None:
    net = model(LOOPS.replace("all: k.all", "ks: k.all[:]").replace("fs, all]", "fs, ks]"))
    x = torch.randn(2, 4)
    e = torch.randn(2, 4) if has_e else None

    def two(block, x, e=None, s=None):
        h = block.l(x)
        return sum((v for v in (e, s) if v is not None), h), h

    out, hs, d, ds, fs, ks = net(x, e)
    want_hs = []
    a = x
    for block in net.r:
        a, h = two(block, a, e)
        want_hs.append(h)
    b = a
    for block, s in zip(net.t, reversed(want_hs), strict=True):
        b, _ = two(block, b, e, s)
    c = b
    for _ in range(2):
        c, _ = two(net.s, c)
    pairs = [two(block, c, None, e) for block in net.p]
    f = c
    want_fs = []
    for i in (0, 2):
        f, h = two(net.w[i], f, e)
        want_fs.append(h)
    want_ks = []
    for layer in net.k:
        f = layer(f)
        want_ks.append(f)
    same(out, f)
    same(hs, want_hs)
    same(d, [p[0] for p in pairs])
    same(ds, [p[1] for p in pairs])
    same(fs, want_fs)
    same(ks, want_ks)
    names = {n.rsplit(".", 2)[0] for n in net.state_dict()}
    assert names == {"r.0", "r.1", "r.2", "t.0", "t.1", "t.2", "s", "p.0", "p.1", "w.0", "w.2", "k"}


def test_shared_node_is_one_module(model) -> None:
    net = model("  A: {inputs: {x: '[B, 4]'}, nodes: {l: linear(4)}, flow: {y: x -> l -> relu -> l}}")
    x = torch.randn(3, 4)
    same(net(x), net.l(F.relu(net.l(x))))


def test_params_buffers_and_ties(model) -> None:
    net = model(
        """\
  A:
    inputs: {x: 'int64[B, T]'}
    nodes:
      e: embedding(7, 4)
      p: param([9, 4], init=normal(0.1))
      b: buffer([4], persistent=false)
      head: linear(7, bias=false)
    flow:
      out: (x -> e) + p[:T] + b -> head
      w: x * 1.0 + e.weight[0][0]
    outputs: [out, w]
    tie: {head.weight: e.weight}
"""
    )
    assert net.head.weight is net.e.weight
    assert isinstance(net.p, nn.Parameter)
    assert "b" not in net.state_dict()
    x = torch.randint(0, 7, (2, 5))
    out, w = net(x)
    same(out, (net.e(x) + net.p[:5] + net.b) @ net.e.weight.T)
    same(w, x + net.e.weight[0, 0])


def test_sizes_of_the_run(model) -> None:
    net = model(
        """\
  Scale:
    params: {n: float}
    inputs: {x: '[B, L]'}
    flow: {y: x * n}
  A:
    inputs: {x: '[B, H, W]'}
    flow:
      f: x -> flatten
      y: f -> Scale(1 / (H * W))
      z: "x[:, : H // 2] + arange(W)"
    outputs: [y, z]
"""
    )
    for h, w in ((4, 6), (5, 3)):
        x = torch.randn(2, h, w)
        y, z = net(x)
        same(y, x.flatten(1) / (h * w))
        same(z, x[:, : h // 2] + torch.arange(w))


def test_initialisers(emitted) -> None:
    from archc.runtime.build import build_module

    source = emitted(
        """\
  In:
    inputs: {x: '[B, D]'}
    nodes: {l: linear(D), m: linear(D)}
    flow: {y: x -> l -> m}
    init: [{at: m, weight: constant(3.0)}]
  A:
    inputs: {x: '[B, 4]'}
    nodes: {b: {call: In, repeat: 3}, l: linear(4), p: 'param([2], init=ones)'}
    flow: {y: '(x -> b -> l) + p[0]'}
    init:
      - {op: linear, weight: constant(2.0), bias: zeros}
      - {at: l, bias: constant(1.0)}
"""
    )
    net = build_module(source)()
    assert net.b[1].get_parameter("l.weight").eq(2).all()
    assert net.b[2].get_parameter("m.weight").eq(3).all()
    assert net.b[2].get_parameter("m.bias").eq(0).all()
    assert net.l.bias.eq(1).all()
    assert net.p.eq(1).all()


def test_guards(model) -> None:
    net = model(
        """\
  A:
    params: {most: int = 32}
    inputs: {x: '[B, 3, H]'}
    require: [H <= most: the signal is too long]
    nodes: {c: 'conv1d(3, 2, stride=2)', u: upsample(2)}
    flow: {y: x + (x -> c -> u)}
"""
    )
    net(torch.randn(1, 3, 8))
    with pytest.raises(ValueError, match=r"x: H must be divisible by 2, got H = 7"):
        net(torch.randn(1, 3, 7))
    with pytest.raises(ValueError, match=r"x: the signal is too long, got H = 34"):
        net(torch.randn(1, 3, 34))
    with pytest.raises(ValueError, match=r"x: expected \[B, 3, H\], got \[1, 4, 8\]"):
        net(torch.randn(1, 4, 8))
    with pytest.raises(ValueError, match=r"x: expected \[B, 3, H\], got \[3, 8\]"):
        net(torch.randn(3, 8))


def test_sizes_must_agree_between_inputs(model) -> None:
    net = model(
        """\
  A:
    inputs: {x: '[B, T, 4]', y: '[B, T, 4]', z: '[B, 2 * T]?', s: {bundle: 2, shape: '[B, 4]'}}
    flow:
      a: x + y
      b: z -> relu
      c: s -> concat(axis=1)
    outputs: [a, b, c]
"""
    )
    x, s = torch.randn(2, 3, 4), [torch.randn(2, 4)] * 2
    net(x, x, s)
    net(x, x, s, torch.randn(2, 6))
    with pytest.raises(ValueError, match=r"y: expected \[2, 3, 4\], got \[1, 3, 4\]"):
        net(x, x[:1], s)
    with pytest.raises(ValueError, match=r"z: expected \[2, 6\], got \[2, 5\]"):
        net(x, x, s, torch.randn(2, 5))
    with pytest.raises(ValueError, match=r"s: expected 2 tensors, got 3"):
        net(x, x, [*s, s[0]])


def test_model_without_inputs_and_weights(model) -> None:
    assert model("  A: {flow: {y: 'zeros([2, 3])'}}")().shape == (2, 3)


def test_noise_that_is_off_everywhere_is_not_there(emitted) -> None:
    blocks = """\
  L:
    params: {p: float}
    inputs: {x: '[B, D]'}
    nodes: {l: linear(D), drop: dropout(p)}
    flow: {out: x -> l -> drop}
  A:
    params: {p: float = 0.0}
    inputs: {x: '[B, 8]'}
    nodes: {l: {call: L(p), repeat: 2}, m: L(0.0)}
    flow: {out: x -> l -> m}
"""
    assert "dropout" not in emitted(blocks).source
    source = emitted(blocks, p=0.1).source
    assert source.count("class L") == 1
    assert "L(8, p) for _ in range(2)" in source
    assert "self.m = L(8, 0.0)" in source


@pytest.mark.parametrize(
    "name", ["half", "train", "type", "children", "register_buffer", "_modules", "_check"]
)
def test_node_that_torch_would_hide(emitted, name: str) -> None:
    with pytest.raises(SpecError) as error:
        emitted(f"  A: {{inputs: {{x: '[B, 4]'}}, nodes: {{{name}: linear(3)}}, flow: {{y: x -> {name}}}}}")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "A601"
    assert diagnostic.span is not None
    assert diagnostic.span.text == name


def test_reserved_names_are_torchs() -> None:
    from archc.graph.attributes import MODULE

    known = {n for n in [*dir(nn.Module), *vars(nn.Module())] if not n.startswith("_")}
    assert known <= MODULE
