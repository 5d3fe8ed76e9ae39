"""Symbolic sizes, their equality, guards, and the types of tensors."""

from __future__ import annotations

from archc.shapes.atom import EMPTY
from archc.shapes.condition import Cond, and_, eq, not_, or_
from archc.shapes.dim import Dim, Size, parameter, symbol
from archc.shapes.dtype import DTYPES
from archc.shapes.facts import (
    Facts,
    Indivisible,
    Mismatch,
    TooSmall,
    at_least,
    divisible,
    record,
    recording,
    same,
    supposing,
)
from archc.shapes.formula import Formula
from archc.shapes.functions import absolute, ceil, exp, floor, log, log2, maximum, minimum, select, sqrt
from archc.shapes.guard import Contradiction, Guard, describe, simplify
from archc.shapes.limits import TooLarge
from archc.shapes.number import Num, Real, labelled, plain
from archc.shapes.printing import python
from archc.shapes.tensor import Tensor, broadcast, promote
from archc.shapes.verdict import Verdict, compare, decide
from archc.shapes.walk import evaluate, substitute, symbols, unknowns

__all__ = [
    "DTYPES",
    "EMPTY",
    "Cond",
    "Contradiction",
    "Dim",
    "Facts",
    "Formula",
    "Guard",
    "Indivisible",
    "Mismatch",
    "Num",
    "Real",
    "Size",
    "Tensor",
    "TooLarge",
    "TooSmall",
    "Verdict",
    "absolute",
    "and_",
    "at_least",
    "broadcast",
    "ceil",
    "compare",
    "decide",
    "describe",
    "divisible",
    "eq",
    "evaluate",
    "exp",
    "floor",
    "labelled",
    "log",
    "log2",
    "maximum",
    "minimum",
    "not_",
    "or_",
    "parameter",
    "plain",
    "promote",
    "python",
    "record",
    "recording",
    "same",
    "select",
    "simplify",
    "sqrt",
    "substitute",
    "supposing",
    "symbol",
    "symbols",
    "unknowns",
]
