"""Files that commands write: whole or not at all, and never over somebody else's."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from archc.cli.main import UsageError
from archc.source import written

SIGNED = re.compile(rb"\bby archc\b")
"""Every file that archc generates says so near its top: `Drawn by archc`, `Written by archc`."""


def check_target(path: Path, force: bool) -> None:
    """Raise UsageError where a file may not be written; to be called before the work is done."""
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file in it")
        if not path.parent.is_dir():
            raise UsageError(f"there is no folder {path.parent} to write {path.name} into")
        if path.is_file() and not force and not ours(path):
            raise UsageError(f"{path} exists and archc did not write it; --force overwrites it")
    except OSError as error:  # its name is too long, it may not be read
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def ours(path: Path) -> bool:
    """Did archc write this file? An empty one holds nothing to lose."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"PK"):
        return _signed_archive(path)
    return not head or SIGNED.search(head) is not None


def _signed_archive(path: Path) -> bool:
    """Is there a file `archc.json` in an archive, as in what `archc export` writes?"""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/extra/archc.json") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def write(path: Path, content: str | bytes, force: bool) -> None:
    """Write a file whole or not at all. Raises UsageError where it may not or cannot be written."""
    check_target(path, force)
    try:
        written.write(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None


def write_all(files: Mapping[Path, str | bytes], force: bool) -> None:
    """Write several files, all of them or none; those in folders that are missing make them. Raises
    UsageError where one may not or cannot be written."""
    for path in files:
        if path.exists():
            check_target(path, force)
    try:
        written.write_all(files)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}") from None
