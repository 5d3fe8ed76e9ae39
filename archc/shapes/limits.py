"""How large a symbolic value may grow before it is refused.

A spec is data from outside: no expression in it may make the compiler hang or fill the memory.
"""

from __future__ import annotations

BITS = 10_000
"""Bits of an integer, coefficients included."""
TERMS = 1_000
"""Terms of a polynomial."""
DEGREE = 100
"""Total degree of a term."""
DEPTH = 50
"""Levels of nesting. Python's own parser must be able to read what is printed."""
WEIGHT = 20_000
"""Symbols and numbers of an expression, written out."""


class TooLarge(OverflowError):
    """A value or an expression is larger than any real architecture needs."""


def checked_power(base: int, exponent: int) -> int:
    """`base ** exponent` for an exponent >= 0; TooLarge where it has more than `BITS` bits."""
    if base.bit_length() * exponent > 2 * BITS and base not in (-1, 0, 1):
        raise TooLarge(f"a power has more than {BITS} bits")
    return base**exponent
