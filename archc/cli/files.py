"""Files that commands write: whole or not at all, and never over somebody else's."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from archc.cli.main import UsageError

SIGNED = re.compile(rb"\bby archc\b")
"""Every file that archc generates says so near its top: `Drawn by archc`, `Written by archc`."""


def check_target(path: Path, force: bool) -> None:
    """Raise UsageError where a file may not be written; to be called before the work is done."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into")
    if path.exists() and not force and not ours(path):
        raise UsageError(f"{path} exists and archc did not write it; --force overwrites it")


def ours(path: Path) -> bool:
    """Did archc write this file? An empty one holds nothing to lose."""
    with path.open("rb") as file:
        head = file.read(4096)
    return not head or SIGNED.search(head) is not None


def write(path: Path, content: str | bytes, force: bool) -> None:
    """Write a file whole or not at all: beside its place first, then moved there."""
    check_target(path, force)
    data = content.encode() if isinstance(content, str) else content
    # What a link points to is what is meant, and a link's own place may be another disk.
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
