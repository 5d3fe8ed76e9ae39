"""Types of attributes: each checks a value by itself and says in our words what is wrong.

A value that passes is kept as it is, labelled numbers (`archc.shapes.Num`) included; lists become
tuples, so that an operator can be hashed. Defaults are not checked: write them as they shall be kept.

A message follows the attribute's name: "must be at least 1, not 0".
"""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic_core import core_schema

from archc.shapes import DTYPES, Cond, Dim, Formula


class Wrong(ValueError):
    """What is wrong with an attribute's value.

    `about` names the attributes at fault where it is not the one that was being checked.
    `whole`: the message is a sentence by itself and needs no name in front.
    """

    def __init__(self, message: str, help: str | None = None, *, about: tuple[str, ...] = (), whole=False):
        super().__init__(message)
        self.message = message
        self.help = help
        self.about = about
        self.whole = whole


class NeedsStatic(Wrong):
    """A number was needed when the model is built and a symbolic one came: `dim` is it."""

    def __init__(self, dim: Dim | Formula | Cond, *, about: tuple[str, ...] = ()):
        super().__init__(f"must be known when the model is built, and `{dim}` is not", about=about)
        self.dim = dim


class Valid:
    """Marks a type as checked by one function from value to value."""

    __slots__ = ("check",)

    def __init__(self, check: Callable[[Any], Any]):
        self.check = check

    def __get_pydantic_core_schema__(self, source, handler):
        return core_schema.no_info_plain_validator_function(self.check)


class Choice:
    """Marks a `Literal` of words: `Annotated[Literal["zeros", "reflect"], Choice()]`."""

    __slots__ = ()

    def __get_pydantic_core_schema__(self, source, handler):
        words = get_args(source)
        return core_schema.no_info_plain_validator_function(lambda value: choose(value, words))


def shown(value: Any) -> str:
    """A value as a spec would write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(shown(v) for v in value)}]"
    if isinstance(value, (int, float)):
        return int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    return f"`{value}`"


def refuse_word(value: Any) -> None:
    """A bare name that nothing defines is told as such, whatever was wanted in its place."""
    from archc.lang.values import Given, Word

    if isinstance(value, Word):
        raise Wrong(f"`{value}` is not defined", whole=True)
    if isinstance(value, Given):
        help = "fix the input with --given or --absent (`given=[...]`, `absent=[...]` in Python)"
        raise Wrong("must be known when the model is built, and depends on an open input", help)


LARGEST = 2**63 - 1
"""The largest whole number that torch takes."""


def integer(least: int | None = None, *, runtime: bool = False) -> Callable[[Any], Any]:
    """The check of a whole number; `runtime`: one known only when the model runs will do."""

    def check(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if least is not None and value < least:
                raise Wrong(f"must be at least {least}, not {shown(value)}")
            if abs(value) > LARGEST:
                raise Wrong("must have at most 63 bits, as torch's sizes have")
            return value
        if isinstance(value, Dim):
            if runtime:
                return value
            raise NeedsStatic(value)
        refuse_word(value)
        fractional = isinstance(value, (float, Formula))
        help = "`//` divides without a rest, `int(...)` cuts it off" if fractional else None
        raise Wrong(f"must be a whole number, not {shown(value)}", help)

    return check


def sequence(item: Callable[[Any], Any], *, single: bool = True, empty: bool = False) -> Callable[[Any], Any]:
    """The check of a list of `item`; `single`: one item by itself will do and is kept so."""

    def check(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            if single:
                return item(value)
            refuse_word(value)
            raise Wrong(f"must be a list, not {shown(value)}", f"write [{shown(value).strip('`')}]")
        if not value and not empty:
            raise Wrong("must not be empty")
        return tuple(map(item, value))

    return check


def listed(item: Callable[[Any], Any], *, empty: bool = False) -> Callable[[Any], Any]:
    """The check of a list of `item`; one item by itself is taken as a list of one."""
    check_list = sequence(item, empty=empty)

    def check(value: Any) -> Any:
        found = check_list(value)
        return found if isinstance(found, tuple) else (found,)

    return check


def real(
    low: float | None = None, high: float | None = None, *, above: float | None = None, runtime: bool = False
) -> Callable[[Any], Any]:
    """The check of a number within `low <= value <= high` and `value > above`."""

    def check(value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isnan(value):
                raise Wrong("must be a number, not nan")
            if low is not None and high is not None and not low <= value <= high:
                raise Wrong(f"must be from {low:g} to {high:g}, not {shown(value)}")
            if low is not None and value < low:
                raise Wrong(f"must be at least {low:g}, not {shown(value)}")
            if above is not None and value <= above:
                raise Wrong(f"must be greater than {above:g}, not {shown(value)}")
            return value
        if isinstance(value, (Dim, Formula)):
            if runtime:
                return value
            raise NeedsStatic(value)
        refuse_word(value)
        raise Wrong(f"must be a number, not {shown(value)}")

    return check


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (Cond, Dim, Formula)):
        raise NeedsStatic(value)
    refuse_word(value)
    raise Wrong(f"must be true or false, not {shown(value)}")


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(f"must be a string, not {shown(value)}")
    try:
        refuse_word(value)
    except Wrong as undefined:
        undefined.help = f'a string stands in quotes: "{value}"'
        raise
    return value


def choose(value: Any, words: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in words:
        return str(value)
    allowed = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    raise Wrong(f"must be {allowed}, not {shown(value)}", advice(value, words))


def advice(value: Any, words) -> str | None:
    """The help that names the closest word, if one is close."""
    from archc.source.diagnostic import did_you_mean

    close = did_you_mean(value, words) if isinstance(value, str) else None
    return f"did you mean `{close}`?" if close else None


def dtype(value: Any) -> str:
    if isinstance(value, str) and value in DTYPES:
        return str(value)
    raise Wrong(f"must be a dtype such as float, float16 or int64, not {shown(value)}", advice(value, DTYPES))


def scalar(*, runtime: bool = False) -> Callable[[Any], Any]:
    """The check of a number or a truth value."""
    number = real(runtime=runtime)
    return lambda value: value if isinstance(value, bool) else number(value)


def named(item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The check of further keywords (`Op.spread`): a mapping, kept as a tuple of pairs."""

    def check(value: Any) -> tuple[tuple[str, Any], ...]:
        pairs = []
        for name, v in value.items() if isinstance(value, dict) else value:
            try:
                pairs.append((name, item(v)))
            except Wrong as wrong:
                wrong.about = (name,)
                raise
        return tuple(pairs)

    return check


def padding(value: Any) -> Any:
    """Zero or more on each side, one number or one an axis, or "same"."""
    if isinstance(value, str) and value == "same":
        return "same"
    if isinstance(value, str) and value == "valid":
        raise Wrong('must be whole numbers or "same", not "valid"', "leave it out: no padding is the default")
    return _non_negatives(value)


def initialiser(value: Any) -> Any:
    """An initialiser, or the name of one that needs no arguments."""
    from archc.ops import initialisers

    if isinstance(value, initialisers.Initialiser):
        return value
    if isinstance(value, str):
        return initialisers.named(str(value))
    raise Wrong(f"must be an initialiser, not {shown(value)}", "such as zeros or normal(0.02)")


_non_negatives = sequence(integer(0))

Int = Annotated[int, Valid(integer())]
Positive = Annotated[int, Valid(integer(1))]
Ints = Annotated[int | tuple[int, ...], Valid(sequence(integer()))]
PositiveInts = Annotated[int | tuple[int, ...], Valid(sequence(integer(1)))]
NonNegativeInts = Annotated[int | tuple[int, ...], Valid(_non_negatives)]
Padding = Annotated[int | tuple[int, ...] | Literal["same"], Valid(padding)]

Shape = Annotated[tuple[int, ...], Valid(listed(integer(1), empty=True))]
"""Sizes known when the model is built, each at least 1."""
RuntimeInt = Annotated[int | Dim, Valid(integer(runtime=True))]
RuntimeInts = Annotated[int | Dim | tuple[int | Dim, ...], Valid(sequence(integer(runtime=True), empty=True))]
RuntimeSize = Annotated[int | Dim, Valid(integer(1, runtime=True))]
RuntimeSizes = Annotated[tuple[int | Dim, ...], Valid(listed(integer(1, runtime=True), empty=True))]
"""Sizes that may be known only when the model runs, each at least 1; one by itself is a list of one."""
NamedSizes = Annotated[tuple[tuple[str, int | Dim], ...], Valid(named(integer(1, runtime=True)))]

Axis = Int
Axes = Ints

Float = Annotated[float, Valid(real())]
PositiveFloat = Annotated[float, Valid(real(above=0))]
NonNegativeFloat = Annotated[float, Valid(real(0))]
Probability = Annotated[float, Valid(real(0, 1))]
RuntimeFloat = Annotated[float | Dim | Formula, Valid(real(runtime=True))]
Scalar = Annotated[float | bool, Valid(scalar())]
RuntimeScalar = Annotated[float | bool | Dim | Formula, Valid(scalar(runtime=True))]

Bool = Annotated[bool, Valid(boolean)]
Text = Annotated[str, Valid(text)]
Dtype = Annotated[str, Valid(dtype)]
Init = Annotated[Any, Valid(initialiser)]
