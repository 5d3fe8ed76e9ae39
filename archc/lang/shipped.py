"""Specs that come with archc, by names that hold wherever it is installed: `std:vision`, `zoo:text/gpt2`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from archc.source.data import data_folder
from archc.source.diagnostic import Report, did_you_mean
from archc.source.text import Span


class _Collection(NamedTuple):
    """What a prefix names: the files below a folder of `specs`."""

    folder: str
    called: str


COLLECTIONS = {"std:": _Collection("std", "archc's library"), "zoo:": _Collection(".", "the zoo")}


def is_shipped(name: str) -> bool:
    """Does a name speak of what comes with archc, rather than of a path?"""
    return name.startswith(tuple(COLLECTIONS))


def root() -> Path:
    """The folder that no `use` of a shipped spec leaves."""
    return data_folder("specs").resolve()


def without_prefix(path: str) -> str | None:
    """What to write where a path that is no file is the name of a shipped spec without `zoo:`."""
    return f"write `zoo:{path}`" if not os.path.exists(path) and path in _files(root()) else None


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.yaml")}


def shipped(name: str, report: Report, span: Span) -> Path | None:
    """The file of a shipped spec; None where there is none of that name, which is reported at `span`.

    >>> from archc.source.text import Source
    >>> report = Report()
    >>> span = Span(Source("address", "zoo:vq/nets"), 0, 11)
    >>> shipped("zoo:vq/nets", report, span).name
    'nets.yaml'
    """
    prefix = name[: name.index(":") + 1]
    wanted = name[len(prefix) :]
    folder = (root() / COLLECTIONS[prefix].folder).resolve()
    files = _files(folder)
    if wanted in files:
        return files[wanted]
    known = sorted(files)
    last = wanted.removesuffix(".yaml").rpartition("/")[2]
    close = [n for n in known if n.rpartition("/")[2] == last] or [did_you_mean(wanted, known)]
    help = " or ".join(f"`{prefix}{n}`" for n in close if n is not None)
    message = f"{COLLECTIONS[prefix].called} has no file `{wanted}`"
    report.error("A125", message, span, f"did you mean {help}?" if help else f"it holds {', '.join(known)}")
    return None
