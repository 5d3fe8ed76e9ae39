"""A spec file and all the files that it uses, each read once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from archc.lang.circle import check_circles
from archc.lang.load import load
from archc.lang.schema import Block, File, Use
from archc.lang.shipped import is_shipped, shipped, without_prefix
from archc.lang.shipped import root as library_root
from archc.source import files
from archc.source.diagnostic import Related, Report, did_you_mean
from archc.source.notebook import Shown
from archc.source.text import Source, Span

Entry = str | Path | Source | Mapping[str, Any]

_MARKS = ("pyproject.toml", ".git")


@dataclass(slots=True)
class _Scope:
    """What a file sees: blocks by name, where each name comes from, and names of what could not be
    read. `whole` is false where a used file could not be read at all."""

    blocks: dict[str, Block] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    whole: bool = True


class Project(Shown):
    """The files that an entry needs, and which names their blocks have in each.

    `entry` is a path (`-`: standard input), the name of a shipped spec (`zoo:text/gpt2`), a `Source`, or a
    spec as a dict. `root` is the folder that no `use` may leave: without it, the nearest folder above the
    entry that holds `pyproject.toml` or `.git`, else the entry's own. `allow_ops` are the operator modules
    that the caller lets run, by name or as modules: `allowed` has them by their names.

    Mistakes go to `report`; `project.entry` is None where nothing of the entry can be read.
    """

    def __init__(
        self,
        entry: Entry,
        root: str | Path | None = None,
        report: Report | None = None,
        allow_ops: Iterable[Any] = (),
    ) -> None:
        self.report = Report() if report is None else report
        self._files: dict[Path | None, File | None] = {}  # None: it could not be read
        self._uses: dict[int, list[tuple[Use, Path | None]]] = {}
        self._library: Path | None = None  # its folder, where something of it is used
        self._waiting: deque[tuple[Path, Span]] = deque()
        self.entry = self._read_entry(entry, root)
        while self._waiting:
            self._read_used(*self._waiting.popleft())
        self._scopes = {id(file): self._scope(file) for file in self.files}
        check_circles(self, self.report)
        self.allowed = {m if isinstance(m, str) else m.__name__: m for m in allow_ops}
        self._check_ops()

    def __repr__(self) -> str:
        name = self.entry.source.name if self.entry else "unreadable"
        return f"<Project {name}: {len(self.files)} files, {sum(1 for _ in self.blocks)} blocks>"

    @property
    def files(self) -> list[File]:
        """All files that could be read, the entry first."""
        return [file for file in self._files.values() if file is not None]

    @property
    def blocks(self) -> Iterable[Block]:
        """All blocks of all files."""
        return (block for file in self.files for block in file.blocks.values())

    def block(self, file: File, name: str) -> Block | None:
        """The block that a name stands for in a file: one of its own, or one that it uses."""
        return self._scopes[id(file)].blocks.get(name)

    def seen_by(self, file: File) -> Mapping[str, Block]:
        """All blocks that a file sees, by their names in it."""
        return self._scopes[id(file)].blocks

    def broken(self, file: File, name: str) -> bool:
        """May a name be that of a block that could not be read? That has been reported."""
        scope = self._scopes[id(file)]
        return name in scope.broken or (not scope.whole and name[:1].isupper())

    @property
    def ops(self) -> dict[str, Span]:
        """The modules of operators that the files want, and where each is named first."""
        found: dict[str, Span] = {}
        for file in self.files:
            for name, span in zip(file.ops, file.ops_spans, strict=True):
                found.setdefault(name, span)
        return found

    # Reading

    def _read_entry(self, entry: Entry, root: str | Path | None) -> File | None:
        source: Source | None
        at: Path | None = None
        if isinstance(entry, Source):
            source = files.checked(entry.text, entry.name, self.report)
        elif isinstance(entry, Mapping):
            source = self._written(entry)
        elif isinstance(entry, str) and is_shipped(entry):
            at = self._shipped(entry, Span(Source("address", entry), 0, len(entry)))
            root = library_root() if root is None else root
            source = None if at is None else files.read(_shown(at), self.report)
        else:
            source = files.read(entry, self.report, instead=without_prefix(str(entry)))
            at = None if str(entry) == "-" or source is None else Path(entry).resolve()
        folder = Path.cwd() if at is None else at.parent
        self.root = _root(folder) if root is None else Path(root).resolve()
        return None if source is None else self._load(source, at)

    def _written(self, spec: Mapping[str, Any]) -> Source | None:
        """A spec given as a dict, as text, so that every error has a place."""
        import yaml

        try:
            # Lists go on lines of their own: of others the text between the brackets is an expression.
            text = yaml.safe_dump(
                dict(spec), sort_keys=False, default_flow_style=False, allow_unicode=True, width=10**6
            )
        except yaml.representer.RepresenterError as error:
            kind = type(error.args[1]).__name__ if len(error.args) > 1 else "something else"
            message = f"a spec holds texts, numbers, lists and mappings, not {kind}"
            self.report.error("A103", message, None, help='write an operator as text: "conv2d(64, 3)"')
            return None
        return files.checked(text, "<dict>", self.report)

    def _load(self, source: Source, at: Path | None) -> File | None:
        file = self._files[at] = load(source, self.report)
        if file is not None:
            file.set_path(at)
            uses = self._uses[id(file)] = [(use, self._resolve(file, use)) for use in file.use]
            self._waiting.extend((path, use.span) for use, path in uses if path is not None)
        return file

    def _read_used(self, path: Path, span: Span) -> None:
        if path in self._files:
            return
        self._files[path] = None
        source = files.read(_shown(path), self.report, span, instead=without_prefix(span.text))
        if source is not None:
            self._load(source, path)

    def _resolve(self, file: File, use: Use) -> Path | None:
        """The file that an entry of `use` names, links followed; None, reported, where it may not be
        used."""
        if is_shipped(use.path):
            return self._shipped(use.path, use.span)
        folder, root = Path.cwd(), self.root
        if file.path is not None:
            folder = file.path.parent
            if self._library is not None and file.path.is_relative_to(self._library):
                root = self._library
        if PurePosixPath(use.path).is_absolute() or PureWindowsPath(use.path).anchor or ":" in use.path:
            message = f"`{use.path}` is no path relative to this file"
            self.report.error("A121", message, use.span, help="write `./blocks.yaml`")
            return None
        try:
            path = (folder / use.path).resolve()
        except (OSError, ValueError, RuntimeError):
            self.report.error("A121", f"`{use.path}` is no path of a file", use.span)
            return None
        if not path.is_relative_to(root):
            message = f"`{use.path}` leaves the folder `{root}`"
            help = "move the file into it, or give a folder that holds both: `--root`"
            self.report.error("A121", message, use.span, help=help)
            return None
        return path

    def _shipped(self, name: str, span: Span) -> Path | None:
        self._library = library_root()
        return shipped(name, self.report, span)

    # Names

    def _scope(self, file: File) -> _Scope:
        scope = _Scope(broken=set(file.broken))
        for block in file.blocks.values():
            scope.blocks[block.name], scope.places[block.name] = block, block.name_span
        for use, path in self._uses[id(file)]:
            used = None if path is None else self._files.get(path)
            if used is not None:
                self._bring(scope, use, used)
            elif use.block is not None:
                scope.broken.add(use.alias or use.block)
            else:
                scope.whole = False
        return scope

    def _bring(self, scope: _Scope, use: Use, used: File) -> None:
        """Add what an entry of `use` brings to a file's names."""
        if use.block is None:
            scope.broken |= used.broken
            brought = dict(used.blocks)
        elif use.block in used.blocks:
            brought = {use.alias or use.block: used.blocks[use.block]}
        else:
            scope.broken.add(use.alias or use.block)
            if use.block not in used.broken:
                close = did_you_mean(use.block, used.blocks)
                help = f"did you mean `{close}`?" if close else f"it has {', '.join(used.blocks)}"
                message = f"`{use.path}` has no block `{use.block}`"
                self.report.error("A122", message, use.span, help=help)
            return
        for name, block in brought.items():
            if scope.blocks.setdefault(name, block) is block:
                scope.places.setdefault(name, use.span)
                continue
            self.report.error(
                "A123",
                f"`{use.path}` brings a second block `{name}`",
                use.span,
                help=f"give it another name: `{{Other{name}: {use.path}#{block.name}}}`",
                related=[Related(scope.places[name], "the first comes from here")],
            )

    def _check_ops(self) -> None:
        for name, span in self.ops.items():
            if name not in self.allowed:
                help = (
                    f'it is code that runs: allow it with `--allow-ops {name}`, or `ops=["{name}"]` in Python'
                )
                message = f"the spec wants operators of the Python module `{name}`"
                self.report.error("A118", message, span, help=help)


def _root(folder: Path) -> Path:
    """The nearest folder, from this one up, that is a project's; else this one."""
    for at in (folder, *folder.parents):
        if any(os.path.exists(at / mark) for mark in _MARKS):
            return at
    return folder


def _shown(path: Path) -> Path:
    """A path as errors show it: from the working folder where it lies below."""
    here = Path.cwd()
    return Path(os.path.relpath(path, here)) if path.is_relative_to(here) else path
