"""The modules of operators that specs name: loading them, and which file sees what.

They are code. Only those are imported that a file names and the caller allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from archc.lang.project import Project
from archc.lang.schema import File
from archc.ops.base import Declared, Op
from archc.ops.table import INITIALISERS, TABLE, Operators
from archc.source.diagnostic import Report
from archc.source.text import Span

if TYPE_CHECKING:
    from archc.ops.initialisers import Initialiser

MARK = "__archc__"
"""The attribute of a function or class that `archc.ops.user` makes an operator."""

_PACKAGE = str(Path(__file__).resolve().parents[1])


@dataclass(slots=True)
class Extension:
    """What one module declares."""

    operators: dict[str, type[Op]] = field(default_factory=dict)
    initialisers: dict[str, type[Initialiser]] = field(default_factory=dict)


class Extensions:
    """The modules of a project, each loaded once; None for one that could not be."""

    def __init__(self, modules: Mapping[str, Extension | None] | None = None) -> None:
        self._modules = dict(modules or {})
        self._seen: dict[tuple[str, ...], Operators] = {}

    def seen_by(self, file: File) -> Operators:
        """The operators and initialisers that a file may use."""
        if file.ops not in self._seen:
            found = [self._modules.get(name) for name in file.ops]
            operators = {n: o for e in found if e for n, o in e.operators.items()}
            initialisers = {n: i for e in found if e for n, i in e.initialisers.items()}
            self._seen[file.ops] = Operators(
                operators, initialisers, whole=None not in found, elsewhere=self._offering
            )
        return self._seen[file.ops]

    def _offering(self, name: str) -> str | None:
        """The module that has an operator of this name."""
        return next((m for m, e in self._modules.items() if e and name in e.operators), None)


def load_extensions(project: Project, report: Report) -> Extensions:
    """Import the modules that the files of a project name and the caller allows.

    What is wrong with one is reported where a file names it."""
    found: dict[str, Extension | None] = {}
    homes: dict[str, str] = {}
    for name, span in project.ops.items():
        found[name] = None
        if name not in project.allowed:
            continue  # that has been reported
        allowed = project.allowed[name]
        module = _imported(name, span, report) if isinstance(allowed, str) else allowed
        if module is None:
            continue
        extension = declared_by(module)
        if _fits(name, extension, homes, span, report):
            found[name] = extension
            homes |= dict.fromkeys((*extension.operators, *extension.initialisers), name)
    for file in project.files:
        _check_inputs(file, report)
    return Extensions(found)


def _check_inputs(file: File, report: Report) -> None:
    """An input would hide the module in the built code, where both have their names."""
    modules = {name.partition(".")[0]: name for name in file.ops}
    for block in file.blocks.values():
        for name in sorted(block.inputs.keys() & modules.keys()):
            message = f"the input `{name}` hides the module `{modules[name]}` in the built code"
            report.error("A128", message, block.inputs[name].name_span, help="give it another name")


def declared_by(module: ModuleType) -> Extension:
    """What a module declares, or brings from others."""
    from archc.ops.initialisers import Initialiser

    found = Extension()
    for value in vars(module).values():
        made = getattr(value, "__dict__", {}).get(MARK)
        if not (isinstance(made, type) and issubclass(made, Declared)):
            continue
        if issubclass(made, Initialiser):
            found.initialisers[made.title()] = made
        elif issubclass(made, Op):
            found.operators[made.title()] = made
    return found


def _imported(name: str, span: Span, report: Report) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is not None and (name == missing.name or name.startswith(missing.name + ".")):
            help = "it must be importable: installed, beside the working folder's files, or on PYTHONPATH"
            report.error("A126", f"there is no Python module `{name}`", span, help=help)
            return None
        _failed(name, missing, span, report)
    except (Exception, SystemExit) as error:  # it is somebody's code, and may fail as it likes
        _failed(name, error, span, report)
    return None


def _failed(name: str, error: BaseException, span: Span, report: Report) -> None:
    """Tell how a module failed, and where: in the last of its own lines."""
    import traceback  # here, since few modules fail

    told = f"{type(error).__name__}: {error}".splitlines()[0]
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_ours(f.filename)]
    where = f"at line {frames[-1].lineno} of {frames[-1].filename}" if frames else None
    report.error("A126", f"`{name}` cannot be loaded: {told}", span, help=where)


def _is_ours(filename: str) -> bool:
    return filename.startswith(("<frozen", _PACKAGE)) or filename.endswith("/importlib/__init__.py")


def _fits(name: str, extension: Extension, homes: Mapping[str, str], span: Span, report: Report) -> bool:
    """Tell what makes a module useless: nothing in it, or names that are taken."""
    if not extension.operators and not extension.initialisers:
        help = "mark functions and classes in it with `@archc.op` or `@archc.initialiser`"
        report.error("A126", f"`{name}` declares no operators", span, help=help)
        return False
    clashes = list(_clashes(extension, homes))
    for what, owner in clashes:
        message = f"`{what}` of `{name}` has the name of an operator or initialiser of {owner}"
        report.error("A127", message, span, help=f'rename it: `@archc.op(name="own_{what}")`')
    return not clashes


def _clashes(extension: Extension, homes: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for what in (*extension.operators, *extension.initialisers):
        if what in (TABLE if what in extension.operators else INITIALISERS):
            yield what, "archc's own"
        elif what in homes:
            yield what, f"`{homes[what]}`"
