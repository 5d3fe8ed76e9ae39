"""Dtypes and how they promote, as `torch.result_type` has it."""

from __future__ import annotations

_COMPLEX = {"float16": "complex32", "float64": "complex128"}

DTYPES = (
    "float",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "bool",
    "complex64",
    "complex128",
)
"""The dtypes of the language; "float" is the default dtype, the one given when a model is built."""

_CATEGORY = {d: 2 if "float" in d else 3 if "complex" in d else 0 if d == "bool" else 1 for d in DTYPES}
_CATEGORY["complex32"] = 3
# within a category, the wider last; "float" and "float32" are equally wide
_RANK = {
    d: i for i, d in enumerate(("int8", "int16", "int32", "int64", "float16", "float", "float32", "float64"))
}
_RANK |= {"complex32": 0, "complex64": 1, "complex128": 2, "bool": 0, "bfloat16": _RANK["float16"]}


def category(dtype: str) -> int:
    """0 for bool, 1 for integers, 2 for floats, 3 for complex numbers."""
    return _CATEGORY[dtype]


def wider(a: str, b: str) -> str:
    """The dtype that holds both."""
    if a == b:
        return a
    x, y = _CATEGORY[a], _CATEGORY[b]
    if x > y:
        a, b, x, y = b, a, y, x
    if y == 3:
        return b if x < 2 else max(_COMPLEX.get(a, "complex64") if x == 2 else a, b, key=_RANK.__getitem__)
    if x != y:
        return b
    if "uint8" in (a, b):
        other = a if b == "uint8" else b
        return "int16" if other == "int8" else other
    if {a, b} == {"float16", "bfloat16"}:
        return "float32"
    return max(a, b, key=_RANK.__getitem__)


def default_of(dtype: str) -> str:
    """The dtype of a Python number of this kind that meets a tensor of a lower kind."""
    return {0: "bool", 1: "int64", 2: "float", 3: "complex64"}[_CATEGORY[dtype]]


def complex_of(dtype: str) -> str:
    """The complex dtype whose parts are this float dtype."""
    return _COMPLEX.get(dtype, "complex64")
