"""What shape rules ask for, and what is recorded of it."""

import threading

import pytest

from archc.shapes import (
    Indivisible,
    Mismatch,
    TooSmall,
    at_least,
    divisible,
    eq,
    labelled,
    minimum,
    recording,
    same,
    symbol,
)

H, W = symbol("H"), symbol("W")
u = symbol("u", "data")


def test_equal_sizes_need_nothing():
    assert same(4, 4) == 4 and same(H, H) is H
    assert same(H // 2 + (H + 1) // 2, H) is H
    c = labelled(4, "c")
    assert same(c, 4) is c


def test_the_plainer_of_two_sizes_is_taken():
    with recording() as facts:
        assert same(2 * (H // 2), H) is H
        assert same(H, 2 * (H // 2)) is H
    assert facts == [eq(H % 2, 0)] * 2


def test_different_sizes():
    for a, b in ((4, 5), (H, W), (H, 7), (2 * H, 2 * W + 1)):
        with recording() as facts, pytest.raises(Mismatch) as caught:
            same(a, b)
        assert (caught.value.a, caught.value.b) == (a, b) and caught.value.verdict.kind == "different"
        assert facts == []
    assert "for H = 1: 1 and 7" in str(pytest.raises(Mismatch, same, H, 7).value)


def test_what_cannot_be_told_is_recorded():
    with recording() as facts:
        same(u, H)
    assert facts == [eq(u, H)]


def test_at_least():
    assert at_least(3, 3) == 3 and at_least(H + 2, 3) is H + 2
    with recording() as facts:
        assert at_least((H - 3) // 2 + 1, 1) is (H - 3) // 2 + 1
        at_least(u, 1)
    assert facts == [H >= 3, u >= 1]
    for size, n in ((2, 3), (1 - H, 1), (minimum(H, 2), 3)):
        with pytest.raises(TooSmall) as caught:
            at_least(size, n)
        assert isinstance(caught.value, Mismatch) and str(n) in str(caught.value)


def test_divisible():
    assert divisible(6, 2) == 3 and divisible(4 * H, 2) is 2 * H and divisible(H * W, W) is H
    with recording() as facts:
        assert divisible(H, 32) is H // 32
        divisible(3 * H, 2)
        divisible(u, 2)
    assert facts == [eq(H % 32, 0), eq(H % 2, 0), eq(u % 2, 0)]
    for size, n in ((7, 2), (2 * H + 1, 2)):
        with pytest.raises(Indivisible) as caught:
            divisible(size, n)
        assert "not divisible by 2" in str(caught.value)
    with pytest.raises(ZeroDivisionError):
        divisible(H, 0)


def test_the_innermost_recording_gets_the_facts():
    with recording() as outer:
        at_least(H, 2)
        with recording() as inner:
            at_least(W, 2)
        with pytest.raises(Mismatch), recording():
            same(H, W)
        at_least(H, 3)
    assert outer == [H >= 2, H >= 3] and inner == [W >= 2]


def test_outside_a_recording_only_what_is_certain_goes():
    for ask in (lambda: at_least(H, 2), lambda: divisible(H, 2), lambda: same(2 * (H // 2), H)):
        with pytest.raises(AssertionError, match="recording"):
            ask()


def test_threads_record_for_themselves():
    failed = []

    def work(n):
        with recording() as facts:
            for _ in range(200):
                at_least(H, n)
        failed.extend(f for f in facts if f is not (n <= H))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2, 6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
