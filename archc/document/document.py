"""The document of some specs: its text and the pictures beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archc.document.charts import Links, Picture, pictures
from archc.document.gather import Chapter, Entry, Key, gather
from archc.document.markdown import Anchors, code, line, link, prose
from archc.document.operators import operators_section, with_heading
from archc.document.sections import Addresses, Facts, block_section, contents_line
from archc.graph.compile import Result, check
from archc.graph.ir import Graph
from archc.ops.asked import Probe
from archc.ops.base import Op
from archc.source.data import data_folder
from archc.source.diagnostic import Diagnostic, SpecError


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is not written yet: `files` are texts by their paths, the document itself last.
    `diagnostics` are warnings about its specs."""

    files: dict[Path, str]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def text(self) -> str:
        """The document itself."""
        return list(self.files.values())[-1]

    def stale(self) -> dict[Path, str]:
        """The files that are not what would be written, and what they are: `stale` or `missing`."""
        found = {}
        for path, text in self.files.items():
            if not path.is_file():
                found[path] = "missing"
            elif path.read_bytes() != text.encode():
                found[path] = "stale"
        return found


def document(
    specs: Iterable[str | Path],
    target: str | Path,
    *,
    title: str | None = None,
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
    probe: Probe | None = None,
) -> Document:
    """The Markdown document of some spec files, to be written at `target`.

    The pictures go into the folder beside it that is named as it is, without its ending: those of
    `docs/nets.md` into `docs/nets/`. `title` is its heading; without one, the file's name. `root`, `ops` and
    `probe` are those of `archc.graph.compile.check`. Raises SpecError with every diagnostic, and DrawError
    where a chart cannot be drawn; ValueError where there are no files.
    """
    reader = _Reader(Path(target), root, tuple(ops), probe)
    results = [reader.file(path) for path in dict.fromkeys(Path(spec).resolve() for spec in specs)]
    if not results:
        raise ValueError("a document is of one spec or more, and none is given")
    return _Writer(reader, results, Path(target), title).document()


@dataclass(slots=True)
class _Reader:
    """Checks files and binds their blocks, for a document at `target`. `told` gathers what is found,
    each mistake once."""

    target: Path
    root: str | Path | None
    ops: tuple[Any, ...]
    probe: Probe | None
    own: set[Path] = field(default_factory=set)
    told: dict[str, Diagnostic] = field(default_factory=dict)

    def file(self, path: Path) -> Result:
        self.own.add(path)
        return self._noted(check(_shown(path), unbound=True, **self._options()))

    def outline(self, address: str) -> Graph | None:
        """A block with nothing bound."""
        result = self._noted(check(address, outline=True, **self._options()))
        for file in result.project.files:
            # Pictures tell where things are written: the same wherever the command runs.
            if file.path is not None:
                file.source.name = self.place(file.path)
        return result.graph

    def place(self, path: Path) -> str:
        """A file as seen from the document; of the library that ships with archc, as `use` names it."""
        if path.is_relative_to(data_folder("specs") / "std") and path not in self.own:
            return f"std:{path.stem}"
        return Path(os.path.relpath(path, self.target.resolve().parent)).as_posix()

    def bound(self, address: str) -> Graph | None:
        """A block with its defaults or a preset; None where numbers are missing."""
        return check(address, unbound=True, **self._options()).graph

    def _options(self) -> dict[str, Any]:
        return {"root": self.root, "ops": self.ops, "probe": self.probe}

    def _noted(self, result: Result) -> Result:
        warnings = [found for found in result.diagnostics if found.severity == "warning"]
        self.told |= {f"{found.span} {found.message}": found for found in warnings}
        if not result.ok:
            raise SpecError(result.diagnostics)
        return result


def _shown(path: Path) -> str:
    """A file as a message shows it: from the current folder where it is in it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


class _Writer:
    """Puts a document together."""

    def __init__(self, reader: _Reader, results: Sequence[Result], target: Path, title: str | None) -> None:
        self.reader = reader
        self.target = target
        self.chapters = gather([result.project for result in results])
        self.entries = {entry.key: entry for chapter in self.chapters for entry in chapter.entries}
        self.operators: dict[str, type[Op] | None] = {}
        for entry in self.entries.values():
            self.operators |= entry.operators
        self.operators = dict(sorted(self.operators.items()))
        self.names = _file_names([chapter.path for chapter in self.chapters])
        one = len(self.chapters) == 1
        self.title = title or (self.names[self.chapters[0].path] if one else target.stem)
        self.marks = "##" if one else "###"
        self._set_anchors(one)
        self.pictures = _picture_names(self.chapters)

    def _set_anchors(self, one: bool) -> None:
        """The address of every heading, in the order in which the document has them."""
        anchors = Anchors()
        anchors.add(self.title)
        self.file_anchors: dict[Path, str] = {}
        self.block_anchors: dict[Key, str] = {}
        for chapter in self.chapters:
            if not one:
                self.file_anchors[chapter.path] = anchors.add(self.names[chapter.path])
            for entry in chapter.entries:
                self.block_anchors[entry.key] = anchors.add(entry.block.name)
        self.operators_anchor = anchors.add("Operators")
        self.operator_anchors = {
            name: anchors.add(name) for name, cls in self.operators.items() if with_heading(cls)
        }

    def document(self) -> Document:
        folder = self.target.with_suffix("")
        drawn: list[Picture] = []
        parts = [self._head(), self._contents()]
        for chapter in self.chapters:
            parts += self._chapter(chapter, drawn)
        if self.operators:
            parts.append(f"{self.marks[:-1] if len(self.chapters) > 1 else '##'} Operators")
            parts.append(operators_section(self.operators, self._users(), "###"))
        files = {folder / f"{picture.name}.svg": picture.svg for picture in drawn}
        files[self.target] = "\n\n".join(part for part in parts if part) + "\n"
        return Document(files, tuple(self.reader.told.values()))

    def _head(self) -> str:
        names = ", ".join(self.names.values()).replace("--", "- -")
        first = (
            f"<!-- Written by archc docs from {names}. Do not edit: change the specs and write it again. -->"
        )
        parts = [first, f"# {line(self.title)}"]
        if len(self.chapters) == 1:
            parts += _introduction(self.chapters[0], self.reader.place(self.chapters[0].path))
        return "\n\n".join(parts)

    def _contents(self) -> str:
        lines = []
        for chapter in self.chapters:
            deep = len(self.chapters) > 1
            if deep:
                name, doc = self.names[chapter.path], chapter.file.doc
                lines.append(contents_line(name, self.file_anchors[chapter.path], doc, 0))
            for entry in chapter.entries:
                block = entry.block
                lines.append(contents_line(block.name, self.block_anchors[entry.key], block.doc, int(deep)))
        if self.operators:
            named = ", ".join(link(name, anchor) for name, anchor in self.operator_anchors.items())
            lines.append(f"- {link('Operators', self.operators_anchor)}" + (f": {named}" if named else ""))
        return "\n".join(lines)

    def _chapter(self, chapter: Chapter, drawn: list[Picture]) -> Iterator[str]:
        source = self.reader.place(chapter.path)
        if len(self.chapters) > 1:
            yield f"## {line(self.names[chapter.path])}"
            yield from _introduction(chapter, source)
        addresses = Addresses(self.block_anchors, self.operator_anchors, source)
        for entry in chapter.entries:
            facts = self._facts(entry)
            drawn += facts.pictures
            yield f"{self.marks} {entry.block.name}"
            yield block_section(entry, facts, addresses)

    def _facts(self, entry: Entry) -> Facts:
        block = entry.block
        address = f"{_shown(self._path(entry))}#{block.name}"
        graph = self.reader.outline(address)
        presets = {name: self.reader.bound(f"{address}@{name}") for name in block.presets}
        document = f"../{self.target.name}"
        drawn = (
            [] if graph is None else pictures(graph, self.pictures[entry.key], self._links(entry), document)
        )
        return Facts(graph, presets, drawn, self.target.stem)

    def _links(self, entry: Entry) -> Links:
        """The sections of all that a block is made of, at every depth, by the names in its charts."""
        found: dict[str, str] = {}
        waiting = list(entry.uses)
        for key in waiting:  # it grows on the way
            if key in self.block_anchors:
                found.setdefault(key[1], self.block_anchors[key])
                waiting += [used for used in self.entries[key].uses if used not in waiting]
        for name, anchor in self.operator_anchors.items():
            cls = self.operators[name]
            assert cls is not None
            found[name] = found[cls.title()] = anchor
        return found

    def _users(self) -> dict[str, list[str]]:
        """Links to the blocks that name each operator."""
        return {
            name: [
                link(key[1], self.block_anchors[key])
                for key, entry in self.entries.items()
                if name in entry.operators
            ]
            for name in self.operators
        }

    def _path(self, entry: Entry) -> Path:
        return next(chapter.path for chapter in self.chapters if entry in chapter.entries)


def _introduction(chapter: Chapter, source: str) -> list[str]:
    """What a file says of itself, and where it is."""
    uses = [code(use.path + (f"#{use.block}" if use.block else "")) for use in chapter.file.use]
    said = link(code(source.rsplit("/", 1)[-1]), source) + (f" uses {', '.join(uses)}" if uses else "")
    return [prose(chapter.file.doc or ""), said]


def _file_names(paths: Sequence[Path]) -> dict[Path, str]:
    """What files are called: by name, or by their way from the folder they share where names are alike."""
    if len({path.name for path in paths}) == len(paths):
        return {path: path.name for path in paths}
    shared = os.path.commonpath([path.parent for path in paths])
    return {path: path.relative_to(shared).as_posix() for path in paths}


def _picture_names(chapters: Iterable[Chapter]) -> dict[Key, str]:
    """The names of pictures without their ending: the block's, with the file's where two are alike also
    but for upper and lower case."""
    found: dict[Key, str] = {}
    taken: set[str] = set()
    for chapter in chapters:
        for entry in chapter.entries:
            plain = name = entry.block.name
            number = 1
            while name.lower() in taken:
                name = f"{chapter.path.stem}-{plain}" + (f"-{number}" if number > 1 else "")
                number += 1
            taken.add(name.lower())
            found[entry.key] = name
    return found
