"""Writes files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from errno import EISDIR
from pathlib import Path


def write(path: Path, content: str | bytes) -> None:
    """Write a file beside its place first, then move it there: it is never there by half.

    A link stays one, and what it points to is written; a device or a pipe is written to. Raises
    OSError, which names `path`.
    """
    data = content.encode() if isinstance(content, str) else content
    # What a link points to is what is meant, and a link's own place may be another disk.
    target = path.resolve()
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)  # /dev/null must stay what it is
        else:
            _replace(target, data)
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None


def write_all(files: Mapping[Path, str | bytes]) -> None:
    """Write several files, all of them or none, and the folders that are to hold them.

    They appear in their order: one that refers to others comes last. Raises OSError, which names the
    file that cannot be written.
    """
    made: list[Path] = []
    staged: dict[Path, str] = {}
    path = Path()
    try:
        for path, content in files.items():
            target = path.resolve()
            _make_folder(target.parent, made)
            if target.is_dir():
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
            staged[target] = _staged(target, content.encode() if isinstance(content, str) else content)
        for path, name in list(staged.items()):
            os.replace(name, path)
            del staged[path]
    except BaseException as error:
        for name in staged.values():
            os.unlink(name)
        for folder in reversed(made):
            if not any(folder.iterdir()):
                folder.rmdir()
        if isinstance(error, OSError) and error.errno is not None:
            raise type(error)(error.errno, error.strerror, str(path)) from None
        raise


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder that is missing and those around it; they are added to `made`, the outer first."""
    if not folder.exists():
        _make_folder(folder.parent, made)
        folder.mkdir()
        made.append(folder)


def _replace(target: Path, data: bytes) -> None:
    name = _staged(target, data)
    try:
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _staged(target: Path, data: bytes) -> str:
    """Write data beside its place; where it is then."""
    import tempfile  # here, since a check writes nothing

    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode_of(target))
    except BaseException:
        os.unlink(name)
        raise
    return name


def mode_of(target: Path) -> int:
    """The rights of a file: those that it has, or that a new one gets."""
    return target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
