"""Initialisers that a user writes in Python: `@archc.initialiser`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, overload

from archc.ops.annotations import outputs, signature
from archc.ops.declaring import model_of, place_of, title_of, what_of
from archc.ops.extensions import MARK
from archc.ops.initialisers import Initialiser
from archc.ops.python import call, unless

F = TypeVar("F", bound=Callable[..., Any])


class UserInitialiser(Initialiser):
    """Base of users' initialisers."""

    name: ClassVar[str]
    place: ClassVar[tuple[str, str]]
    defaults: ClassVar[Mapping[str, Any]]

    @classmethod
    def title(cls) -> str:
        return cls.name

    def fill(self, tensor: str) -> str:
        keywords = {}
        for field, info in type(self).model_fields.items():
            name, value = info.alias or field, getattr(self, field)
            keywords[name] = value if info.is_required() else unless(value, self.defaults[name])
        return call(".".join(self.place), tensor, **keywords)


@overload
def initialiser(function: F, /) -> F: ...


@overload
def initialiser(*, name: str | None = None) -> Callable[[F], F]: ...


def initialiser(function: Any = None, /, *, name: str | None = None) -> Any:
    """Make a function an initialiser of specs.

    Its first parameter is the tensor, which it fills in place and returns; the others are its arguments.
    Raises TypeError and ValueError for what cannot be one.

    >>> import archc, torch
    >>> from torch import Tensor
    >>> @archc.initialiser
    ... @torch.no_grad()
    ... def alternating(tensor: Tensor, value: float = 1.0) -> Tensor:
    ...     tensor[::2] = value
    ...     tensor[1::2] = -value
    ...     return tensor
    >>> alternating(torch.empty(3), 0.5)
    tensor([ 0.5000, -0.5000,  0.5000])
    """
    if function is None:
        return lambda function: initialiser(function, name=name)  # type: ignore[call-overload]
    what = what_of(function, "archc.initialiser")
    if isinstance(function, type):
        raise TypeError(f"{what}: an initialiser is a function")
    declared = signature(function, what, runtime=False)
    if (
        len(declared.ports) != 1
        or next(iter(inspect.signature(function).parameters)) != declared.ports[0].name
    ):
        raise TypeError(f"{what}: its first parameter is the tensor to fill, its only one")
    if outputs(function, what, None) != ("out",):
        raise TypeError(f"{what} returns the tensor that it filled: `-> Tensor`")
    title = title_of(function, name, what)
    made = model_of(UserInitialiser, title, function, declared.attributes)
    made.name, made.place = title, place_of(function)
    made.imports = made.place[:1]
    made.defaults = {n: a.default for n, a in declared.attributes.items()}
    setattr(function, MARK, made)
    return function
