"""Python source text of attribute values and calls, for `Op.module` and `Op.call`.

A number that carries a label, and one over free dimensions, is written between private marks:
the emitter decides what stands there, a name or the number. `plain_text` reads marks as plain
numbers, for tests and where no emitter is at work.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from archc.shapes import Cond, Dim, Formula, Num, Real, python

LABEL, VALUE, END = "\ue000", "\ue001", "\ue002"
"""Around a labelled number: LABEL label VALUE number END."""
RUNTIME, RUNTIME_END = "\ue003", "\ue004"
"""Around a Python expression over free dimensions."""
_MARKS = re.compile(f"[{LABEL}-{RUNTIME_END}]")


class Code(str):
    """Text that is Python source already."""

    __slots__ = ()


class Omitted:
    """An argument that `call` leaves out."""


OMIT = Omitted()


def unless(value: Any, default: Any) -> Any:
    """The value, or what leaves its argument out where it is PyTorch's default.

    A labelled number stays: where it differs from copy to copy it is an argument of the class.
    """
    if isinstance(value, (Num, Real)) or type(value) is not type(default) or value != default:
        return value
    return OMIT


def py(value: Any) -> str:
    """The Python source of an attribute's value.

    >>> py((1, 2.5, None, "same", 1e-05))
    '(1, 2.5, None, "same", 1e-5)'
    """
    if isinstance(value, Code):
        return str(value)
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, (Num, Real)):
        number = int.__repr__(value) if isinstance(value, int) else _float(float(value))
        return f"{LABEL}{value.label}{VALUE}{number}{END}"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _MARKS.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(py, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, (Dim, Formula, Cond)):
        return f"{RUNTIME}{python(value)}{RUNTIME_END}"
    raise TypeError(f"no source text for {value!r}")


def _float(value: float) -> str:
    if math.isinf(value):
        return 'float("inf")' if value > 0 else '-float("inf")'
    return re.sub(r"e([+-])0*(\d)", lambda m: f"e{m[1].replace('+', '')}{m[2]}", repr(value))


def listing(values: Any) -> str:
    """A list display of values, `[1, 2]`."""
    return f"[{', '.join(map(py, values))}]"


def call(name: str, /, *arguments: str | None, **keywords: Any) -> str:
    """The source of a call: positional arguments are source text (None: left out), keywords are values.

    >>> call("F.pad", "x", py((1, 1)), mode="reflect", value=unless(0, 0))
    'F.pad(x, (1, 1), mode="reflect")'
    """
    parts = [a for a in arguments if a is not None]
    parts += [f"{k}={py(v)}" for k, v in keywords.items() if v is not OMIT]
    return f"{name}({', '.join(parts)})"


def torch_dtype(dtype: str) -> Code:
    """`torch.int64`; the default dtype is the name `DTYPE`, for which the emitter puts the right one."""
    return Code("DTYPE" if dtype == "float" else f"torch.{dtype}")


_LABELLED = re.compile(f"{LABEL}[^{VALUE}]*{VALUE}([^{END}]*){END}")


def plain_text(source: str) -> str:
    """The source with labelled numbers as plain numbers and run-time expressions in brackets."""
    return _LABELLED.sub(r"\1", source).replace(RUNTIME, "(").replace(RUNTIME_END, ")")
