"""archc: a compiler for declarative neural network architectures.

A spec is a YAML file that reads like a chart. `check` tells what is wrong with one, `graph` is
what it says once its numbers are bound, `draw` draws it, `docs` writes a document of it, `source`
is its PyTorch module and `load` is that module, ready to run.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from archc.api import check, docs, draw, graph, read, source, summary, text
    from archc.graph.compile import Result
    from archc.graph.ir import Graph
    from archc.ops.user import op
    from archc.ops.user_initialisers import initialiser
    from archc.runtime.exporting.export import export
    from archc.runtime.exporting.opened import open_exported
    from archc.runtime.load import load
    from archc.runtime.saving import save_weights
    from archc.runtime.weights import load_weights
    from archc.source.diagnostic import Diagnostic, SpecError

__all__ = [
    "Diagnostic",
    "Graph",
    "Result",
    "SpecError",
    "check",
    "docs",
    "draw",
    "export",
    "graph",
    "initialiser",
    "load",
    "load_weights",
    "op",
    "open_exported",
    "read",
    "save_weights",
    "source",
    "summary",
    "text",
]

# Where each public name lives. It is imported when it is first asked for, so that `import archc`
# costs nothing and checking a spec never loads torch.
_HOMES = {
    "Diagnostic": "archc.source.diagnostic",
    "Graph": "archc.graph.ir",
    "Result": "archc.graph.compile",
    "SpecError": "archc.source.diagnostic",
    "export": "archc.runtime.exporting.export",
    "initialiser": "archc.ops.user_initialisers",
    "load": "archc.runtime.load",
    "load_weights": "archc.runtime.weights",
    "op": "archc.ops.user",
    "open_exported": "archc.runtime.exporting.opened",
    "save_weights": "archc.runtime.saving",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'archc' has no attribute {name!r}")
    if name != "open_exported":  # which starts with torch alone
        importlib.import_module("archc.api")  # what is given shows itself in notebooks, by what stands there
    value = getattr(importlib.import_module(_HOMES.get(name, "archc.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _Package(ModuleType):
    """Keeps `archc.graph`, `archc.source` and `archc.draw` the public functions.

    They share their names with subpackages, and importing a subpackage binds its name in the
    package that holds it. The subpackages are reached by `from archc.graph.ir import ...`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name in __all__ and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
