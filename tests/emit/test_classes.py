"""Which instances share a class, and what its arguments are."""

from __future__ import annotations

import ast
import inspect

import pytest
import torch

import archc
from archc.emit import refusals
from archc.graph.compile import Text, graph
from archc.runtime.build import build_module
from archc.source.diagnostic import SpecError


def signatures(source: str) -> dict[str, list[str]]:
    """The arguments of each class's `__init__`."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            inits = [f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"]
            found[node.name] = [a.arg for f in inits for a in f.args.args[1:]]
    return found


CONV = """\
  Conv:
    params: {c_out: int, k: int = 3}
    inputs: {x: '[B, C, H, W]'}
    nodes: {conv: 'conv2d(c_out, k, padding=k // 2)'}
    flow: {y: x -> conv -> relu}
"""


def test_numbers_that_differ_are_arguments(emitted) -> None:
    source = emitted(
        CONV
        + """\
  A:
    inputs: {x: '[B, 3, H, W]'}
    nodes: {a: Conv(8), b: 'Conv(16, k=5)'}
    flow: {y: x -> a -> b}
"""
    ).source
    assert signatures(source) == {"Conv": ["c", "c_out", "k"], "A": []}
    assert "nn.Conv2d(c, c_out, k, padding=k // 2)" in source
    assert "self.a = Conv(3, 8, k=3)" in source
    assert "self.b = Conv(8, 16, k=5)" in source


def test_parents_speak_in_their_own_names(emitted) -> None:
    source = emitted(
        CONV
        + """\
  A:
    params: {width: int = 8}
    inputs: {x: '[B, 3, H, W]'}
    nodes: {a: Conv(width), b: Conv(2 * width)}
    flow: {y: x -> a -> b}
"""
    ).source
    assert signatures(source)["A"] == ["width"]
    assert "self.a = Conv(3, width, k=3)" in source
    assert "self.b = Conv(width, 2 * width, k=3)" in source


def test_structure_makes_variants(emitted) -> None:
    source = emitted(
        """\
  Res:
    params: {c_out: int = C}
    inputs: {x: '[B, C]', t: '[B, D]?'}
    nodes: {l: linear(c_out), skip: {call: linear(c_out), when: C != c_out}, p: linear(c_out)}
    flow: {e: t -> p, y: (x -> l) + e + (x -> skip)}
  A:
    inputs: {x: '[B, 4]', t: '[B, 3]'}
    nodes: {a: Res(4), b: Res(8), c: Res(8)}
    flow: {y: x -> a -> b -> c(t)}
"""
    ).source
    assert list(signatures(source)) == ["Res", "ResSkip", "ResWithTP", "A"]
    assert "Variant of `Res` with `skip`" in source
    assert "Variant of `Res` with input `t`" in source


def test_a_variant_is_named_once_for_what_its_parts_have_too(emitted) -> None:
    source = emitted(
        """\
  Inner:
    inputs: {x: '[B, C]', gate: '[B, C]?'}
    nodes: {fc: linear(C)}
    flow: {y: (x -> fc) * gate}
  Outer:
    inputs: {x: '[B, C]', gate: '[B, C]?'}
    nodes: {inner: Inner}
    flow: {y: x -> inner(gate)}
  A:
    inputs: {x: '[B, 8]', gate: '[B, 8]?'}
    nodes: {a: Outer, b: Outer}
    flow: {y: x -> a -> b(gate)}
"""
    ).source
    names = ["Inner", "InnerWithOptionalGate", "Outer", "OuterWithOptionalGate", "A"]
    assert list(signatures(source)) == names
    assert "Variant of `Outer` with optional input `gate`." in source


def test_copies_alike_are_one_loop(emitted) -> None:
    source = emitted(
        """\
  B: {inputs: {x: '[B, D]'}, nodes: {l: linear(D)}, flow: {y: x -> l}}
  A:
    params: {dim: int = 8, depth: int = 12}
    inputs: {x: '[N, dim]'}
    nodes: {h: {call: B, repeat: depth}}
    flow: {y: x -> h}
"""
    ).source
    assert signatures(source)["A"] == ["dim", "depth"]
    assert "self.h = nn.ModuleList(B(dim) for _ in range(depth))" in source
    assert "for block in self.h:\n            y = block(y)\n" in source


def test_arguments_build_what_they_say(emitted) -> None:
    """An argument of the root with another value is the spec with that param."""
    blocks = """\
  B:
    params: {n: int = 4}
    inputs: {x: '[B, D]'}
    nodes: {l: linear(n * D), m: linear(D)}
    flow: {y: x -> l -> m}
  A:
    params: {dim: int = 8, depth: int = 2, wide: int = 4}
    inputs: {x: '[N, dim]'}
    nodes: {h: {call: B(wide), repeat: depth}, out: linear(dim // 2)}
    flow: {y: x -> h -> out}
"""
    root = build_module(emitted(blocks))
    for settings in ({"dim": 6}, {"depth": 5}, {"wide": 1}, {"dim": 10, "depth": 1, "wide": 3}):
        assert settings.keys() <= inspect.signature(root).parameters.keys()
        ours = {n: t.shape for n, t in root(**settings).state_dict().items()}
        spec = {n: t.shape for n, t in build_module(emitted(blocks, **settings))().state_dict().items()}
        assert ours == spec


def test_what_is_folded_in_is_no_argument(emitted) -> None:
    blocks = """\
  A:
    params: {n: int = 4, m: int = 4, most: int = 9, rows: 'int[] = [1, 2]', p: int = 2}
    inputs: {x: '[B, D, T]'}
    require: [T <= most: too long]
    nodes:
      a: conv1d(8 if n > 3 else 2, 1)
      b: {call: 'conv1d(8 * rows[0] * m, 1)', repeat: 2}
      c: {call: 'conv1d(i + 1, 1)', repeat: n as i}
      d: conv1d(3, p, stride=p)
      u: upsample(p)
    flow:
      y: x -> a -> b -> c
      z: y + (y -> d -> u)
"""
    assert signatures(emitted(blocks, D=4, p=2, n=3).source) == {"A": ["d"]}


def test_differing_literals_become_arguments(emitted) -> None:
    source = emitted(
        """\
  B:
    params: {sizes: 'int[]'}
    inputs: {x: '[B, C]'}
    nodes: {l: 'linear(sizes[0])'}
    flow: {y: x -> l}
  A:
    inputs: {x: '[B, 4]'}
    nodes: {a: 'B([5])', b: 'B([6])'}
    flow: {y: x -> a -> b}
"""
    ).source
    assert signatures(source)["B"] == ["c", "out_features"]
    assert "self.a = B(4, out_features=5)" in source


def test_cost_does_not_grow_with_copies(emitted) -> None:
    blocks = """\
  B: {inputs: {x: '[B, D]'}, nodes: {l: linear(D)}, flow: {y: x -> l}}
  A:
    params: {depth: int = 12}
    inputs: {x: '[N, 8]'}
    nodes: {h: {call: B, repeat: depth}}
    flow: {y: x -> h}
    init: [{op: linear, weight: normal(0.02)}]
"""
    few, many = emitted(blocks).source, emitted(blocks, depth=2000).source
    assert many.replace("2000", "12") == few


GROWING = """\
  Grow:
    params: {growth: int = 3}
    inputs: {x: '[B, C]'}
    nodes: {fc: linear(growth)}
    flow: {y: "x, (x -> fc) -> concat"}
  Net:
    params: {growth: int = 3, layers: int = 5, stem: int = 8}
    inputs: {x: '[B, 4]'}
    nodes:
      stem: linear(stem)
      grow: {call: Grow(growth), repeat: layers}
      out: linear(2)
    flow: {y: x -> stem -> grow -> out}
"""


@pytest.mark.parametrize("layers", [5, 60], ids=["few", "so many that no text tells the sum"])
def test_copies_that_grow_are_counted(emitted, layers: int) -> None:
    made = emitted(GROWING, layers=layers)
    assert f"Grow(stem + i * growth, growth=growth) for i in range({layers})" in " ".join(made.source.split())
    root = build_module(made)
    assert set(inspect.signature(root).parameters) == {"growth", "stem"}
    for settings in ({"growth": 2}, {"stem": 7}, {"growth": 9, "stem": 1}):
        ours = {n: t.shape for n, t in root(**settings).state_dict().items()}
        spec = build_module(emitted(GROWING, layers=layers, **settings))().state_dict()
        assert ours == {n: t.shape for n, t in spec.items()}


def test_a_size_whose_text_is_too_long_is_of_no_argument(emitted) -> None:
    long = "a_name_of_a_width_that_goes_on_for_fifty_letters_"
    blocks = f"""\
  A:
    params: {{{long}1: int = 8, {long}2: int = 4, {long}3: int = 3, out: int = 2}}
    inputs: {{x: '[B, 4]'}}
    nodes: {{a: linear({long}1), b: linear({long}2), c: linear({long}3), d: linear(out)}}
    flow: {{y: "(x -> a), (x -> b), (x -> c) -> concat -> d"}}
"""
    source = emitted(blocks).source
    assert signatures(source) == {"A": ["out"]}
    assert "self.d = nn.Linear(15, out)" in source


def test_a_size_that_a_part_was_made_for_is_no_argument(emitted) -> None:
    blocks = """\
  Part:
    inputs: {x: '[B, C]'}
    nodes: {a: linear(3 if C == 8 else 5), b: linear(C)}
    flow: {y: x -> a -> b}
  A:
    params: {width: int = 8, out: int = 2}
    inputs: {x: '[B, 4]'}
    nodes: {a: linear(width), part: Part, b: linear(out)}
    flow: {y: x -> a -> part -> b}
"""
    assert signatures(emitted(blocks).source) == {"Part": [], "A": ["out"]}


def test_lines_lead_to_the_spec(emitted) -> None:
    made = emitted(
        CONV + "  A: {inputs: {x: '[B, 3, H, W]'}, nodes: {a: Conv(8)}, flow: {y: x -> a -> relu}}"
    )
    lines = made.source.splitlines()
    conv = next(i for i, line in enumerate(lines, 1) if "nn.Conv2d" in line)
    call = next(i for i, line in enumerate(lines, 1) if "self.a(x)" in line)
    assert made.lines[conv].line == 7
    assert made.lines[call].line == 8
    assert all(0 < number <= len(lines) for number in made.lines)


USES = """\
  Add:
    inputs: {x: '[B, C]', y: '[B, C]?'}
    nodes: {fc: linear(C)}
    flow: {out: x + y -> fc}
  A:
    inputs: {x: '[B, 8]'}
    nodes: {add: Add}
    flow:
      a: x -> add
      out: a -> add%s
"""


def test_one_node_for_two_codes(emitted) -> None:
    assert emitted(USES % "").source.count("self.add(") == 2
    with pytest.raises(SpecError) as error:
        emitted(USES % "(x)")
    assert [d.code for d in error.value.diagnostics] == ["A606"]
    found = graph(Text("archc: 1\nblocks:\n" + USES % "(x)"))
    assert [d.code for d in refusals(found)] == ["A606"]
    assert refusals(graph(Text("archc: 1\nblocks:\n" + USES % ""))) == ()


def test_shared_node_that_is_bypassed_at_times(model) -> None:
    net = model(
        """\
  A:
    inputs: {x: '[B, 4]'}
    nodes: {p: {call: linear(4), repeat: 4 as i, share: true, when: i != 1}}
    flow: {out: x -> p}
"""
    )
    x = torch.randn(2, 4)
    torch.testing.assert_close(net(x), net.p(net.p(net.p(x))))


def test_a_weight_that_is_read_stands_where_it_is_used(emitted) -> None:
    source = emitted(
        """\
  A:
    inputs: {x: '[B, 4]'}
    nodes: {pos: 'param([4])'}
    flow: {a: x + pos, b: a * pos, out: a + b}
"""
    ).source
    assert "a = x + self.pos" in source
    assert "a * self.pos" in source


def test_axes_that_an_index_leaves_alone_keep_their_names():
    spec = """archc: 1
blocks:
  Net:
    params: {e: int = 3}
    inputs: {x: [B, T, C]}
    nodes: {a: linear(e * C), b: linear(7)}
    flow:
      h: x -> a
      y: h[:, :1, ...] -> b
"""
    assert "self.b = nn.Linear(e * c, 7)" in archc.source(archc.text(spec), C=8)
