"""From a Python signature to inputs and attributes: what a user's operator declares.

An annotation `Tensor` makes an input, any other an attribute of that type. torch is not imported: who
annotates with its `Tensor` has done so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from archc.ops.attributes import Bool, Choice, Text, Valid, integer, real, sequence, text
from archc.ops.attributes import boolean as truth
from archc.ops.base import Port

TYPES = "int, float, bool, str, Literal[...] of words, tuple[int, ...], and these with `| None`"


class Attribute(NamedTuple):
    """An attribute: its type as a field of an operator, and its default (`inspect.Parameter.empty`: none)."""

    type: Any
    default: Any


@dataclass(slots=True)
class Signature:
    """What a function takes. `named`: inputs that go by name only; `training`: it asks for that."""

    ports: list[Port] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    training: bool = False


def signature(function: Callable[..., Any], what: str, *, skip: int = 0, runtime: bool) -> Signature:
    """The inputs and attributes of a function, behind its first `skip` parameters.

    `runtime`: its numbers may be sizes that only the running model knows. Raises TypeError, in which
    `what` names the function, for what is no signature of an operator."""
    hints = hints_of(function, what)
    found = Signature()
    for parameter in list(inspect.signature(function).parameters.values())[skip:]:
        name = parameter.name
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise TypeError(f"{what}: `{parameter}` cannot be given by a spec; name the parameters")
        if name not in hints:
            wanted = f"`Tensor` where it is an input, else its type ({TYPES})"
            raise TypeError(f"{what}: `{name}` needs an annotation: {wanted}")
        optional = parameter.default is None
        if is_tensor(hints[name]) or is_optional_tensor(hints[name]):
            if parameter.default is not parameter.empty and not optional:
                raise TypeError(f"{what}: an input has no default but None, and `{name}` has one")
            if is_optional_tensor(hints[name]) and not optional:
                raise TypeError(f"{what}: `{name}` may be None, so give it the default None")
            port = Port(name, optional, parameter.kind is parameter.VAR_POSITIONAL)
            if found.attributes or parameter.kind is parameter.KEYWORD_ONLY:
                found.named.add(name)
            found.ports.append(port)
        elif name == "training" and hints[name] is bool:
            found.training = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            raise TypeError(f"{what}: `*{name}` takes tensors only: `*{name}: Tensor`")
        else:
            found.attributes[name] = Attribute(_type(hints[name], name, what, runtime), parameter.default)
    if any(p.variadic for p in found.ports) and len(found.ports) > 1:
        raise TypeError(f"{what}: where an input takes any number of tensors it is the only one")
    return found


def outputs(function: Callable[..., Any], what: str, names: Sequence[str] | None) -> tuple[str, ...] | None:
    """The names of what a function returns, from its annotation and what was said; None where only a
    call of it tells how many there are. Raises TypeError."""
    hints = hints_of(function, what)
    if "return" not in hints:
        raise TypeError(f"{what} needs an annotation of what it returns, such as `-> Tensor`")
    returns = hints["return"]
    count: int | None = None
    own: tuple[str, ...] | None = getattr(returns, "_fields", None)
    arguments = get_args(returns)
    if is_tensor(returns):
        count, own = 1, ("out",)
    elif own is not None:
        count = len(own)
    elif get_origin(returns) is tuple and arguments and all(map(is_tensor, arguments)):
        count = len(arguments)
        own = tuple(f"out{i}" for i in range(count)) if count > 1 else ("out",)
    elif not (get_origin(returns) in (tuple, list) and is_tensor(arguments[0])):
        raise TypeError(f"{what} returns tensors: `-> Tensor` or `-> tuple[Tensor, Tensor]`")
    if names is None:
        return own
    if count is not None and len(names) != count:
        raise TypeError(f"{what} returns {count}, and `outputs` names {len(names)}")
    return tuple(names)


def hints_of(function: Any, what: str) -> Mapping[str, Any]:
    """A function's annotations; raises TypeError where one names what is not there."""
    try:
        return get_type_hints(function)
    except NameError as missing:
        raise TypeError(f"{what}: an annotation names what is not there: {missing}") from missing


def is_tensor(annotation: Any) -> bool:
    """Is an annotation torch's `Tensor`?"""
    return (
        getattr(annotation, "__module__", None) == "torch" and getattr(annotation, "__name__", "") == "Tensor"
    )


def is_optional_tensor(annotation: Any) -> bool:
    """Is an annotation `Tensor | None`?"""
    return _is_union(annotation) and set(map(_kind, get_args(annotation))) == {"tensor", "none"}


def _kind(annotation: Any) -> str:
    return "tensor" if is_tensor(annotation) else "none" if annotation is NoneType else "other"


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _type(annotation: Any, name: str, what: str, runtime: bool) -> Any:
    """The field's type of an attribute."""
    if annotation is bool:
        return Bool
    if annotation is str:
        return Text
    words = get_args(annotation) if get_origin(annotation) is Literal else ()
    if words and all(isinstance(word, str) for word in words):
        return Annotated[annotation, Choice()]
    check = _check(annotation, runtime)
    if check is None:
        shown = inspect.formatannotation(annotation)
        raise TypeError(f"{what}: `{name}: {shown}` is no type of an attribute; there are {TYPES}")
    return Annotated[annotation, Valid(check)]


def _check(annotation: Any, runtime: bool) -> Callable[[Any], Any] | None:
    """What checks a value of this type; None where it is no type of attributes."""
    simple = {int: integer(runtime=runtime), float: real(runtime=runtime), bool: truth, str: text}
    if annotation in simple:
        return simple[annotation]
    arguments = get_args(annotation)
    if _is_union(annotation) and NoneType in arguments and len(arguments) == 2:
        inner = _check(next(a for a in arguments if a is not NoneType), runtime)
        return None if inner is None else (lambda value: None if value is None else inner(value))
    if get_origin(annotation) is tuple and len(arguments) == 2 and arguments[1] is ...:
        item = _check(arguments[0], runtime)
        return None if item is None else sequence(item, single=False, empty=True)
    return None
