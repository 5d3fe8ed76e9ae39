"""Checkpoint maps: what they name, how they compose, and what is told of wrong ones."""

import re

import pytest

from archc.graph.checkpoints import check_maps, known_maps, resolve
from archc.graph.compile import Text, check, graph
from archc.graph.weights import weights
from archc.source.catalogue import CODES
from archc.source.data import explain
from archc.source.diagnostic import Report, SpecError
from tests.graph.maps import LAYERS, THROUGH, block, mistakes, texts, theirs


def test_names_that_no_entry_has_stay() -> None:
    assert theirs(block("fc.bias: b")) == {"fc.weight": "fc.weight", "fc.bias": "b"}


def test_empty_map_is_a_map() -> None:
    assert theirs(block("")) == {"fc.weight": "fc.weight", "fc.bias": "fc.bias"}


def test_star_is_the_rest() -> None:
    assert theirs(block("fc.*: head.proj.*")) == {
        "fc.weight": "head.proj.weight",
        "fc.bias": "head.proj.bias",
    }


def test_star_alone_is_everything() -> None:
    assert theirs(block("'*': 'model.*'"))["fc.bias"] == "model.fc.bias"


def test_longest_literal_wins_whatever_the_order() -> None:
    for entries in ("fc.*: a.*, fc.bias: b, '*': 'c.*'", "'*': 'c.*', fc.bias: b, fc.*: a.*"):
        assert theirs(block(entries)) == {"fc.weight": "a.weight", "fc.bias": "b"}


def test_captures_are_numbers_in_expressions() -> None:
    names = theirs(block("layer.<i>.*: up.<last - i>.*", LAYERS, THROUGH), n=11)
    assert names["layer.0.weight"] == "up.10.weight"
    assert names["layer.10.bias"] == "up.0.bias"
    assert len(set(names.values())) == 22


def test_capture_of_words_within_a_segment() -> None:
    nodes = "conv_in: linear(8)\n      conv_out: linear(8)"
    names = theirs(block("conv_<end>.*: conv.<end>.*", nodes, "out: x -> conv_in -> conv_out"))
    assert names["conv_in.weight"] == "conv.in.weight"
    assert names["conv_out.bias"] == "conv.out.bias"


def test_a_capture_given_twice_must_be_the_same() -> None:
    rest = "  In: {inputs: {x: [B, C]}, nodes: {f: {call: linear(C), repeat: 2}}, flow: {out: x -> f}}"
    nodes = "layer: {call: In, repeat: 2}"
    names = theirs(block("layer.<i>.f.<i>.*: same.<i>.*", nodes, THROUGH, rest))
    assert names["layer.1.f.1.weight"] == "same.1.weight"
    assert names["layer.1.f.0.weight"] == "layer.1.f.0.weight"


def test_expression_sees_params_and_presence() -> None:
    spec = block("""fc.*: <"on" if on else "off">.<"y" if y else "x">.*""", flow="out: (x + y) -> fc")
    assert theirs(spec)["fc.bias"] == "on.x.bias"
    given = graph(spec, {"on": False}, given=("y",))
    assert texts(resolve(given, "m"))["fc.bias"] == "off.y.bias"


def test_comparison_in_an_expression() -> None:
    names = theirs(block("""layer.<i>.*: <"a" if i > 0 else "b">.<i>.*""", LAYERS, THROUGH))
    assert names["layer.0.weight"] == "b.0.weight"
    assert names["layer.2.weight"] == "a.2.weight"


COMPOSED = """
  Inner:
    inputs: {x: [B, C]}
    nodes: {lin: linear(C), norm: layer_norm}
    flow: {out: x -> lin -> norm}
    checkpoints: {m: {lin.*: dense.*}, other: {norm.*: ln.*}}
  Plain:
    inputs: {x: [B, C]}
    nodes: {inner: Inner}
    flow: {out: x -> inner}
"""


def test_maps_compose_through_blocks_without_one() -> None:
    nodes = "row: {call: Plain, repeat: n}"
    names = theirs(block("row.<i>.*: h.<i>.*", nodes, "out: x -> row", COMPOSED))
    assert names["row.1.inner.lin.weight"] == "h.1.inner.dense.weight"
    assert names["row.1.inner.norm.weight"] == "h.1.inner.norm.weight"


def test_an_outer_entry_that_goes_deeper_overrides() -> None:
    nodes = "row: {call: Plain, repeat: n}"
    names = theirs(
        block("row.<i>.inner.*: r<i>.*, row.<i>.inner.lin.bias: b<i>", nodes, "out: x -> row", COMPOSED)
    )
    assert names["row.1.inner.lin.weight"] == "r1.dense.weight"
    assert names["row.1.inner.lin.bias"] == "b1"


def test_star_that_begins_at_the_number_of_a_copy() -> None:
    nodes = "row: {call: Plain, repeat: n}"
    names = theirs(block("row.*: h.*", nodes, "out: x -> row", COMPOSED))
    assert names["row.2.inner.lin.weight"] == "h.2.inner.dense.weight"


def test_copies_that_share_have_no_number() -> None:
    nodes = "row: {call: linear(8), repeat: n, share: true}"
    assert theirs(block("row.*: r.*", nodes, "out: x -> row")) == {
        "row.weight": "r.weight",
        "row.bias": "r.bias",
    }


def test_a_param_is_its_node() -> None:
    assert theirs(block("w: weights.w", "w: param([8])", "out: x * w")) == {"w": "weights.w"}


def test_buffers_that_are_not_saved_have_no_name() -> None:
    nodes = "w: buffer([8], persistent=false)\n      v: buffer([8])"
    assert theirs(block("v: b", nodes, "out: x * w * v")) == {"v": "b"}


def test_tied_tensors_may_have_one_name() -> None:
    nodes = "a: linear(8, bias=false)\n      b: linear(8, bias=false)"
    spec = block("a.*: w.*, b.*: w.*", nodes, "out: x -> a -> b\n    tie: {b.weight: a.weight}")
    assert set(theirs(spec).values()) == {"w.weight"}


def test_an_entry_may_wait_for_a_part_that_is_absent() -> None:
    nodes = "fc: linear(8)\n      extra: linear(8)"
    spec = block("extra.*: e.*, extra.weight: w", nodes, "e: y -> extra\n      out: (x -> fc) + e")
    assert check(spec, absent=("y",)).ok
    assert "w" in theirs(spec, ()).values()


def test_known_maps_are_those_of_all_blocks() -> None:
    found = graph(block("", "row: Plain", "out: x -> row", COMPOSED), absent=("y",))
    assert set(known_maps(found)) == {"m", "other"}


WRONG = {
    "the right has no star": ("fc.*: head", "A611", "head"),
    "the left has no star": ("fc.weight: head.*", "A611", "fc.weight"),
    "a star in the middle": ("fc.*.x: head.*", "A611", "x"),
    "an expression on the left": ("fc<n - 1>.*: head.*", "A611", "<n - 1>"),
    "a capture that never ends": ("fc<n.*: head.*", "A611", "<n"),
    "two captures in a row": ("<a><b>.*: head.*", "A611", "<b>"),
    "an empty part": ("fc..weight: w", "A611", "fc..weight"),
    "a blank": ("fc weight: w", "A611", " "),
    "an open bracket": ("fc.weight: a.<n", "A611", "<n"),
    "a blank on the right": ("fc.weight: a b", "A611", "b"),
    "no expression": ("fc.weight: a.<n +>", "A205", None),
    "an unknown name": ("fc.weight: a.<m>", "A240", "m"),
    "a negative number": ("fc.weight: a.<n - 4>", "A614", "n - 4"),
    "a truth": ("fc.weight: a.<on>", "A614", "on"),
    "a list": ("fc.weight: 'a.<[n]>'", "A614", "[n]"),
    "nothing of that name": ("fd.weight: a", "A612", "fd.weight"),
    "no weight of that name": ("fc.wieght: a", "A612", "fc.wieght"),
    "a node without a star": ("fc: a", "A612", "fc"),
    "one name for two": ("fc.weight: w, fc.bias: w", "A613", "w"),
    "a kept name for two": ("fc.weight: fc.bias", "A613", "fc.bias"),
    "two entries alike": ("<a>.bias: a, <b>.bias: b", "A615", "<b>.bias"),
    "behind a name": ("fc.weight: 'w.T.weight[0]x'", "A611", "x"),
    "a bracket never closed": ("fc.weight: 'w[:8'", "A611", "[:8"),
    "a join never closed": ("fc.weight: 'concat(a, b'", "A611", "(a, b"),
    "a join of nothing": ("fc.weight: concat()", "A611", ")"),
    "no comma": ("fc.weight: concat(a b)", "A611", "b"),
    "a slice that cannot be read": ("fc.weight: 'w[:+]'", "A205", None),
    "an empty slice": ("fc.weight: 'w[]'", "A205", None),
    "sizes with names": ("fc.weight: 'w.reshape(n=8)'", "A611", "n=8"),
    "no sizes": ("fc.weight: w.reshape()", "A611", "reshape()"),
    "a star on one side of a join": ("fc.*: 'concat(a.*, b)'", "A611", "b"),
    "too deep": (f"fc.weight: {'concat(' * 30}w{')' * 30}", "A611", None),
    "too many turns": (f"fc.weight: 'w[0]{'.T' * 30}'", "A611", None),
    "a list where a name stands": ("fc.weight: [a, b]", "A611", "[a, b]"),
    "a fraction": ("fc.weight: 'w[:n / 2]'", "A617", "n / 2"),
    "a step back": ("fc.weight: 'w[::-1]'", "A617", "-1"),
    "a size below": ("fc.weight: 'w.reshape(8, -8)'", "A617", "-8"),
    "an axis that is a truth": ("fc.weight: 'concat(a, b, axis=on)'", "A617", "on"),
    "too few rows": ("fc.weight: 'w[:7]'", "A616", "'w[:7]'"),
    "a reshape to another shape": ("fc.weight: 'w.reshape(4, 16)'", "A616", "'w.reshape(4, 16)'"),
    "a stack of too few": ("fc.weight: 'stack(a, b)'", "A616", "'stack(a, b)'"),
    "an axis that is not there": ("fc.weight: 'concat(a, b, axis=2)'", "A616", "'concat(a, b, axis=2)'"),
    "parts of two ranks": ("fc.weight: 'w[:8]', fc.bias: 'w[8:]'", "A616", "'w[8:]'"),
    "one whole and one in part": ("fc.weight: 'w[:8]', fc.bias: w", "A613", "w"),
    "the same part twice": ("fc.weight: 'w[:8]', fc.bias: 'w[:8]'", "A613", "'w[:8]'"),
    "a tensor twice": ("fc.weight: 'concat(w, w)'", "A613", "'concat(w, w)'"),
    "no pattern": ("ignore: ['a b']", "A611", "'a b'"),
    "a pattern of too many": ("ignore: ['*a*<b>*c']", "A611", "'*a*<b>*c'"),
    "a pattern that is a list": ("ignore: [[a]]", "A611", "[a]"),
    "a text with signs": ("fc.weight: a.<'*'>", "A614", "'*'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_entries_are_told_once_at_their_place(case: str) -> None:
    entries, code, words = WRONG[case]
    found = mistakes(block(entries))
    assert [d.code for d in found] == [code]
    if words is not None:
        assert found[0].span is not None
        assert found[0].span.text == words


def test_advice_on_an_entry_that_names_nothing() -> None:
    def help_for(
        entries: str, nodes: str = "fc: linear(8)", flow: str = "out: x -> fc", rest: str = ""
    ) -> str:
        (found,) = mistakes(block(entries, nodes, flow, rest))
        assert found.code == "A612"
        return found.help or ""

    assert help_for("fcc.*: a.*") == "did you mean `fc`?"
    assert help_for("fc.wieght: a") == "did you mean `weight`?"
    assert help_for("fc: a") == "write `fc.*`"
    assert help_for("layer.weight: a", LAYERS, THROUGH) == "write `layer.<i>.weight`"
    assert help_for("row.inner.li.*: a.*", "row: Plain", "out: x -> row", COMPOSED) == "did you mean `lin`?"


def test_a_wrong_expression_inside_blocks_shows_the_way() -> None:
    rest = """  In:
    params: {k: int}
    inputs: {x: [B, C]}
    nodes: {f: linear(C)}
    flow: {out: x -> f}
    checkpoints: {m: {f.*: g.<k - 2>.*}}"""
    nodes = "row: {call: In(3 - i), repeat: n as i}"
    (found,) = mistakes(block("", nodes, "out: x -> row", rest))
    assert (found.code, found.span.text) == ("A614", "k - 2")
    assert [f.message for f in found.trace] == ["in `In`, copy 2 of `row`"]


def test_a_name_that_waits_for_an_input_is_wrong_only_where_it_is_used() -> None:
    spec = block("""fc.*: <"y" if y else "x">.*""", flow="out: (x + y) -> fc")
    found = check(spec)
    assert found.ok
    with pytest.raises(SpecError) as wrong:
        resolve(found.graph, "m")
    assert [d.code for d in wrong.value.diagnostics] == ["A413"]


def test_an_unknown_map_is_told_with_a_near_one() -> None:
    found = graph(Text(block("").text.replace("m: {}", "taming: {}")), absent=("y",))
    with pytest.raises(SpecError) as wrong:
        resolve(found, "tamming")
    (problem,) = wrong.value.diagnostics
    assert (problem.code, problem.help) == ("A610", "did you mean `taming`?")


FENCE = re.compile(r"```yaml(?: --names (\w+))?\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("code", [c for c in CODES if "A610" <= c <= "A619"])
def test_page_shows_its_code(code: str) -> None:
    (names, text), *_ = FENCE.findall(explain(code))
    report = Report()
    found = check(Text(text), report=report)
    if names:
        resolve(found.graph, names, report)
    assert [d.code for d in report.diagnostics] == [code]
    assert all(d.help for d in report.diagnostics), "an error says what to write instead"


@pytest.mark.parametrize("address", ["nets.yaml#Encoder", "nets.yaml#Decoder", "tokenizer.yaml", "unet.yaml"])
def test_every_tensor_of_the_vq_networks_has_a_name(address: str) -> None:
    found = graph(f"specs/vq/{address}")
    names = texts(resolve(found, "taming"))
    assert names.keys() == weights(found).keys()
    assert len(set(names.values())) == len(names)


def test_thousands_of_copies_have_their_names() -> None:
    found = graph(
        block("row.<i>.*: h.<i>.*", "row: {call: Plain, repeat: 2000}", "out: x -> row", COMPOSED),
        absent=("y",),
    )
    report = Report()
    check_maps(found, report)
    assert len(resolve(found, "m", report).recipes) == 8000
    assert report.ok
