"""Joining conditions over a whole model, and saying them."""

import pytest

from archc.shapes import Contradiction, and_, decide, describe, eq, maximum, not_, or_, simplify, sqrt, symbol

B, C, H, T, W = (symbol(n) for n in "BCHTW")


def halvings(s, n):
    return [eq((s // 2**k) % 2, 0) for k in range(n)]


@pytest.mark.parametrize(
    ("conditions", "expected", "words"),
    [
        ([], [], []),
        ([True, H >= 1], [], []),
        (
            [*halvings(H, 4), *halvings(W, 4)],
            ["H % 16 == 0", "W % 16 == 0"],
            ["H and W must be divisible by 16"],
        ),
        ([H >= 3, eq(H % 16, 0)], ["H % 16 == 0"], ["H must be divisible by 16"]),
        ([H >= 3, H >= 7, H <= 90], ["H >= 7", "H <= 90"], ["H must be at least 7", "H must be at most 90"]),
        ([(H - 2) // 2 + 1 >= 1], ["H >= 2"], ["H must be at least 2"]),
        ([((H + 1) // 2 + 1) // 2 >= 3], ["H >= 9"], ["H must be at least 9"]),
        ([(H - 1) // 2 - H // 4 >= 2], None, None),
        ([H * H - H >= 100], ["H >= 11"], ["H must be at least 11"]),
        ([H * H * H <= 10**9 + 7], ["H <= 1000"], ["H must be at most 1000"]),
        ([not_(eq(H % 2, 0))], ["H % 2 == 1"], ["H must be odd"]),
        ([eq(H % 4, 3), eq(W % 4, 3)], ["H % 4 == 3", "W % 4 == 3"], ["H % 4 and W % 4 must be 3"]),
        ([eq(H % 2, 0), eq(H % 3, 0), eq(H % 5, 0)], ["H % 30 == 0"], ["H must be divisible by 30"]),
        ([eq(H % 4, 1), eq(H % 3, 0)], ["H % 12 == 9"], ["H % 12 must be 9"]),
        ([eq((H // 2) % 2, 0)], ["H % 4 <= 1"], ["H % 4 <= 1"]),
        ([or_(eq(H % 4, 0), eq(H % 4, 2))], ["H % 2 == 0"], ["H must be divisible by 2"]),
        ([eq(H, 5), eq(H % 5, 0), H >= 2], ["H == 5"], ["H must be 5"]),
        ([eq(H % 32, 0), H <= 63], ["H == 32"], ["H must be 32"]),
        ([not_(eq(H, 5)), H >= 3, H >= 2], ["H != 5", "H >= 3"], ["H != 5", "H must be at least 3"]),
        ([eq((H + W) % 2, 0)], ["(H + W) % 2 == 0"], ["H + W must be divisible by 2"]),
        ([W > H, H >= 2], ["H >= 2", "W > H"], ["H must be at least 2", "W must be at least H + 1"]),
        ([H * W >= 12, H * W >= 3], ["H * W >= 12"], ["H * W >= 12"]),
        ([H * W >= 2, H >= 2], ["H >= 2"], ["H must be at least 2"]),
        ([eq((H * W) % 4, 0), eq(H % 2, 0), eq(W % 2, 0)], ["H % 2 == 0", "W % 2 == 0"], None),
        ([and_(eq(H % 2, 0), W >= 3)], ["H % 2 == 0", "W >= 3"], None),
        ([sqrt(H) > 2, H >= 2], ["H >= 2", "sqrt(H) > 2"], ["H must be at least 2", "sqrt(H) > 2"]),
        (
            [eq(s % 8, 0) for s in (H, W, T)],
            ["H % 8 == 0", "W % 8 == 0", "T % 8 == 0"],
            ["H, W and T must be divisible by 8"],
        ),
        ([eq(H % 101, 0), eq(H % 103, 0)], ["H % 101 == 0", "H % 103 == 0"], None),  # too many residues
        ([eq(H % 8192, 0)], ["H % 8192 == 0"], ["H must be divisible by 8192"]),
        ([not_(eq(H % 4, 1)), not_(eq(H, 8))], ["H % 4 != 1", "H != 8"], ["H % 4 != 1", "H != 8"]),
        ([eq(H % 2, 0), maximum(H // 2, W) >= 1], ["H % 2 == 0"], None),
    ],
)
def test_simplify_and_describe(conditions, expected, words):
    simple = simplify(conditions)
    if expected is not None:
        assert [str(c) for c in simple] == expected
    if words is not None:
        assert describe(simple) == words
    assert simplify(simple) == simple == simplify([*simple, *conditions])


@pytest.mark.parametrize(
    ("conditions", "at_fault"),
    [
        ([eq(H % 2, 0), eq(W % 2, 0), eq(H % 2, 1)], {eq(H % 2, 0), eq(H % 2, 1)}),
        ([H >= 5, H >= 4, H <= 4], {H >= 5, H <= 4}),
        ([eq(H % 2, 0), eq(W % 2, 0), eq((H + W) % 2, 1)], {eq(H % 2, 0), eq(W % 2, 0), eq((H + W) % 2, 1)}),
        ([eq(H, 5), eq(W, 6), eq(H, W)], {eq(H, 5), eq(W, 6), eq(H, W)}),
        ([False], set()),
    ],
)
def test_contradictions_say_what_clashes(conditions, at_fault):
    with pytest.raises(Contradiction) as caught:
        simplify(conditions)
    assert set(caught.value.conditions) == at_fault
    assert "cannot hold" in str(caught.value)


def test_hundreds_of_conditions_join():
    conditions = []
    for s in (B, C, H, T, W):
        for k in range(8):
            conditions += [eq((s // 2**k) % 2, 0), s // 2**k >= 1, s >= k, eq((3 * s) % 2**k, 0)]
        conditions += [s * H >= 3, eq((s * W * 6) % 4, 0)]
    simple = simplify(conditions * 10)
    assert [str(c) for c in simple] == [f"{s} % 256 == 0" for s in "BCHTW"]


def test_what_a_simplified_condition_leaves_out_follows():
    simple = simplify([eq(H % 6, 0), H >= 20, eq(W % 4, 2)])
    for condition in (H >= 19, eq(H % 3, 0), not_(eq(H, W + 1))):
        with pytest.raises(Contradiction):
            simplify([*simple, not_(condition)])
    assert decide(and_(*simple)) is None
