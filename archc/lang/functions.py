"""The functions of expressions, a table from name to function.

They take evaluated values. Numbers keep their labels where Python has the same function built in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from archc.lang.lexer import BITS
from archc.lang.values import Given, Unsettled, shown
from archc.shapes import (
    Cond,
    Dim,
    Formula,
    absolute,
    ceil,
    exp,
    floor,
    log,
    log2,
    maximum,
    minimum,
    plain,
    select,
    sqrt,
)
from archc.shapes.condition import compared
from archc.shapes.number import call

MOST_ITEMS = 100_000
"""The most items of a list."""


class Wrong(Exception):
    """What is wrong with a call; `at` is the number of the argument to blame."""

    def __init__(
        self, message: str, at: int | None = None, code: str = "A221", help: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.code = code
        self.help = help


class Symbolic(Exception):
    """Values that must be known when the model is built, and are not."""

    def __init__(self, *values: Any, at: int | None = None) -> None:
        super().__init__()
        self.values = values
        self.at = at


class Function(NamedTuple):
    """`apply` takes `least` to `most` values (any number where None); the last may be given by
    the name `keyword`."""

    apply: Callable[..., Any]
    least: int
    most: int | None
    usage: str
    keyword: str | None = None


def number(value: Any, at: int | None = None, what: str = "a number") -> Any:
    """A number or a symbolic one; a bool is 0 or 1."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | Dim | Formula):
        return value
    if isinstance(value, Cond):
        return select(value, 1, 0)
    if isinstance(value, Given):
        raise Symbolic(value, at=at)
    if isinstance(value, Unsettled):
        raise Symbolic(at=at)
    raise Wrong(f"{what} is needed, not {shown(value)}", at)


def static(value: Any, at: int | None = None, what: str = "a number") -> Any:
    """A number that is known."""
    value = number(value, at, what)
    if isinstance(value, Dim | Formula):
        raise Symbolic(value, at=at)
    return value


def integer(value: Any, at: int | None = None) -> int:
    """A whole number that is known, without its label."""
    value = static(value, at, "a whole number")
    if not isinstance(value, int):
        raise Wrong(f"a whole number is needed, not {shown(value)}", at, help="`//` divides without a rest")
    return int(value)


def items(value: Any, at: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(f"a list is needed, not {shown(value)}", at)
    return value


def bounded(value: Any) -> Any:
    """The number, if it is not too long."""
    if isinstance(value, int) and value.bit_length() > BITS:
        raise Wrong(f"the result has more than {BITS} bits", code="A224")
    return value


def _len(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return len(items(value, 0))


def _range(*bounds: Any) -> list[int]:
    numbers = [integer(bound, at) for at, bound in enumerate(bounds)]
    if len(numbers) == 3 and numbers[2] == 0:
        raise Wrong("the step of a range cannot be 0", 2)
    found = range(*numbers)
    # `len` of a longer range than an index can hold raises
    if (found.stop - found.start) // found.step > MOST_ITEMS or len(found) > MOST_ITEMS:
        raise Wrong(f"the range has more than {MOST_ITEMS:,} items", code="A224")
    return list(found)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        if len(values) == 1:
            found = items(values[0], 0)
            if not found:
                raise Wrong("the list is empty", 0, "A228")
            numbers = [number(value, 0) for value in found]
        else:
            numbers = [number(value, at) for at, value in enumerate(values)]
        return numbers[0] if len(numbers) == 1 else choose(*numbers)

    return apply


def _sum(values: Any, start: Any = 0) -> Any:
    total = number(start, 1)
    for index, value in enumerate(items(values, 0)):
        value = number(value, 0)
        # "0 + a" would be a poor label for a
        total = value if index == 0 and start == 0 and type(total) is int else total + value
    return total


def _prod(values: Any) -> Any:
    total: Any = 1
    for index, value in enumerate(items(values, 0)):
        value = number(value, 0)
        total = bounded(value if index == 0 else total * value)
    return total


def _round(value: Any, digits: Any = None) -> Any:
    value = number(value, 0)
    if isinstance(value, Dim) and digits is None:
        return value
    value = static(value, 0)
    if digits is None:
        return call("round", round(plain(value)), value)
    if abs(integer(digits, 1)) > 400:
        raise Wrong("rounding takes -400 to 400 digits", 1)
    return call("round", round(plain(value), integer(digits, 1)), value, digits)


def _int(value: Any) -> Any:
    if isinstance(value, str):
        return _read(int, value)
    value = number(value, 0)
    if isinstance(value, Dim):
        return value
    if isinstance(value, Formula):
        down = floor(value)
        if isinstance(down, Dim) and down.least is not None and down.least >= 0:
            return down
        return select(compared(">=", value, 0), down, ceil(value))
    return call("int", int(plain(value)), value)


def _float(value: Any) -> Any:
    if isinstance(value, str):
        return _read(float, value)
    value = number(value, 0)
    if isinstance(value, Dim):
        return value * 1.0
    return value if isinstance(value, Formula) else call("float", float(plain(value)), value)


def _read(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise Wrong(f"{shown(text)} is no number", 0) from None


def _of_number(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: function(number(value, 0))


def _log(value: Any, base: Any = None) -> Any:
    found = log(number(value, 0))
    return found if base is None else found / log(number(base, 1))


def _zip(*lists: Any) -> list[Any]:
    found = [items(value, at) for at, value in enumerate(lists)]
    return [list(row) for row in zip(*found, strict=False)]


def _enumerate(values: Any, start: Any = 0) -> list[Any]:
    return [[i, value] for i, value in enumerate(items(values, 0), integer(start, 1))]


def _reversed(values: Any) -> list[Any]:
    return items(values, 0)[::-1]


def _list(values: Any = None) -> list[Any]:
    return [] if values is None else list(items(values, 0))


FUNCTIONS: dict[str, Function] = {
    "len": Function(_len, 1, 1, "len(list)"),
    "range": Function(_range, 1, 3, "range(stop) or range(start, stop, step)"),
    "min": Function(_extreme(minimum), 1, None, "min(a, b) or min(list)"),
    "max": Function(_extreme(maximum), 1, None, "max(a, b) or max(list)"),
    "sum": Function(_sum, 1, 2, "sum(list)", "start"),
    "abs": Function(_of_number(absolute), 1, 1, "abs(x)"),
    "round": Function(_round, 1, 2, "round(x) or round(x, digits)", "ndigits"),
    "int": Function(_int, 1, 1, "int(x)"),
    "float": Function(_float, 1, 1, "float(x)"),
    "floor": Function(_of_number(floor), 1, 1, "floor(x)"),
    "ceil": Function(_of_number(ceil), 1, 1, "ceil(x)"),
    "sqrt": Function(_of_number(sqrt), 1, 1, "sqrt(x)"),
    "log": Function(_log, 1, 2, "log(x) or log(x, base)"),
    "log2": Function(_of_number(log2), 1, 1, "log2(x)"),
    "exp": Function(_of_number(exp), 1, 1, "exp(x)"),
    "prod": Function(_prod, 1, 1, "prod(list)"),
    "zip": Function(_zip, 0, None, "zip(list, list)"),
    "enumerate": Function(_enumerate, 1, 2, "enumerate(list)", "start"),
    "reversed": Function(_reversed, 1, 1, "reversed(list)"),
    "list": Function(_list, 0, 1, "list(items)"),
    # `all` and `any` may stay symbolic: the evaluator joins their truths
    "all": Function(lambda values: items(values, 0), 1, 1, "all(list)"),
    "any": Function(lambda values: items(values, 0), 1, 1, "any(list)"),
}

INSTEAD = {
    "pow": "write `a ** b`",
    "divmod": "write `a // b` and `a % b`",
    "tuple": "write `list(...)`",
    "sorted": "write the list in order",
    "bool": "write the condition itself, such as `x != 0`",
    "str": "write the text in quotes",
    "map": "write `[f(x) for x in list]`",
    "filter": "write `[x for x in list if condition]`",
    "isinstance": "a param has one type; compare its value",
    "print": "an expression only gives a value",
}
"""Python's functions that the language lacks, and what to write."""
