"""What operators say of themselves: their docstrings taken apart, and a document's section on them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archc.document.markdown import code, inline, table
from archc.ops.base import Op

_NAME = r"`(?:torch|einops)\.[\w.]+`(?:, `\dd` and `\dd`)?"
_SENTENCE = re.compile(rf"\bAs (?:`[+*]`, torch's )?{_NAME}(?: and {_NAME})?[.;:] ?(.?)")
_CLAUSE = re.compile(rf", as {_NAME}(?: does)?|[:,] {_NAME}(?=[.,])")
"""How a docstring tells PyTorch's name."""


class Said(NamedTuple):
    """A docstring of an operator: the shapes that it tells, what it says, and PyTorch's names."""

    shapes: str
    meaning: str
    torch: tuple[str, ...]


def said(cls: type) -> Said:
    """What an operator or initialiser says of itself.

    >>> from archc.ops.activation import Relu
    >>> said(Relu)
    Said(shapes='', meaning='max(x, 0). Example: `x -> relu`.', torch=('torch.nn.functional.relu',))
    """
    text = " ".join(inspect.cleandoc(cls.__doc__ or "").split())
    torch = re.findall(r"`((?:torch|einops)\.[\w.]+)`", text)
    text = _SENTENCE.sub(lambda rest: rest[1].upper(), text)
    text = _CLAUSE.sub("", text)
    shapes = re.search(r"(:?) ?`([^`]*->[^`]*)`", text.partition("Example:")[0])
    if shapes and shapes[1]:
        text = text[: shapes.start()] + text[shapes.end() :]
    return Said(shapes[2] if shapes else "", text.strip(), tuple(dict.fromkeys(torch)))


def with_heading(cls: type[Op] | None) -> bool:
    """Has an operator a formula, and so a heading that charts may lead to?"""
    return cls is not None and bool(cls.formula)


def operators_section(
    used: Mapping[str, type[Op] | None], users: Mapping[str, Sequence[str]], marks: str
) -> str:
    """The operators of a document: those with a formula under a heading (`marks` and the name), the
    others in a table. `users` are links to the blocks that use them."""
    parts = []
    for name, cls in used.items():
        if cls is None or not with_heading(cls):
            continue
        parts.append(f"{marks} {name}")
        parts.append(f"$$\n{cls.formula}\n$$")
        told = [_meaning(cls), _torch(cls), f"Used in {', '.join(users[name])}."]
        parts.append(" ".join(sentence for sentence in told if sentence))
    rest = [
        [code(name), "" if cls is None else _meaning(cls), _names(name, cls), ", ".join(users[name])]
        for name, cls in used.items()
        if not with_heading(cls)
    ]
    if rest:
        parts.append(table(["operator", "", "PyTorch", "used in"], rest))
    return "\n\n".join(parts)


def _meaning(cls: type[Op]) -> str:
    """What a docstring says, without its example."""
    said_ = said(cls)
    text = re.sub(r" ?Example: .*$", "", said_.meaning).strip()
    return inline(text if text.endswith((".", ":")) or not text else text + ".")


def _torch(cls: type[Op]) -> str:
    names = said(cls).torch
    return f"In PyTorch {', '.join(map(code, names))}." if names else ""


def _names(name: str, cls: type[Op] | None) -> str:
    return ", ".join(map(code, [f"torch.{name}"] if cls is None else said(cls).torch))
