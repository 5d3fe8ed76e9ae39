"""When is a value there? Truth tables over a block's open inputs.

An optional input may be left open: given or not at each call of the built model. Whether a
value exists then depends on which of the open inputs are given. With `k` of them there are
`2 ** k` cases; a presence is an int whose bit `c` is set where the value exists in case `c`,
and case `c` has open input `i` given where bit `i` of `c` is set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

NEVER = 0
MOST_OPEN_OPERANDS = 4
"""Operands of one operator that may be absent, each by itself: its code is written for each case."""
MOST_OPEN = 8  # 256 cases; more open inputs than this must be fixed by --given or --absent


def always(count: int) -> int:
    """The presence of what is always there, with `count` open inputs."""
    return (1 << (1 << count)) - 1


def given(index: int, count: int) -> int:
    """The presence of open input `index` itself."""
    return sum(1 << case for case in range(1 << count) if case >> index & 1)


def where(test: tuple, names: Sequence[str]) -> int:
    """The cases in which a condition over the open inputs `names` holds.

    `test` is ("given", name), ("not", t), ("and", t, u) or ("or", t, u).
    """
    match test:
        case ("given", name):
            return given(names.index(name), len(names))
        case ("not", inner):
            return always(len(names)) & ~where(inner, names)
        case ("and", left, right):
            return where(left, names) & where(right, names)
        case ("or", left, right):
            return where(left, names) | where(right, names)
    raise AssertionError(test)


def compose(inner: int, inputs: Sequence[int], full: int) -> int:
    """A called block's presence, in the caller's cases.

    `inner` is over the block's open inputs, whose presences in the caller are `inputs`;
    `full` is the caller's presence of what is always there.
    """
    result = NEVER
    for case in range(1 << len(inputs)):
        if inner >> case & 1:
            cases = full
            for index, presence in enumerate(inputs):
                cases &= presence if case >> index & 1 else ~presence
            result |= cases
    return result


def ones(presence: int) -> Iterator[int]:
    """The cases of a presence, by number."""
    return (case for case in range(presence.bit_length()) if presence >> case & 1)


def cases(count: int) -> range:
    """All cases of `count` open inputs."""
    return range(1 << count)
