"""Does a value fit the type of a param?"""

from __future__ import annotations

import operator
import re
from typing import Any

from archc.lang.functions import MOST_ITEMS
from archc.lang.lexer import BITS, KEYWORDS
from archc.lang.types import Bool, Choice, Float, Int, List, Operator, ParamType, Row, Str
from archc.lang.values import Given, Partial, Unsettled, Word, is_operator, shown
from archc.shapes import Cond, Dim, Formula, Num, Real, parameter
from archc.source.diagnostic import did_you_mean


class Misfit(Exception):
    """Why a value does not fit."""


def coerce(value: Any, type: ParamType) -> tuple[Any, str | None]:
    """The value as one of this type, and what is wrong with it: "must be ..., not ...", or None.

    The value may come from an expression, from Python or from JSON. An int is a float, a bool is
    no int, 3.0 is no int; a bare word is a word of a choice or an operator. A list comes back as a
    list, an int that is given for a float as a float.

    >>> from archc.lang.types import Float, Int
    >>> coerce(3, Float()), coerce(True, Int())
    ((3.0, None), (True, 'must be a whole number, not true'))
    """
    try:
        return _RULES[type.__class__](value, type) if value is not None else _null(type), None
    except Misfit as misfit:
        if isinstance(value, Unsettled):
            if type == Int():
                return parameter(value.text), None
            # of a choice fewer words may be left
            own = value.type
            fewer = isinstance(type, Choice) and isinstance(own, Choice) and set(own.words) < set(type.words)
            return (value if fewer else Unsettled(value.text, type)), None
        return value, str(misfit)


def _null(type: ParamType) -> None:
    if not type.optional:
        raise Misfit(f"must be {_wanted(type)}, not null; its type would be `{type}?`")


_WANTED = {
    Int: "a whole number",
    Float: "a number",
    Bool: "true or false",
    Str: "a text",
    Operator: "an operator or a block",
}


def _wanted(type: ParamType) -> str:
    if isinstance(type, Choice):
        words = [f"`{word}`" for word in type.words]
        return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    if isinstance(type, List):
        return f"a list `{List(type.item)}`"
    if isinstance(type, Row):
        return f"a row `{Row(type.items)}`"
    return _WANTED[type.__class__]


def _refuse(value: Any, type: ParamType) -> Misfit:
    if isinstance(value, Given):
        return Misfit(f"must be {_wanted(type)}: fix whether the input is given")
    if isinstance(value, Word):
        return Misfit(f"must be {_wanted(type)}, not `{value}`, which is not defined")
    return Misfit(f"must be {_wanted(type)}, not {shown(value)}")


def _int(value: Any, type: ParamType) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        if value.bit_length() > BITS:
            raise Misfit(f"must have at most {BITS} bits")
        return value
    if isinstance(value, Dim):
        return value
    if isinstance(value, Formula):
        raise Misfit(
            f"must be a whole number, and {shown(value)} may have a fraction: write `//` or `int(...)`"
        )
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        raise Misfit(f"must be a whole number, not {shown(value)}: write {int(value)}, `//` or `int(...)`")
    if isinstance(value, bool) or not _is_number(value):
        raise _refuse(value, type)
    try:
        return _int(operator.index(value), type)  # type: ignore[arg-type]
    except TypeError:
        raise _refuse(value, type) from None


def _float(value: Any, type: ParamType) -> Any:
    if isinstance(value, float | Dim | Formula):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            raise Misfit("must be a number that a float can hold") from None
        return Real(number, value.label, value.level, value.names) if isinstance(value, Num) else number
    if isinstance(value, bool | str | Cond) or not _is_number(value) or not hasattr(value, "__float__"):
        raise _refuse(value, type)
    return float(value)


def _is_number(value: Any) -> bool:
    """May it be a number of numpy's? An array of one item is none, nor is a numpy bool."""
    return not getattr(value, "shape", ()) and value.__class__.__name__ not in ("bool", "bool_")


def _bool(value: Any, type: ParamType) -> Any:
    if isinstance(value, bool | Cond):
        return value
    raise _refuse(value, type)


def _str(value: Any, type: ParamType) -> Any:
    if isinstance(value, str) and not isinstance(value, Word):
        return value
    raise _refuse(value, type)


def _choice(value: Any, type: Choice) -> Any:
    if not isinstance(value, str):
        raise _refuse(value, type)
    if value in type.words:
        return str(value)
    near = did_you_mean(value, type.words)
    guess = f"; did you mean `{near}`?" if near else ""
    raise Misfit(f"must be {_wanted(type)}, not {shown(value)}{guess}")


_NAME = re.compile(r"(nn\.)?[A-Za-z_]\w*", re.ASCII)


def _operator(value: Any, type: ParamType) -> Any:
    if isinstance(value, str):
        if _NAME.fullmatch(value) and value not in KEYWORDS:
            return Partial(str(value))
        raise Misfit(f"must be the name of an operator or a block, not {shown(value)}")
    if is_operator(value):
        return value
    raise _refuse(value, type)


def _items(value: Any, type: ParamType) -> list[Any]:
    if not isinstance(value, list | tuple) or isinstance(value, Given):
        raise _refuse(value, type)
    if len(value) > MOST_ITEMS:
        raise Misfit(f"must have at most {MOST_ITEMS:,} items")
    return list(value)


def _item(value: Any, type: ParamType, index: int) -> Any:
    found, problem = coerce(value, type)
    if problem:
        raise Misfit(f"has an item {index} that {problem}")
    return found


def _list(value: Any, type: List) -> list[Any]:
    return [_item(item, type.item, index) for index, item in enumerate(_items(value, type))]


def _row(value: Any, type: Row) -> list[Any]:
    items = _items(value, type)
    if len(items) != len(type.items):
        raise Misfit(f"must be {_wanted(type)} of {len(type.items)} items, not {shown(value)}")
    return [_item(item, wanted, i) for i, (item, wanted) in enumerate(zip(items, type.items, strict=True))]


_RULES: dict[type, Any] = {
    Int: _int,
    Float: _float,
    Bool: _bool,
    Str: _str,
    Choice: _choice,
    Operator: _operator,
    List: _list,
    Row: _row,
}
