"""The names of a block as the static checks see them: what each may stand for, and what was said."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable

from archc.lang.names import stored
from archc.lang.project import Project
from archc.lang.schema import Block, Param
from archc.lang.syntax import Name
from archc.lang.types import Operator
from archc.ops.base import Op
from archc.ops.table import Operators
from archc.source.diagnostic import Related, Report, did_you_mean
from archc.source.text import Span

MOST_COMPARED = 20_000
"""Names that are compared in search of what a misspelt one may mean."""


class Any_(enum.Enum):
    """Something of which nothing can be told before elaboration, or of which all has been told."""

    CALLEE = "callee"


ANY = Any_.CALLEE
Callee = type[Op] | Block | Param | Any_
"""What a name calls. A `Param` is an `op` param: what it holds is known in elaboration only."""


class Scope:
    """The names of one block, and which of them have been used."""

    def __init__(self, block: Block, project: Project, ops: Operators, report: Report) -> None:
        self.block = block
        self.project = project
        self.ops = ops
        self.report = report
        self.wrong = not block.whole
        self.numbers = {**dict.fromkeys(block.params, "param"), **dict.fromkeys(block.let, "let")}
        self.numbers.update(dict.fromkeys(block.dims, "free dimension"))
        self.values = {name.id: i for i, line in enumerate(block.flow) for name in line.names}
        self.stored = {name for name, node in block.nodes.items() if stored(node)}
        self.words = frozenset(word for param in block.params.values() for word in param.type.words)
        self.used: set[str] = set()
        """Numbers and inputs that an expression names."""
        self._callees: dict[str, Callee | None] = {}
        self._told: set[str] = set()
        self._compared = 0

    def error(
        self, code: str, message: str, span: Span, help: str | None = None, related: Iterable[Related] = ()
    ) -> None:
        self.wrong = True
        self.report.error(code, message, span, help=help, related=related)

    def is_number(self, name: str) -> bool:
        """Is it a number of the block, or an input's presence?"""
        return name in self.numbers or name in self.block.inputs

    def close(self, word: str, known: Iterable[str]) -> str | None:
        """The name that a word is spelled most like; None, too, once the search has cost enough."""
        candidates = list(dict.fromkeys(known))
        self._compared += len(candidates)
        return did_you_mean(word, candidates) if self._compared < MOST_COMPARED else None

    # What is called

    def callee(self, name: str) -> Callee | None:
        """What a name calls, nodes not counting: an `op` param, else a block, else an operator."""
        if name not in self._callees:
            self._callees[name] = self._find(name)
        return self._callees[name]

    def _find(self, name: str) -> Callee | None:
        param = self.block.params.get(name)
        if param is not None and isinstance(param.type, Operator):
            return param
        return self.beyond(name)

    def beyond(self, name: str) -> Callee | None:
        """What a name calls where the block's own params do not count: in the default of its own param."""
        found = self.project.block(self.block.file, name) or self.ops.get(name)
        if found is not None:
            return found
        if name in self.block.broken or name.startswith("nn.") or self.project.broken(self.block.file, name):
            return ANY
        return None if self.ops.whole else ANY

    def callables(self) -> Iterable[str]:
        """Every name that may be called where no node is."""
        yield from (p.name for p in self.block.params.values() if isinstance(p.type, Operator))
        yield from self.project.seen_by(self.block.file)
        yield from self.ops.names()

    # What nothing stands for

    def no_callee(self, name: Name, what: str, candidates: Iterable[str]) -> None:
        """Say once that a name calls nothing. `what` is what it should be."""
        if not self._first(name.id):
            return
        help: str | None = None
        if name.id in self.block.params:
            help = f"`{name.id}` is a param of type {self.block.params[name.id].type}, not an `op`"
        elif name.id in self.values or name.id in self.block.inputs:
            help = f"`{name.id}` is a value; values stand before the first `->` or in brackets"
        else:
            module = self.ops.elsewhere(name.id)
            close = self.close(name.id, candidates)
            help = f"did you mean `{close}`?" if close else _advice(name.id, what)
            if module is not None:
                help = f"it is an operator of `{module}`: add `ops: [{module}]` to this file"
        self.error("A250", f"there is no {what} `{name.id}`", name.span, help)

    def no_number(self, name: Name, others: Collection[str] = (), *, calls: bool = False) -> None:
        """Say once that an expression names what is not there. `others` are further names known here;
        `calls`: so are operators and blocks."""
        if not self._first(name.id):
            return
        if name.id in self.values:
            help = f"`{name.id}` is a value of the flow, known when the model runs; expressions hold numbers"
        elif name.id in self.block.nodes:
            help = f"`{name.id}` is a node; expressions hold params, lets, free dimensions and inputs"
        else:
            known = [*others, *self.numbers, *self.block.inputs, *self.words]
            block = (
                calls and name.id[0].isupper() and not name.id.isupper()
            )  # `BasicBlock`, as blocks are named
            close = self.close(name.id, known) or (self.close(name.id, self.callables()) if block else None)
            help = _advice(name.id, "block") if block else self._those(known)
            help = f"did you mean `{close}`?" if close else help
        self.error("A240", f"`{name.id}` is not defined", name.span, help)

    def no_value(self, name: Name) -> None:
        """Say once that an operand is not there."""
        if not self._first(name.id):
            return
        known = [*self.values, *self.block.inputs, *self.numbers, *self.stored]
        close = self.close(name.id, known)
        if name.id in self.block.nodes:
            help = f"`{name.id}` is a node: give it an input, `x -> {name.id}`"
        elif close:
            help = f"did you mean `{close}`?"
        elif self.callee(name.id) is not None:
            help = f"`{name.id}` is called: `x -> {name.id}`"
        else:
            help = self._those([*self.block.inputs, *self.values])
        self.error("A240", f"there is no value `{name.id}`", name.span, help)

    def _first(self, name: str) -> bool:
        """Is this the first complaint about a name? None is due where its part could not be read."""
        if name in self._told or name in self.block.broken:
            self.wrong = True
            return False
        self._told.add(name)
        return True

    @staticmethod
    def _those(names: Collection[str]) -> str | None:
        unique = list(dict.fromkeys(names))
        return "there are " + ", ".join(f"`{n}`" for n in unique) if 0 < len(unique) <= 8 else None


def _advice(name: str, what: str) -> str:
    """What to do about a name that calls nothing and is like no other."""
    if name[0].isupper():
        return f"write a block `{name}` in this file, or bring it with `use`"
    if what.startswith("node"):
        return f"add `{name}: ...` to `nodes`"
    return "a layer of torch.nn is called by its own name and arguments: `nn.Name(...)`"
