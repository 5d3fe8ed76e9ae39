"""What a spec file says, checked and in one shape: the pydantic models of files, blocks and nodes.

`archc.lang.load` makes them from the YAML tree. A field's `description` is what an error says
that it wants, and its `examples` what the help shows.
"""

# Without `from __future__ import annotations`: pydantic would compile each annotation from its text.

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_core import core_schema

from archc.lang.syntax import Call, Dots, Expr, Line, Name
from archc.lang.types import ParamType
from archc.source.text import Source, Span


class _Parsed:
    """Marks a field that the loader has parsed already, so that pydantic builds no validator for it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.any_schema()


T = TypeVar("T")
Parsed = Annotated[T, _Parsed()]
Text = Annotated[str, Field(description="a text")]


class Part(BaseModel):
    """A part of a spec and its place. Parts are compared by identity."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        arbitrary_types_allowed=True,
        defer_build=True,
        protected_namespaces=(),
    )

    span: Parsed[Span] = Field(repr=False)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class Named(Part):
    """A part with a name of its own; `name_span` is where the name is written."""

    name: str
    name_span: Parsed[Span] = Field(repr=False)


class Use(Part):
    """An entry of `use`: a file, or one block of it, perhaps under another name."""

    path: str
    block: str | None = None
    alias: str | None = None


class Param(Named):
    """`name: TYPE = DEFAULT`."""

    type: Parsed[ParamType]
    default: Parsed[Expr | None] = None
    doc: str | None = None


class Let(Named):
    value: Parsed[Expr]


class Require(Part):
    """`condition: message`."""

    condition: Parsed[Expr]
    message: str


class Input(Named):
    """`name: dtype[shape]?`. `shape` is None where nothing is said of it; `bundle` is None for a
    tensor, True for a bundle whose length comes from what is wired, else its length. `empty` are the
    free dimensions that are 0 where the input is absent, written `P = 0`."""

    shape: Parsed[tuple[Expr | Dots, ...] | None] = None
    empty: Parsed[tuple[str, ...]] = ()
    dtype: str = "float"
    optional: bool = Field(False, description="`true` or `false`", examples=["optional: true"])
    bundle: Parsed[Expr | bool | None] = None
    doc: str | None = None


class Repeat(Part):
    """`count as names`: a number of copies, or a list with an item for each copy."""

    count: Parsed[Expr]
    names: tuple[str, ...] = ()


class Node(Named):
    """A node: what it calls (`call`, or `choose` with its `cases`) and how it is arranged.

    The arguments of `with:` stand in `call` behind its own. A case's key is a literal or a word.
    """

    call: Parsed[Call | None] = None
    choose: Parsed[Expr | None] = None
    cases: Parsed[dict[bool | int | float | str | None, Call]] = Field(default_factory=dict)
    otherwise: Parsed[Call | None] = None
    when: Parsed[Expr | None] = None
    repeat: Parsed[Repeat | None] = None
    parallel: Parsed[Repeat | None] = None
    share: bool = Field(False, description="`true` or `false`", examples=["share: true"])
    preset: str | None = Field(None, description="the name of a preset", examples=["preset: small"])
    doc: str | None = None
    label: str | None = None
    link: str | None = None
    color: str | None = None
    case_spans: Parsed[dict[bool | int | float | str | None, Span]] = Field(default_factory=dict, repr=False)
    preset_span: Parsed[Span | None] = Field(None, repr=False)

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls that it may make: its own, or those of its cases in order, `else` last."""
        found = [self.call, *self.cases.values(), self.otherwise]
        return tuple(c for c in found if c is not None)


class OutputSpec(Named):
    """An output: its name and the value that it gives."""

    value: str
    value_span: Parsed[Span] = Field(repr=False)
    doc: str | None = None


class Group(Named):
    """A frame around nodes and lines."""

    of: tuple[str, ...]
    of_spans: Parsed[tuple[Span, ...]] = Field(repr=False)
    label: str | None = None
    collapsed: bool = Field(False, description="`true` or `false`", examples=["collapsed: true"])


class InitRule(Part):
    """How weights begin: those of the operators `ops` (all where empty) under the paths `at`."""

    ops: tuple[str, ...] = ()
    ops_spans: Parsed[tuple[Span, ...]] = Field((), repr=False)
    at: tuple[str, ...] = ()
    settings: Parsed[dict[str, Call]]


class Tie(Part):
    """Weight `a` becomes weight `b`, where `when` holds."""

    a: str
    b: str
    a_span: Parsed[Span] = Field(repr=False)
    b_span: Parsed[Span] = Field(repr=False)
    when: Parsed[Expr | None] = None


class Preset(Named):
    """Named settings of params and free dimensions."""

    values: Parsed[dict[str, Expr]]
    value_spans: Parsed[dict[str, Span]] = Field(repr=False)  # where each name is written


class Block(Named):
    """A block of a file."""

    doc: str | None = None
    link: str | None = None
    direction: Literal["TB", "BT", "LR", "RL"] | None = Field(
        None, description="`TB`, `BT`, `LR` or `RL`", examples=["direction: LR"]
    )
    params: Parsed[dict[str, Param]] = Field(default_factory=dict)
    let: Parsed[dict[str, Let]] = Field(default_factory=dict)
    require: Parsed[tuple[Require, ...]] = ()
    inputs: Parsed[dict[str, Input]] = Field(default_factory=dict)
    nodes: Parsed[dict[str, Node]] = Field(default_factory=dict)
    flow: Parsed[tuple[Line, ...]]
    outputs: Parsed[tuple[OutputSpec, ...] | None] = None
    groups: Parsed[dict[str, Group]] = Field(default_factory=dict)
    init: Parsed[tuple[InitRule, ...]] = ()
    tie: Parsed[tuple[Tie, ...]] = ()
    presets: Parsed[dict[str, Preset]] = Field(default_factory=dict)
    dims: tuple[str, ...] = ()  # its free dimensions, in the order in which its inputs name them
    checkpoints: Parsed[Any] = None  # the tree of the mapping, a mapping for each name

    _file: Any = PrivateAttr(None)
    _broken: frozenset[str] = PrivateAttr(frozenset())
    _whole: bool = PrivateAttr(True)
    _nameless: bool = PrivateAttr(False)

    @property
    def file(self) -> "File":
        return self._file

    @property
    def broken(self) -> frozenset[str]:
        """The names whose parts could not be read: that has been reported, and nobody else complains."""
        return self._broken

    @property
    def whole(self) -> bool:
        """Was all of it read without an error?"""
        return self._whole

    @property
    def nameless(self) -> bool:
        """Could one of its keys not be read, so that nobody knows which names it has?"""
        return self._nameless

    @property
    def empty(self) -> frozenset[str]:
        """The free dimensions that are 0 where the input that tells them is absent."""
        return frozenset(name for declared in self.inputs.values() for name in declared.empty)

    def tellers(self, dim: str) -> list[str]:
        """The inputs in whose shapes a free dimension stands alone."""
        return [
            declared.name
            for declared in self.inputs.values()
            if any(isinstance(item, Name) and item.id == dim for item in declared.shape or ())
        ]

    def belongs(self, file: "File") -> None:
        """Set the block's file, once it is made."""
        self._file = file

    def note_reading(self, broken: Iterable[str], whole: bool, nameless: bool) -> None:
        """Set how well the block could be read, once it is made."""
        self._broken = frozenset(broken)
        self._whole = whole
        self._nameless = nameless

    @property
    def address(self) -> str:
        return f"{self._file.source.name}#{self.name}"


class File(Part):
    """A spec file. `source.name` is its path as shown."""

    archc: Literal[1] = Field(description="the language's version, `1`", examples=["archc: 1"])
    doc: str | None = None
    use: Parsed[tuple[Use, ...]] = ()
    blocks: Parsed[dict[str, Block]] = Field(default_factory=dict)
    main: str | None = Field(None, description="the name of a block", examples=["main: Encoder"])
    ops: tuple[str, ...] = Field(
        (), description="a list of importable modules", examples=["ops: [my_package.ops]"]
    )
    ops_spans: Parsed[tuple[Span, ...]] = Field((), repr=False)
    source: Parsed[Source] = Field(repr=False)

    _broken: frozenset[str] = PrivateAttr(frozenset())
    _path: Path | None = PrivateAttr(None)

    @property
    def broken(self) -> frozenset[str]:
        """The names of blocks that could not be read."""
        return self._broken

    def set_broken(self, names: Iterable[str]) -> None:
        self._broken = frozenset(names)

    @property
    def path(self) -> Path | None:
        """The file, links followed; None for a text."""
        return self._path

    def set_path(self, path: Path | None) -> None:
        self._path = path

    @property
    def entry(self) -> Block | None:
        """The block taken when none is named: `main`, else the last."""
        if self.main is not None:
            return self.blocks.get(self.main)
        return next(reversed(self.blocks.values()), None)
