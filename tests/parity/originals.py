"""The packages that hold the originals, imported in an environment that lacks what they do not need.

Their names and versions stand in `requirements.txt` beside this file and in the extra `parity`; nothing
is downloaded when they run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
import torch

INSTALL = "pip install -e '.[parity]' && pip install --no-deps -r tests/parity/requirements.txt"


def original(module: str, stubs: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    """A module of an original's package: `original("torchvision.models")`.

    `stubs` stand in, while it is imported, for modules that it names and does not use where it is
    compared: `{"pytorch_lightning": {"LightningModule": nn.Module}}`.

    Where it is not installed, the tests of the file that asks are skipped; under CI=true that is a failure.
    """
    _declare_operators()
    try:
        with _stubbed(stubs or {}):
            return import_module(module)
    except ImportError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"`{module}` cannot be imported ({error}): {INSTALL}", allow_module_level=True)


@contextmanager
def _stubbed(stubs: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Stand-ins, for as long as this lasts: others ask whether such a module is there."""
    before = {name: sys.modules.get(name) for name in stubs}
    for name, members in stubs.items():
        module = sys.modules[name] = ModuleType(name)
        vars(module).update(members)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@cache
def _declare_operators() -> torch.library.Library:
    """Tell torch the signatures of torchvision's compiled operators: its Python part registers shape rules
    for them, and its library brings them only where it was built for this very torch. They last as long as
    the object."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
