"""What the declaration of a user's operator and of an initialiser have in common."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pydantic import Field, create_model

from archc.ops.annotations import Attribute
from archc.ops.base import Declared


def what_of(target: Any, decorator: str) -> str:
    """How errors name what is being decorated."""
    if not callable(target) or not hasattr(target, "__qualname__"):
        raise TypeError(f"@{decorator} decorates a function or a class, not {target!r}")
    if "<locals>" in target.__qualname__ and "." in target.__qualname__.rpartition("<locals>.")[2]:
        raise TypeError(f"@{decorator}: {target.__qualname__} must stand at the top of its module")
    return f"@{decorator} {target.__qualname__.rpartition('>.')[2]}"


def title_of(target: Any, name: str | None, what: str) -> str:
    """What specs call it; raises ValueError for what is no name there."""
    found = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", target.__name__).lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", found) or keyword.iskeyword(found):
        raise ValueError(f"{what}: specs call operators in snake_case, as `selective_scan`, not {found!r}")
    return found


def place_of(target: Any) -> tuple[str, str]:
    """The module that it stands in, and its name there."""
    return target.__module__, target.__qualname__


B = TypeVar("B", bound=Declared)


def model_of(base: type[B], name: str, target: Any, attributes: Mapping[str, Attribute]) -> type[B]:
    """A subclass with a field for each attribute."""
    fields: dict[str, Any] = {}
    for attribute, (kind, default) in attributes.items():
        value = ... if default is inspect.Parameter.empty else default
        taken = hasattr(base, attribute) or attribute.startswith(("model_", "_"))
        field = f"{attribute.strip('_')}_attribute" if taken else attribute
        fields[field] = (kind, Field(value, alias=attribute) if taken else value)
    made = create_model(name, __base__=base, __module__=target.__module__, **fields)
    made.__doc__ = inspect.getdoc(target) or ""
    return cast("type[B]", made)
