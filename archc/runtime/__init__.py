"""The home of torch: generated source as a module, ready to run, with its weights.

What is named here is imported when it is first asked for: blocks are compiled, and exported files are
opened, with torch alone.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archc.runtime.build import build_module
    from archc.runtime.exporting.export import export
    from archc.runtime.exporting.opened import open_exported
    from archc.runtime.load import load
    from archc.runtime.saving import save_weights
    from archc.runtime.weights import load_weights

__all__ = ["build_module", "export", "load", "load_weights", "open_exported", "save_weights"]

_HOMES = {
    "build_module": "archc.runtime.build",
    "export": "archc.runtime.exporting.export",
    "load": "archc.runtime.load",
    "load_weights": "archc.runtime.weights",
    "open_exported": "archc.runtime.exporting.opened",
    "save_weights": "archc.runtime.saving",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archc.runtime' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


class _Package(ModuleType):
    """Keeps `archc.runtime.load` the function: importing the module of that name would bind it here."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
