"""Verdicts on pairs of sizes, and what is decided of conditions."""

import pytest

from archc.shapes import Verdict, and_, compare, decide, eq, maximum, minimum, not_, or_, select, symbol

B, C, H, T, W = (symbol(n) for n in "BCHTW")
u = symbol("u", "data")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (4, 4),
        (H, H),
        (2 * (H * (H + 1) // 2), H * (H + 1)),
        ((H // 2) + (H + 1) // 2, H),
        ((H // 3 * 2 + 1) // 2, H // 3),
        (H * (H + 1) * (H + 2) % 6, 0),
        (minimum(H, W) + maximum(H, W) - maximum(W, H), minimum(W, H)),
        (u + u, 2 * u),
        (u // 2 + (u + 1) // 2, u),
        ((H + W) // 2 + (H - W) // 2, H - (H + W) % 2),
    ],
)
def test_equal(a, b):
    assert compare(a, b).kind == "equal"


@pytest.mark.parametrize(
    ("a", "b", "conditions"),
    [
        (2 * (H // 2), H, ["H % 2 == 0"]),
        (H // 2 * 2 + 1, H, ["H % 2 == 1"]),
        (8 * ((H // 2 // 2) // 2), H, ["H % 8 == 0"]),
        (4 * W * (H // 4), H * W, ["H % 4 == 0"]),
        (4 * (H // 2) * (W // 2), H * W, ["H % 2 == 0", "W % 2 == 0"]),
        (256 * B * (H // 16) * (W // 16), B * H * W, ["H % 16 == 0", "W % 16 == 0"]),
        (2 * ((H + W) // 2), H + W, ["(H + W) % 2 == 0"]),
        ((H + 1) // 2, H // 2, ["H % 2 == 0"]),
        ((H + 2) // 4, H // 4, ["H % 4 <= 1"]),
        ((H + 1) // 4, H // 4, ["H % 4 != 3"]),
        (minimum(H, 8), H, ["H <= 8"]),
        ((3 * H) // 2 * 2, 3 * H, ["H % 2 == 0"]),
        (((H - 1) // 2 + 1) * 2, H, ["H % 2 == 0"]),
        (u + 2 * (H // 2), u + H, ["H % 2 == 0"]),
        (W * (H % 2), 3 * (H % 2), ["H % 2 == 0"]),
    ],
)
def test_equal_under_conditions(a, b, conditions):
    verdict = compare(a, b)
    assert verdict.kind == "guarded" and [str(c) for c in verdict.conditions] == conditions
    assert compare(b, a).conditions == verdict.conditions


@pytest.mark.parametrize(
    ("a", "b", "example", "left", "right"),
    [
        (6, 7, {}, 6, 7),
        (H, 7, {"H": 1}, 1, 7),
        (H, W, {"H": 2, "W": 1}, 2, 1),
        ((H - 1) // 2 + 1, H, {"H": 2}, 1, 2),
        (H - 1, H, {"H": 2}, 1, 2),
        ((H - 7) // 2 + 1, H, {"H": 7}, 1, 7),  # below 7 the left one is no size
        (2 * H, 2 * W + 1, {"H": 1, "W": 1}, 2, 3),
        (H * W, H + W, {"H": 1, "W": 1}, 1, 2),
        (H // 97 // 89, H // 83 // 79, {"H": 13114}, 1, 2),
        (W * (H // 4999), W * (H // 5003), {"H": 4999, "W": 1}, 1, 0),
        (minimum(H, 8), 9, {"H": 1}, 1, 9),
        (u, u + 1, {"u": 1}, 1, 2),
    ],
)
def test_different(a, b, example, left, right):
    assert compare(a, b) == Verdict("different", (), example, left, right)
    assert compare(b, a).kind == "different"


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (u, H),
        (u, 3),
        (u, symbol("v", "data")),
        (2 * (u // 2), u),
        (H // 101 * 101, H // 103 * 103),
    ],
)
def test_undecided(a, b):
    assert compare(a, b).kind == compare(b, a).kind == "undecided"


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        (True, True),
        (H > 3, None),
        (eq(H, 7), None),
        (eq(H, W), None),
        (eq(u, 3), None),
        (eq(H * (H + 1) % 2, 0), True),
        (eq(H * H % 4, 2), False),
        (not_(eq(H * H % 4, 2)), True),
        (H * H - 20 * H >= -100, True),
        (H * H - 20 * H >= -99, None),
        (H * H * H >= 2 * H * H - H, True),
        (or_(eq(H % 2, 0), eq(H % 2, 1)), True),
        (H * W + 3 >= H + W, True),
        (eq((H * W + H) % 2 * (H % 2), (W + 1) % 2 * (H % 2)), True),
        (select(H > 3, H, W) >= 1, True),
        (H / 2 < 3, None),
        (eq(W * (H % 2) + 1, 0), False),
        (W * (H // 101 * 101) >= W * (H // 103 * 103) - 3, None),  # too many residues
        (not_(H / 2 < 3), None),
        (and_(H > W, eq(H * W * (W + 1) % 2, 1)), False),
        (or_(H > W, eq(H * W * (W + 1) % 2, 0)), True),
    ],
)
def test_decide(condition, answer):
    assert decide(condition) is answer


def test_many_residues_have_a_verdict():
    assert compare(4096 * (H // 64) * (W // 64), H * W).kind == "guarded"
    for d in range(2, 40):
        compare(d * (H // d) * W * W * W, H * W**3)


def test_sizes_of_very_many_terms_are_given_up_on():
    many = [symbol(f"s{i}") for i in range(150)]
    long = sum((s // 2 + 1) * (H // 3) for s in many)
    assert compare(long, long + H).kind == "different"
    assert compare(long * (H // 2), (H // 2) * sum(many)).kind in ("different", "undecided")
    assert compare(2 * (long // 2), long).kind == "undecided"
    assert decide(long >= 3) is None
