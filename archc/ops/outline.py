"""Operators whose attributes are not all given, so that a block can be outlined.

Such an attribute is kept as it is: a symbol (`Dim`) where a number is wanted, else `Unsettled`.
What follows from it is known as far as the operator's rules can work with symbols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from pydantic import ValidationError

from archc.lang.values import Unsettled
from archc.ops.base import BadAttributes, Declared, Op, ShapeError
from archc.ops.layer import TorchLayer
from archc.shapes import Cond, Dim, Formula, Mismatch, Tensor, TooLarge, parameter

if TYPE_CHECKING:
    from pydantic import TypeAdapter

D = TypeVar("D", bound=Declared)

CANNOT_TELL = (
    ShapeError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    TooLarge,
    Mismatch,
)
"""What an operator's methods raise where they need a number that is not there."""


def bind_outline(cls: type[D], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> D:
    """An operator or initialiser of which some attributes are not given; raises BadAttributes for
    what is wrong with those that are, and with names that it does not have."""
    given = dict(kwargs or {})
    open_ = _open((*args, *given.values()))
    try:
        return cls.bound(args, given)
    except BadAttributes as bad:
        found: dict[int | str | None, Any] = {**dict(enumerate(args)), **given}
        wrong = [p for p in bad.problems if p.needs_static is None and not _open(found.get(p.argument, ()))]
        if wrong or not open_:
            raise BadAttributes(wrong or list(bad.problems)) from None
    except CANNOT_TELL:
        if not open_:
            raise
    return _relaxed(cls, args, given)


def label(op: Op, inputs: Sequence[Tensor | None]) -> str:
    """`op.label`, as much of it as can be told."""
    try:
        return op.label(*inputs)  # type: ignore[arg-type]
    except CANNOT_TELL:
        pass
    for rank in (4, 3, 5, 2, 1):  # of what arrives not even the rank is known: leave its sizes out
        unknown = Tensor((parameter("?"),) * rank)
        try:
            known = (unknown if x is not None and x.shape is None else x for x in inputs)
            found = op.label(*known)  # type: ignore[arg-type]
        except CANNOT_TELL:
            continue
        return "→ " + found.removeprefix("? → ") if found.startswith("? → ") else found
    values = (getattr(op, name) for name, field in type(op).model_fields.items() if field.is_required())
    return ", ".join(map(str, values))


def shapes(op: Op, inputs: Sequence[Tensor | None]) -> tuple[Tensor, ...] | None:
    """The types of an operator's outputs, inside `with recording(unknown)`; None where they cannot be
    told. What hangs on a word or a truth value that is not given is told where it is all the same.

    Raises ShapeError where the operator refuses what is known."""
    try:
        found = op.shape(*inputs)
        return (found,) if isinstance(found, Tensor) else tuple(found)
    except CANNOT_TELL as wrong:
        if _is_certain(op, inputs, wrong):
            if isinstance(wrong, ShapeError):
                raise
            raise ShapeError(str(wrong)) from wrong
    variants = _variants(op)
    try:
        results = [variant.shape(*inputs) for variant in variants]
    except CANNOT_TELL:
        return None
    if not results or any(r != results[0] for r in results):
        return None
    return (results[0],) if isinstance(results[0], Tensor) else tuple(results[0])


def _is_certain(op: Op, inputs: Sequence[Tensor | None], wrong: Exception) -> bool:
    """Is what an operator refuses wrong whatever the numbers are that nobody gave?"""
    if _open(list(op.__dict__.values())) or any(x is not None and x.shape is None for x in inputs):
        return False
    cause = wrong.__cause__ if isinstance(wrong, ShapeError) else wrong
    if isinstance(cause, Mismatch):
        return isinstance(cause.a, int) and isinstance(cause.b, int)
    return isinstance(wrong, ShapeError) and cause is None and wrong.needs_static is None


def owns_weights(op: Op) -> bool:
    """Does an operator surely own weights?"""
    try:
        return bool(op.owns_weights)
    except TypeError:
        return False


def _variants(op: Op) -> list[Op]:
    """The operator with every choice of the words and truth values that are not given, if few."""
    choices = {}
    for name in type(op).model_fields:
        if isinstance(getattr(op, name), Unsettled):
            info = type(op).model_fields[name]
            words = (True, False) if info.annotation is bool else get_args(info.annotation)
            choices[name] = [w for w in words if isinstance(w, bool | str)]
    if not choices or prod(map(len, choices.values())) > 16:
        return []
    rows = product(*choices.values())
    return [op.model_copy(update=dict(zip(choices, row, strict=True))) for row in rows]


def _open(value: Any) -> bool:
    """Is a value, or one in it, not given?"""
    if isinstance(value, list | tuple):
        return any(map(_open, value))
    return isinstance(value, Dim | Formula | Cond | Unsettled)


def _relaxed(cls: type[D], args: Sequence[Any], kwargs: Mapping[str, Any]) -> D:
    if issubclass(cls, TorchLayer):
        pairs = tuple((k, _fixed(v)) for k, v in kwargs.items())
        return cls.model_construct(args=tuple(map(_fixed, args)), kwargs=pairs)
    names = [n for n in cls.attributes() if n != cls.spread]
    values: dict[str, Any] = {**dict(zip(names, args, strict=False))}
    further = []
    for name, value in kwargs.items():
        if name in names:
            values[name] = value
        else:
            further.append((name, _symbolic(value)))
    found = {}
    for field, info in cls.model_fields.items():
        name = info.alias or field
        if name in values:
            found[name] = _kept(_checker(cls, field), values[name])
        elif field == cls.spread:
            found[name] = tuple(further)
    return cls.model_construct(**found)


@cache
def _checker(cls: type[Declared], field: str) -> TypeAdapter:
    """What checks one attribute by itself."""
    from pydantic import TypeAdapter

    info = cls.model_fields[field]
    kept: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    return TypeAdapter(kept, config={"arbitrary_types_allowed": True})


def _kept(checker: TypeAdapter, value: Any) -> Any:
    """A value as the attribute keeps it, what is not given in its place."""
    if not _open(value):
        try:
            return checker.validate_python(value)
        except ValidationError:
            return _fixed(value)
    try:
        example = checker.validate_python(_example(value))
    except ValidationError:
        return _fixed(value)
    found = _symbolic(value)
    return (found,) if isinstance(example, tuple) and not isinstance(found, tuple) else found


def _example(value: Any) -> Any:
    """The value with a number for all that is not given."""
    if isinstance(value, list | tuple):
        return [_example(v) for v in value]
    return 1 if _open(value) else value


def _symbolic(value: Any) -> Any:
    """The value with symbols for all that is not given."""
    if isinstance(value, list | tuple):
        return tuple(map(_symbolic, value))
    return parameter(value.text) if isinstance(value, Unsettled) else value


def _fixed(value: Any) -> Any:
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple) else value
