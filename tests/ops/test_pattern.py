"""Patterns: reading them, solving them, and what they become, all against einops."""

import einops
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.ops.arrange import Einsum, Rearrange, Reduce, RepeatAxes
from archc.ops.attributes import Wrong
from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.pattern import axis_names, parse, parse_product
from archc.ops.view import lower
from archc.shapes import Tensor, recording, symbol

B, T, H, W, N = (symbol(name) for name in "BTHWN")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("b c -> b c 1 1", "x[:, :, None, None]"),
        ("b c -> b 1 c", "x[:, None]"),
        ("... c -> ... 1 c", "x[..., None, :]"),
        ("b c h w -> b (h w) c", "x.flatten(2).transpose(1, 2)"),
        ("b (h w) c -> b c h w", "x.transpose(1, 2).unflatten(2, (8, -1))"),
        ("b t (h d) -> b h t d", "x.unflatten(2, (8, -1)).transpose(1, 2)"),
        ("b h t d -> b t (h d)", "x.transpose(1, 2).flatten(2)"),
        ("b h w c -> b c h w", "x.permute(0, 3, 1, 2)"),
        ("b ... c -> b c ...", "x.movedim(-1, 1)"),
        ("a b ... c d -> d b ... a c", "x.movedim((-1, 0), (0, -2))"),
        ("b 1 c -> b c", "x.squeeze(1)"),
        ("b 1 c -> b c 1", "x.transpose(1, 2)"),
        ("a b c -> (a b) c", "x.flatten(0, 1)"),
        ("a b -> (a b)", "x.flatten()"),
        ("... c -> (...) c", "x.flatten(0, -2)"),
        ("a (b) c -> (a 1) b c", "x"),
    ],
)
def test_a_pattern_becomes_what_an_engineer_writes(pattern, text):
    assert lower("x", parse(pattern), {"h": "8"}) == text


@pytest.mark.parametrize(
    ("operator", "pattern", "words"),
    [
        (Rearrange, "b c h w", "a pattern has one `->`"),
        (Rearrange, "b -> c -> b", "a pattern has one `->`"),
        (Rearrange, "b (c (d)) -> b c d", "brackets do not nest"),
        (Rearrange, "b (c d -> b c d", "a `(` without `)`"),
        (Rearrange, "b c) -> b c", "a `)` without `(`"),
        (Rearrange, "b b -> b", "`b` stands twice on one side"),
        (Rearrange, "... a ... -> a ...", "`...` stands twice on one side"),
        (Rearrange, "b c -> b", "`c` stands only left of the arrow"),
        (Rearrange, "b -> b c", "`c` stands only right of the arrow"),
        (Rearrange, "... b -> b", "`...` stands on one side of the pattern only"),
        (Rearrange, "(... b) -> b ...", "`...` cannot stand in brackets left of the arrow"),
        (Rearrange, "b c -> b c 3", "`3` stands for an axis on one side only"),
        (Rearrange, "b-c -> b c", "`-` has no meaning in a pattern"),
        (Rearrange, "b _ -> b _", "`_` has no meaning in a pattern"),
        (Rearrange, "b 0 -> b 0", "an axis of size 0"),
        (RepeatAxes, "b c -> b", "`c` stands only left of the arrow"),
        (RepeatAxes, "b -> b t", "the size of `t` must be given"),
        (Einsum, "b (h d) -> b h", "einsum takes names and `...` only"),
        (Einsum, "b d -> b e", "`e` stands only right of the arrow"),
        (Einsum, "b d -> b b", "an axis stands twice right of the arrow"),
        (Einsum, "b d, b 2 -> b", "einsum takes names and `...` only"),
    ],
)
def test_a_wrong_pattern_is_refused_in_words(operator, pattern, words):
    with pytest.raises(
        BadAttributes, match=words.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")
    ) as bad:
        bind(operator, (pattern,))
    assert [p.argument for p in bad.value.problems] == [0]


def test_a_size_that_the_pattern_lacks_is_refused_at_its_name():
    with pytest.raises(BadAttributes, match="the pattern has no axis `g`") as bad:
        bind(Rearrange, ("b (h d) -> b h d",), {"h": 2, "g": 3})
    assert [p.argument for p in bad.value.problems] == ["g"]


def test_a_size_must_be_a_size():
    with pytest.raises(BadAttributes, match="`h` must be at least 1, not 0"):
        bind(Rearrange, ("b (h d) -> b h d",), {"h": 0})


def test_the_names_of_axes_are_found_for_the_elaborator():
    assert axis_names("b (h 2) ... -> ... h2, b") == {"b", "h", "h2"}


@pytest.mark.parametrize(
    ("pattern", "sizes", "shape", "result", "facts"),
    [
        ("b (h w) c -> b c h w", {"h": H, "w": W}, (B, H * W, 8), (B, 8, H, W), []),
        ("b (h w) c -> b c h w", {"h": H}, (B, H * W, 8), (B, 8, H, W), []),
        ("b (h w) c -> b c h w", {"h": 4}, (B, N, 8), (B, 8, 4, N // 4), ["N % 4 == 0"]),
        ("b c h w -> b (h w) c", {}, (B, 8, H, W), (B, H * W, 8), []),
        ("b t (h d) -> b h t d", {"h": 4}, (B, T, 64), (B, 4, T, 16), []),
        ("b t d -> t b d", {"t": T}, (B, T, 8), (T, B, 8), []),
        ("... d -> d ...", {}, (B, T, 8), (8, B, T), []),
    ],
)
def test_symbolic_sizes(pattern, sizes, shape, result, facts):
    with recording() as found:
        out = Rearrange(pattern=pattern, sizes=sizes).shape(Tensor(shape))
    assert out.shape == result
    assert [str(f) for f in found] == facts


def test_a_run_time_size_that_the_axis_tells_is_not_read():
    op = Rearrange(pattern="b (h w) c -> b c h w", sizes={"h": H, "w": W})
    text = op.call("x")
    assert "-1" in text and "H" not in text and "W" in text


@pytest.mark.parametrize(
    ("op", "shape", "words"),
    [
        (Rearrange(pattern="b c -> c b"), (B, 3, 4), r"the pattern takes 2 axes and `x` has 3: \[B, 3, 4\]"),
        (
            Rearrange(pattern="b t -> t b", sizes={"t": 16}),
            (B, T),
            "axis `t` is given in another size: 16 and T",
        ),
        (Rearrange(pattern="b 1 -> b"), (B, T), "`1` in the pattern stands for an axis of another size"),
        (Rearrange(pattern="a b ... -> ... a b"), (B,), "the pattern takes at least 2 axes"),
        (
            Rearrange(pattern="b (h w) -> b h w"),
            (B, 12),
            r"the size of `h` or `w` in `\(h w\)` must be given",
        ),
        (Rearrange(pattern="b (h w) -> b h w", sizes={"h": 5}), (B, 12), "no multiple of 5"),
        (Rearrange(pattern="b (h w) -> b h w", sizes={"h": 5, "w": 2}), (B, 12), "differ: 10 and 12"),
        (
            Rearrange(pattern="b c -> c b", sizes={"c": 5}),
            (B, 12),
            "axis `c` is given in another size: 5 and 12",
        ),
        (
            Rearrange(pattern="b 1 -> 1 b"),
            (B, 12),
            "`1` in the pattern stands for an axis of another size: 12 and 1",
        ),
    ],
)
def test_what_does_not_fit_the_pattern_is_refused(op, shape, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(Tensor(shape))


def test_a_mean_needs_floats():
    with pytest.raises(ShapeError, match="floating point"):
        Reduce(pattern="b c -> b", how="mean").shape(Tensor((2, 3), "int64"))


# --- against einops ----------------------------------------------------------------------------


@st.composite
def arrangements(draw, new: bool = False, lost: bool = False):
    """A pattern over up to five axes, the tensor's shape, and the sizes to give by name."""
    axes = draw(st.permutations("abcde"))[: draw(st.integers(1, 5))]
    size = {axis: draw(st.integers(1, 3), label=axis) for axis in "abcdefg"}
    ellipsis = draw(st.booleans(), label="ellipsis")
    hidden = draw(st.lists(st.integers(1, 3), max_size=2)) if ellipsis else []

    def grouped(names, brackets_around_ellipsis):
        entries = []
        names = list(names)
        while names:
            width = draw(st.sampled_from([1, 1, 1, 2, 3]))
            group, names = names[:width], names[width:]
            if "..." in group and len(group) > 1 and not brackets_around_ellipsis:
                entries += group
            elif len(group) > 1:
                entries.append(tuple(group))
            else:
                entries += group
            if draw(st.integers(0, 5)) == 0:
                entries.append("1")
        return entries

    left = list(axes) + ["..."] * ellipsis
    right = list(left)
    if lost:
        right = [axis for axis in right if axis == "..." or draw(st.booleans())]
    if new:
        right += draw(st.lists(st.sampled_from("fg"), unique=True, max_size=2))
    right = draw(st.permutations(right))
    left, right = grouped(left, False), grouped(right, True)

    def text(side):
        return " ".join(f"({' '.join(e)})" if isinstance(e, tuple) else e for e in side)

    shape, given = [], {name: size[name] for name in "fg" if name in " ".join(map(str, right))}
    for entry in left:
        if entry == "...":
            shape += hidden
        elif entry == "1":
            shape.append(1)
        else:
            total = 1
            for axis in entry:
                total *= size[axis]
            shape.append(total)
            free = draw(st.sampled_from([*entry, None])) if len(entry) > 1 else entry[0]
            given |= {axis: size[axis] for axis in entry if axis != free}
    return f"{text(left)} -> {text(right)}", tuple(shape), given


def agree(apply, op, x, expected):
    for typed in (True, False):
        found = apply(op, x, typed=typed)
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected)
    with recording() as facts:
        assert op.shape(Tensor(tuple(x.shape))).shape == tuple(expected.shape)
    assert facts == []


def values(shape):
    return torch.randn(shape, dtype=torch.float32)


@settings(max_examples=300)
@given(drawn=arrangements())
def test_rearrange_is_einops(apply, drawn):
    pattern, shape, sizes = drawn
    x = values(shape)
    if "(...)" in pattern and "..." in pattern.split("->")[0] and not len(shape) >= len(parse(pattern).left):
        return  # einops makes an axis of no axes, which needs the rank
    agree(apply, Rearrange(pattern=pattern, sizes=sizes), x, einops.rearrange(x, pattern, **sizes))


@settings(max_examples=300)
@given(drawn=arrangements(new=True))
def test_repeat_axes_is_einops(apply, drawn):
    pattern, shape, sizes = drawn
    x = values(shape)
    agree(apply, RepeatAxes(pattern=pattern, sizes=sizes), x, einops.repeat(x, pattern, **sizes))


@settings(max_examples=300)
@given(drawn=arrangements(lost=True), how=st.sampled_from(["mean", "sum", "max", "min"]))
def test_reduce_is_einops(apply, drawn, how):
    pattern, shape, sizes = drawn
    x = values(shape)
    agree(apply, Reduce(pattern=pattern, how=how, sizes=sizes), x, einops.reduce(x, pattern, how, **sizes))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_brackets_around_no_axes_make_one(apply, shape):
    x = values((*shape, 4))
    expected = einops.rearrange(x, "... c -> (...) c")
    torch.testing.assert_close(apply(Rearrange(pattern="... c -> (...) c"), x), expected)


@pytest.mark.parametrize(
    ("pattern", "shapes"),
    [
        ("b head i d, b head j d -> b head i j", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("... d, d e -> ... e", [(2, 3, 4), (4, 5)]),
        ("row column, row column -> ", [(2, 3), (2, 3)]),
        ("i i -> i", [(3, 3)]),
        ("a b, b c, c d -> a d", [(2, 3), (3, 4), (4, 5)]),
    ],
)
def test_einsum_is_einops(apply, pattern, shapes):
    xs = [torch.randn(shape) for shape in shapes]
    op = Einsum(pattern=pattern)
    expected = einops.einsum(*xs, pattern)
    torch.testing.assert_close(apply(op, *xs), expected)
    assert op.shape(*(Tensor(tuple(x.shape)) for x in xs)).shape == tuple(expected.shape)


@pytest.mark.parametrize(
    ("pattern", "shapes", "flops"),
    [
        ("b t d, b s d -> b t s", [(B, T, 8), (B, N, 8)], 2 * B * T * N * 8),
        ("b t d, e d -> b t e", [(B, T, 8), (16, 8)], 2 * B * T * 8 * 16),
        ("b, c -> b c", [(B,), (T,)], 0),
        ("a b, b c, c d -> a d", [(2, 3), (3, 4), (4, 5)], 2 * (2 * 3 * 4 + 2 * 4 * 5)),
        ("a b k, b -> b", [(2, 3, 5), (3,)], 0),
    ],
)
def test_einsum_counts_its_products(pattern, shapes, flops):
    assert Einsum(pattern=pattern).flops(*(Tensor(shape) for shape in shapes)) == flops


@pytest.mark.parametrize(
    ("pattern", "types", "words"),
    [
        ("a b, b c -> a c", [Tensor((2, 3))], "the pattern takes 2 operands, not 1"),
        ("a b, b c -> a c", [Tensor((2, 3)), Tensor((4, 5))], "axis `b` has two sizes: 3 and 4"),
        ("a b -> a", [Tensor((2, 3, 4))], "takes 2 axes of `a b`"),
        ("a, a -> a", [Tensor((2,)), Tensor((2,), "int64")], "must be of one dtype"),
    ],
)
def test_einsum_refuses(pattern, types, words):
    with pytest.raises(ShapeError, match=words):
        Einsum(pattern=pattern).shape(*types)


def test_a_number_of_the_block_holds_for_an_einsum_too():
    op = Einsum(pattern="b d, e d -> b e", sizes={"d": 8})
    with pytest.raises(ShapeError, match="axis `d` has two sizes: 8 and 4"):
        op.shape(Tensor((B, 4)), Tensor((2, 4)))


def test_einsum_spells_axes_with_their_first_letters():
    assert (
        Einsum(pattern="batch band, band time -> batch time").call("x", "y")
        == 'torch.einsum("ba,at->bt", x, y)'
    )
    assert parse_product("i j -> j i").result == ("j", "i")
    with pytest.raises(Wrong):
        parse_product("i j")
