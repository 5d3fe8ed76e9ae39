"""What a document is of: files, their blocks in the order in which to read them, and who uses whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archc.lang.functions import FUNCTIONS
from archc.lang.project import Project
from archc.lang.schema import Block, File
from archc.lang.syntax import Call, Expr, Name, Step
from archc.lang.types import List, Operator, ParamType, Row
from archc.lang.walk import chains, walk
from archc.ops.base import Op
from archc.ops.extensions import load_extensions
from archc.ops.table import Operators
from archc.source.diagnostic import Report

Key = tuple[Path | None, str]
"""A block, whatever project it was read with: its file and its name."""


@dataclass(slots=True)
class Entry:
    """A block of the document. `uses` and `used_by` are blocks, in the document or not; `operators` the
    operators that it names, with their classes (None for a layer of `torch.nn`)."""

    block: Block
    key: Key
    uses: list[Key] = field(default_factory=list)
    used_by: list[Key] = field(default_factory=list)
    operators: dict[str, type[Op] | None] = field(default_factory=dict)


@dataclass(slots=True)
class Chapter:
    """A file of the document and its blocks."""

    file: File
    path: Path
    entries: list[Entry]


def gather(projects: Iterable[Project]) -> list[Chapter]:
    """The chapters of a document, one for each project's own file."""
    chapters = [_chapter(project) for project in projects]
    entries = {entry.key: entry for chapter in chapters for entry in chapter.entries}
    for entry in entries.values():
        for used in entry.uses:
            if used in entries and entry.key not in entries[used].used_by:
                entries[used].used_by.append(entry.key)
    return chapters


def _chapter(project: Project) -> Chapter:
    file = project.entry
    assert file is not None and file.path is not None
    operators = load_extensions(project, Report()).seen_by(file)
    entries = {block.name: _entry(block, project, operators) for block in file.blocks.values()}
    return Chapter(file, file.path, [entries[name] for name in reading_order(entries, file.path)])


def _entry(block: Block, project: Project, operators: Operators) -> Entry:
    entry = Entry(block, (block.file.path, block.name))
    for name in callees(block, project):
        other = project.block(block.file, name)
        if other is not None:
            key = (other.file.path, other.name)
            if key not in entry.uses and key != entry.key:
                entry.uses.append(key)
        elif name in operators or name.startswith("nn."):
            entry.operators.setdefault(name, operators.get(name))
    return entry


def reading_order(entries: Mapping[str, Entry], path: Path) -> list[str]:
    """The blocks of a file, each before those that it is made of."""
    inside = {
        name: [used for file, used in entry.uses if file == path and used in entries]
        for name, entry in entries.items()
    }
    users = {name: sum(name in used for used in inside.values()) for name in entries}
    found = [name for name in entries if users[name] == 0]
    for name in found:  # it grows on the way
        for used in inside[name]:
            users[used] -= 1
            if users[used] == 0:
                found.append(used)
    return found


def callees(block: Block, project: Project) -> Iterator[str]:
    """The names of blocks and operators that a block calls or has as defaults, nodes first.

    A name in call or step position is a node, else an `op` param, else a block, else an operator."""
    for node in block.nodes.values():
        for call in node.calls:
            yield from _called(call, block, project)
    for line in block.flow:
        for chain in chains(line):
            for step in chain.steps:
                if step.name.id not in block.nodes:
                    yield from _called(step, block, project)
            for argument in chain.arguments:
                yield from (
                    at.name.id
                    for at in walk(argument.value)
                    if isinstance(at, Call) and at.name.id not in FUNCTIONS
                )
    settings = [(name, param.default) for name, param in block.params.items()]
    settings += [item for preset in block.presets.values() for item in preset.values.items()]
    for name, value in settings:
        param = block.params.get(name)
        if value is not None and param is not None and holds_operator(param.type):
            yield from _operators(value, block, project)


def _called(call: Call | Step, block: Block, project: Project) -> Iterator[str]:
    """What is called, and the operators among its arguments."""
    name = call.name.id
    if not _is_param(name, block):
        yield name
    other = project.block(block.file, name)
    params = list(other.params.values()) if other is not None else []
    for place, argument in enumerate(call.arguments):
        at = [
            p
            for i, p in enumerate(params)
            if p.name == argument.name or (argument.name is None and i == place)
        ]
        if at and holds_operator(at[0].type):
            yield from _operators(argument.value, block, project)


def _operators(value: Expr, block: Block, project: Project) -> Iterator[str]:
    """The names in the value of a param of type `op`."""
    for at in walk(value):
        if isinstance(at, Call):
            yield from _called(at, block, project)
        elif isinstance(at, Name) and at.id not in _numbers(block):
            yield at.id


def _is_param(name: str, block: Block) -> bool:
    return name in block.params and isinstance(block.params[name].type, Operator)


def _numbers(block: Block) -> set[str]:
    return {*block.params, *block.let, *block.dims}


def holds_operator(type: ParamType) -> bool:
    """Is it a type of operators, or of lists or rows with operators in them?"""
    inner = type.items if isinstance(type, Row) else [type.item] if isinstance(type, List) else []
    return isinstance(type, Operator) or any(map(holds_operator, inner))
