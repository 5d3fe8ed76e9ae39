"""The normal form of sizes, and how they are written."""

import copy
import pickle
import subprocess
import sys
import threading

import pytest

from archc.shapes import (
    EMPTY,
    Cond,
    Dim,
    Formula,
    TooLarge,
    absolute,
    and_,
    ceil,
    compare,
    eq,
    evaluate,
    exp,
    floor,
    log,
    log2,
    maximum,
    minimum,
    not_,
    or_,
    python,
    select,
    sqrt,
    substitute,
    symbol,
    symbols,
    unknowns,
)

H, W, C = symbol("H"), symbol("W"), symbol("C")
u = symbol("u", "the number of nonzero entries")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H + 1, "H + 1"),
        (2 * H + 1, "2 * H + 1"),
        (1 - H, "1 - H"),
        (-H, "-H"),
        (-H - 1, "-H - 1"),
        (H * W * 64, "64 * H * W"),
        (H * H - 1, "H ** 2 - 1"),
        (H // 2, "H // 2"),
        (-(H // 2), "-(H // 2)"),
        (2 * (H // 2), "2 * (H // 2)"),
        (H // 2 + 1, "H // 2 + 1"),
        ((H + 1) // 2, "(H + 1) // 2"),
        ((H - 1) // 2 + 1, "(H + 1) // 2"),
        ((H - 1) // 2, "(H - 1) // 2"),
        (-(-H // 2), "(H + 1) // 2"),
        (-(-H // 3), "(H + 2) // 3"),
        (W - (H + 1) // 2, "W - (H + 1) // 2"),
        (2 * H // 3, "2 * H // 3"),
        (((H + 1) // 2 + 1) // 2, "(H + 3) // 4"),
        ((((H - 7) // 2 + 1 - 3) // 2 + 1 - 3) // 2 + 1, "(H - 11) // 8"),
        ((H // 2 + W // 2) // 2, "(H // 2 + W // 2) // 2"),
        (H % 2, "H % 2"),
        ((H // 2) % 2, "(H // 2) % 2"),
        (W * (H % 2), "W * (H % 2)"),
        (H - 2 * (H // 2), "H % 2"),
        (H // 2 // 2, "H // 4"),
        ((H // 2 - 1) // 2 + 1, "(H + 2) // 4"),
        ((H - 4) // 2 * 2, "2 * (H // 2) - 4"),
        (H // W, "H // W"),
        (W * (H // W), "W * (H // W)"),
        (-(H // W), "-(H // W)"),
        (H // W // 2, "(H // W) // 2"),
        (minimum(H, 8) * 2, "2 * min(H, 8)"),
        (maximum(H // 2, 1) // 2, "H // 4"),
        (select(H > 3, H, W) + 1, "(H if H >= 4 else W) + 1"),
        (-select(H > 3, H, W), "-(H if H >= 4 else W)"),
        (2**C, "2 ** C"),
        (1 / (H * W), "1 / (H * W)"),
        (1 / sqrt(H + 1), "1 / sqrt(H + 1)"),
        ((H * 0.5 + 1) * 2, "(H * 0.5 + 1) * 2"),
        (-(H * 0.5), "-(H * 0.5)"),
        ((H / 2) ** 2, "(H / 2) ** 2"),
        (2.0 ** (H / 2), "2.0 ** (H / 2)"),
        (1 - (1 - H / 2), "1 - (1 - H / 2)"),
        (H > 3, "H >= 4"),
        (H <= 7, "H <= 7"),
        (H < W, "W > H"),
        (W + 3 >= H, "W + 3 >= H"),
        (eq(H, W + 1), "H == W + 1"),
        (not_(eq(H % 4, 3)), "H % 4 != 3"),
        (H % 4 <= 1, "H % 4 <= 1"),
        (eq((H + W) % 2, 0), "(H + W) % 2 == 0"),
        (and_(H > 2, or_(W > 2, eq(C, 5))), "H >= 3 and (W >= 3 or C == 5)"),
        (not_(H / 2 < 3), "not (H / 2 < 3)"),
    ],
)
def test_text(size, text):
    assert str(size) == text
    sizes = {"H": 5, "W": 3, "C": 2}
    assert eval(python(size), {"math": __import__("math")}, sizes) == evaluate(size, sizes)


def test_python_needs_math_only():
    value = sqrt(H) + log(H) + log2(W) + exp(1 / H) + floor(sqrt(W)) + ceil(sqrt(W)) + absolute(H / 2 - 3)
    assert python(value).count("math.") == 8
    assert eval(python(value), {"math": __import__("math")}, {"H": 5, "W": 3}) == evaluate(
        value, {"H": 5, "W": 3}
    )
    assert python((H, 3, [2.5, "a"], None, True)) == "(H, 3, [2.5, 'a'], None, True)"
    assert python(float("inf")) == "math.inf" and python(-2) == "-2"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (H - 2 * (H // 2), H % 2),
        ((H + W) * (H - W), H * H - W * W),
        (-(-H // 2), (H + 1) // 2),
        (-(-H // 7), (H + 6) // 7),
        (2 * H // 4, H // 2),
        ((2 * H + 1) // 2, H),
        ((H // 2) // 3, H // 6),
        ((H // 2 + 5) // 3, (H + 10) // 6),
        ((((H + 1) // 2 + 1) // 2 + 1) // 2, (H + 7) // 8),
        ((((H - 5) // 2 - 5) // 2 - 1) // 2, (H - 19) // 8),
        ((1 - H // 3) // 2, (5 - H) // 6),
        ((7 * (H // 3)) // 2, 3 * (H // 3) + H // 6),
        ((6 * H + 3) // 9, (2 * H + 1) // 3),
        (H // -2, -((H + 1) // 2)),
        (H * W // W, H),
        ((H * W + 3 * W) // (2 * W), (H + 3) // 2),
        ((H * H - 1) // (H + 1), H - 1),
        (floor(H / 2), H // 2),
        (ceil(H / 2), (H + 1) // 2),
        (floor(H * 0.25), H // 4),
        (minimum(H, W, H), minimum(W, H)),
        (minimum(H, minimum(W, 3)), minimum(H, W, 3)),
        (maximum(H, 1), H),
        (maximum(H + 1, H), H + 1),
        (maximum(maximum(H // 2, 1) // 2, 1), maximum(H // 4, 1)),
        (absolute(H - 3), absolute(3 - H)),
        (absolute(-H), H),
        (symbol("H"), H),
        (H**3, H * H * H),
    ],
)
def test_equal_sizes_are_one_object(a, b):
    assert a == b and a is b and hash(a) == hash(b)


def test_constants_are_plain_numbers():
    for value in (H - H, H + 3 - H, 0 * H, (H * 4) % 2, H**0, H // H, 1 // (H + 1), 0 // H):
        assert type(value) is int
    assert not isinstance(select(True, 3, H), Dim)


def test_a_size_is_no_number():
    for f in (int, bool, float, range, [1].__getitem__):
        with pytest.raises(TypeError):
            f(H)
    with pytest.raises(TypeError, match="H >= 4"):
        bool(H > 3)
    with pytest.raises(TypeError):
        float(H / 2)
    with pytest.raises(TypeError):
        max(H, W)
    with pytest.raises(TypeError):
        H + "1"
    with pytest.raises(TypeError):
        H / None
    with pytest.raises(TypeError):
        select(H > 3, "a", "b")
    assert H != 3 and H != "H" and H is not None


@pytest.mark.parametrize("f", [lambda: H // 0, lambda: H % 0, lambda: H / 0, lambda: (H / 2) // 0])
def test_division_by_zero(f):
    with pytest.raises(ZeroDivisionError):
        f()


def test_bounds_settle_comparisons():
    assert (H >= 1) is True and (H < 1) is False and (H // 2 >= 0) is True
    assert (2 * (H // 2) <= H) is True and (H % 4 < 4) is True and (H * W >= H) is True
    assert ((H + 1) // 2 >= 1) is True and (minimum(H, 8) <= 8) is True
    assert (u >= 0) is True and isinstance(u >= 1, Cond)
    assert eq(2 * H, 7) is False and eq(H, 0) is False and eq(H, H) is True
    assert and_(H > 3, H <= 3) is False and or_(H > 3, not_(H > 3)) is True
    assert eq(minimum(H, 8), H) is (H <= 8) and eq(maximum(H, W), H) is (H >= W)


def test_floats_beside_sizes_are_compared_exactly():
    assert (H > 2.5) is (H >= 3) and (H >= 2.5) is (H >= 3) and (H < 2.5) is (H <= 2)
    assert (H > 2.5) is (H >= 3) and (H >= 2.0) is (H >= 2) and (H > 0.5) is True
    assert eq(H, 2.0) is eq(H, 2) and eq(H, 2.5) is False and eq(2.5, H) is False
    assert evaluate(float("inf") > H, {"H": 3}) is True and evaluate(H / 2 < 2, {"H": 3}) is True
    assert eq(H / 2, H / 2) is True and evaluate(eq(H / 2, 2), {"H": 4}) is True and eq(H, "H") is False


def test_only_the_chosen_branch_is_evaluated():
    size = select(H > 1, 12 // (H - 1), 0)
    assert evaluate(size, {"H": 1}) == 0 and evaluate(size, {"H": 4}) == 4
    assert substitute(size, {"H": 1}) == 0 and substitute(size, {"H": W + 1}) is 12 // W
    guarded = and_(H > 1, 12 // (H - 1) > 3)
    assert evaluate(guarded, {"H": 1}) is False


def test_choices_between_conditions_and_formulas():
    assert select(H > 3, W > 2, False) is and_(H > 3, W > 2)
    assert eq(H > 3, W > 2) is or_(and_(H > 3, W > 2), and_(H <= 3, W <= 2)) and eq(H > 3, True) is (H > 3)
    scale = select(H > 3, 1 / H, 0.5)
    assert (
        isinstance(scale, Formula) and evaluate(scale, {"H": 2}) == 0.5 and evaluate(scale, {"H": 4}) == 0.25
    )
    assert select(H > 3, W, W) is W and not_(not_(H / 2 < 3)) is (H / 2 < 3)
    assert isinstance(minimum(H / 2, W), Formula) and isinstance(2 ** (1 - H), Formula) and 1**H == 1


def test_texts_of_the_objects_themselves():
    assert [repr(v) for v in (H, H > 3, H / 2)] == ["Dim(H)", "Cond(H >= 4)", "Formula(H / 2)"]


def test_symbols_and_unknown_sizes():
    assert symbols((H // 2, [W > 3], 1 / C, "x", 3, None)) == {"H", "W", "C"}
    assert unknowns(u * H) == {"u": "the number of nonzero entries"}
    assert u is not symbol("u")


def test_a_free_dimension_that_may_be_0():
    p = symbol("P", EMPTY)
    assert unknowns(p * H) == {} and (p >= 1) is not True and (p >= 0) is True
    assert (p.least, H.least, (p + H).least) == (0, 1, 1)
    assert [str(c) for c in compare(2 * (p // 2), p).conditions] == ["P % 2 == 0"]
    assert compare(p, H).kind == compare(p, p + 1).kind == "different"


def test_substitution_is_simultaneous():
    assert substitute((H - W, H > W), {"H": W, "W": H}) == (W - H, W > H)
    assert substitute(1 / sqrt(H), {"H": 4}) == 0.5
    assert substitute(and_(H > 3, W > 3), {"H": 2}) is False
    assert substitute([3, "a"], {"H": 2}) == [3, "a"]
    with pytest.raises(KeyError):
        evaluate(H * W, {"H": 2})


@pytest.mark.parametrize(
    "value",
    [
        H,
        (H + 1) // 2 * W - 3,
        minimum(H, 8),
        select(H > 3, H, W),
        1 / sqrt(H),
        and_(H > 3, eq(W % 2, 0)),
        u,
        not_(H / 2 < 3),
    ],
)
def test_copies_are_the_object_itself(value):
    assert copy.copy(value) is value and copy.deepcopy([value])[0] is value
    assert pickle.loads(pickle.dumps(value)) is value


def test_another_process_reads_the_same_size():
    code = (
        "import pickle, sys; from archc.shapes import symbol; H = symbol('H');"
        "assert pickle.load(sys.stdin.buffer) is (H + 1) // 2 * symbol('W')"
    )
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps((H + 1) // 2 * W), check=True)


def test_threads_share_the_objects():
    found = []

    def work():
        found.append([(symbol(f"t{i}") // 3 + i, symbol(f"t{i}") > i) for i in range(1, 60)])

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(
        x is y for row in found for p, q in zip(found[0], row, strict=True) for x, y in zip(p, q, strict=True)
    )


# -- limits --------------------------------------------------------------------------------


def _deep(f):
    value = H
    for i in range(10_000):
        value = f(value, i)
    return value


@pytest.mark.parametrize(
    "grow",
    [
        lambda: H**1_000_000_000,
        lambda: (H + W) ** 5000,
        lambda: (H + W + C + 1) ** 60,
        lambda: H * 2**20_000,
        lambda: _deep(lambda v, i: v * v),
        lambda: _deep(lambda v, i: v * v + symbol(f"s{i}")),
        lambda: _deep(lambda v, i: v + symbol(f"s{i}")),
        lambda: _deep(lambda v, i: v * (2**64)),
        lambda: _deep(lambda v, i: 3 * v // 2),
        lambda: _deep(lambda v, i: select(v > 3 * i + 1, v + 1, W)),
        lambda: _deep(lambda v, i: v + 1 / v),
        lambda: _deep(lambda v, i: v // (W + i) + i),
        lambda: _deep(lambda v, i: absolute(v - 3 * i)),
        lambda: evaluate(2**H, {"H": 10**9}),
        lambda: evaluate(H**3 * 2 ** (H * W), {"H": 10**6, "W": 10**6}),
        lambda: substitute(2**H, {"H": 10**9}),
    ],
)
def test_what_grows_too_large_is_refused(grow):
    with pytest.raises(TooLarge):
        grow()


def test_large_values_within_the_limits_can_be_written():
    value = H
    for i in range(8):
        value = (value * 3 + 1) // 2 + W // (i + 2)
    assert eval(python(value), {}, {"H": 7, "W": 9}) == evaluate(value, {"H": 7, "W": 9})
    deep: Dim | int | Formula = H
    try:
        for i in range(100):
            deep = select(deep > 3 * i + 1, deep + 1, W)
    except TooLarge:
        pass
    assert eval(python(deep), {}, {"H": 7, "W": 9}) == evaluate(deep, {"H": 7, "W": 9})


def test_importing_is_light():
    code = (
        "import sys; import archc.shapes;"
        "bad = {'torch', 'numpy', 'sympy', 'pydantic', 'networkx', 'fractions'} & set(sys.modules);"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_negative_rest_below_the_divisor_is_one_less():
    batch, length = symbol("B"), symbol("T")
    assert (batch * length + length - 1) // length == batch
    assert -1 // length == -1
    assert str(-2 // length) == "-2 // T", "which is -2 for T = 1 and else -1"
