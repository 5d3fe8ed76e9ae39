"""The packages that hold the originals, imported in an environment that lacks what they do not need.

Their names and versions stand in `requirements.txt` beside this file and in the extra `parity`; nothing
is downloaded when they run.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
import torch


def original(module: str) -> Any:
    """A module of an original's package: `original("torchvision.models")`.

    Where it is not installed, the tests of the file that asks are skipped; under CI=true that is a failure.
    """
    _declare_operators()
    try:
        return import_module(module)
    except ImportError as error:
        if os.environ.get("CI") == "true":
            raise
        how = "pip install -e '.[parity]' && pip install --no-deps -r tests/parity/requirements.txt"
        pytest.skip(f"`{module}` cannot be imported ({error}): {how}", allow_module_level=True)


@cache
def _declare_operators() -> None:
    """Tell torch the signatures of torchvision's compiled operators, which its Python part registers
    shape rules for, and which its library does not bring where it was built for another torch."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for signature in (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    ):
        library.define(signature)
    _declare_operators.library = library  # type: ignore[attr-defined]  (it lasts as long as the object)


def stub(name: str, **members: Any) -> None:
    """Stand in for a module that an original imports and does not use where it is compared."""
    module = ModuleType(name)
    for attribute, value in members.items():
        setattr(module, attribute, value)
    sys.modules.setdefault(name, module)
