"""The sections of a document: a file, a block, and the tables that they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from archc.document.charts import Picture
from archc.document.gather import Entry, Key
from archc.document.markdown import code, fence, first_sentence, line, link, prose, table
from archc.graph.ir import Graph
from archc.lang import printing
from archc.lang.schema import Block, Node, Repeat
from archc.lang.syntax import Call, Dots, Expr
from archc.report.cost import Costs
from archc.report.summary import shape_text
from archc.source import tree

WIDEST_NAME = 24
"""Names of lines up to this width are put into a column."""


@dataclass(slots=True)
class Facts:
    """What a block's section tells beside the spec's text: its graph with nothing bound, those of its
    presets (None where a preset leaves numbers open), its pictures and where they lie."""

    graph: Graph | None
    presets: Mapping[str, Graph | None]
    pictures: list[Picture]
    folder: str


@dataclass(slots=True)
class Addresses:
    """Where things stand in the document: blocks by key, operators by name, `source` the spec's file."""

    blocks: Mapping[Key, str]
    operators: Mapping[str, str]
    source: str

    def block(self, key: Key) -> str:
        """A block's name, linked where the document tells of it."""
        return link(key[1], self.blocks[key]) if key in self.blocks else code(key[1])


def block_section(entry: Entry, facts: Facts, addresses: Addresses) -> str:
    """All that a document says of a block, but for its heading."""
    block = entry.block
    parts = [
        prose(block.doc or ""),
        _around(entry, addresses),
        _charts(facts),
        _params(block),
        _inputs(block),
        _outputs(block, facts.graph),
        _requirements(block),
        _nodes(entry, addresses),
        _formula(block),
        _presets(block, facts),
        _weights(block),
    ]
    return "\n\n".join(part for part in parts if part)


def _around(entry: Entry, addresses: Addresses) -> str:
    """What a block is made of, where it is used, and where it is written."""
    said = []
    if entry.uses:
        said.append("Made of " + ", ".join(map(addresses.block, entry.uses)))
    if entry.used_by:
        said.append("used in " + ", ".join(map(addresses.block, entry.used_by)))
    span = entry.block.name_span
    shown = f"{addresses.source.rsplit('/', 1)[-1]}:{span.line}"
    said.append(link(code(shown), f"{addresses.source}#L{span.line}"))
    text = " · ".join(said)
    return text[:1].upper() + text[1:]


def _charts(facts: Facts) -> str:
    """The picture, and folded behind it the same chart as text and those of the parts."""
    if not facts.pictures:
        return ""
    whole, *parts = facts.pictures
    found = [_image(whole, facts.folder), "<details>\n<summary>The chart as mermaid, with links</summary>"]
    found += [fence(whole.mermaid, "mermaid"), "</details>"]
    for part in parts:
        found.append(f"<details>\n<summary>Chart of the part <b>{escape(part.part)}</b></summary>")
        found += [_image(part, facts.folder), fence(part.mermaid, "mermaid"), "</details>"]
    return "\n\n".join(found)


def _image(picture: Picture, folder: str) -> str:
    """A picture that leads to its file, where its own links work."""
    address = f"{folder}/{picture.name}.svg"
    alt = line(picture.alt).replace("[", "\\[").replace("]", "\\]")
    return link(f"!{link(alt, address)}", address)


def _params(block: Block) -> str:
    rows = [
        [
            code(param.name),
            code(param.type),
            "" if param.default is None else code(printing.text(param.default)),
            line(param.doc or ""),
        ]
        for param in block.params.values()
    ]
    return table(["param", "type", "default", ""], rows, keep=2) if rows else ""


def _inputs(block: Block) -> str:
    rows = []
    for spec in block.inputs.values():
        if spec.bundle is None:
            shape = code(shape_expression(spec.shape))
        else:
            length = "" if spec.bundle is True else f" of {code(printing.text(spec.bundle))}"  # type: ignore[arg-type]
            shape = f"a bundle{length}" + (
                f", each {code(shape_expression(spec.shape))}" if spec.shape else ""
            )
        rows.append([code(spec.name), shape, code(spec.dtype), "yes" * spec.optional, line(spec.doc or "")])
    return table(["input", "shape", "dtype", "optional", ""], rows, keep=3) if rows else ""


def shape_expression(shape: tuple[Expr | Dots, ...] | None) -> str:
    """A shape as a spec writes it."""
    return "any" if shape is None else f"[{', '.join(map(printing.text, shape))}]"


def _outputs(block: Block, graph: Graph | None) -> str:
    docs = {output.name: output.doc for output in block.outputs or ()}
    rows = []
    for name in docs or _last_line(block):
        ref = graph.outputs.get(name) if graph is not None else None
        type_ = None if graph is None or ref is None else graph.type(ref)
        shape, dtype = shape_text(type_), str(getattr(type_, "dtype", ""))
        shape = shape[shape.find("[") :] if dtype and "[" in shape else shape
        may_miss = graph is not None and ref is not None and graph.node(ref).outputs[ref.out].open
        rows.append(
            [
                code(name),
                code(shape) if shape else "",
                code(dtype) if dtype else "",
                "yes" * may_miss,
                line(docs.get(name) or ""),
            ]
        )
    return table(["output", "shape", "dtype", "may be absent", ""], rows)


def _last_line(block: Block) -> list[str]:
    """The outputs of a block that names none: the values of its last line."""
    return [name.id for name in block.flow[-1].names] if block.flow else []


def _requirements(block: Block) -> str:
    return "\n".join(
        f"- It needs {code(printing.text(require.condition))}: {line(require.message)}"
        for require in block.require
    )


def _nodes(entry: Entry, addresses: Addresses) -> str:
    rows = [
        [
            code(node.name),
            _is(node, entry, addresses),
            "" if node.when is None else code(printing.text(node.when)),
            _copies(node),
            line(node.doc or ""),
        ]
        for node in entry.block.nodes.values()
    ]
    return table(["node", "is", "only when", "copies", ""], rows, keep=2) if rows else ""


def _is(node: Node, entry: Entry, addresses: Addresses) -> str:
    """What a node calls; of one that chooses, each case."""
    if node.call is not None:
        shown = _call(node.call, entry, addresses)
        return shown + (f" with preset {code(node.preset)}" if node.preset else "")
    assert node.choose is not None
    cases = [
        f"{code(case if isinstance(case, str) else printing.literal(case))}: {_call(call, entry, addresses)}"
        for case, call in node.cases.items()
    ]
    if node.otherwise is not None:
        cases.append(f"else: {_call(node.otherwise, entry, addresses)}")
    return f"by {code(printing.text(node.choose))}: " + "; ".join(cases)


def _call(call: Call, entry: Entry, addresses: Addresses) -> str:
    """A call as code, linked to what it calls."""
    text = printing.text(call).removesuffix("()")
    name = call.name.id
    used = next((key for key in entry.uses if key[1] == name), None)
    address = addresses.operators.get(name) if name in entry.operators else None
    if used is not None and name not in entry.block.params:
        address = addresses.blocks.get(used)
    return link(code(text), address) if address else code(text)


def _copies(node: Node) -> str:
    for word, repeat in (("", node.repeat), ("parallel ", node.parallel)):
        if repeat is not None:
            return word + _counted(repeat) + (", one set of weights" if node.share else "")
    return ""


def _counted(repeat: Repeat) -> str:
    names = f" as {code(', '.join(repeat.names))}" if repeat.names else ""
    return code(printing.text(repeat.count)) + names


def _formula(block: Block) -> str:
    """What is computed, line by line as the spec says it."""
    lets = [(let.name, "=", printing.text(let.value)) for let in block.let.values()]
    lines = [(printing.name_text(flow.names), ":", printing.text(flow)) for flow in block.flow]
    names = [len(name) for name, _, _ in [*lets, *lines]]
    width = max((wide for wide in names if wide <= WIDEST_NAME), default=0)
    texts = [f"{name:<{width}} {sign} {text}" for name, sign, text in lets]
    if lets:
        texts.append("")
    texts += [f"{name + sign:<{width + 1}} {text}" for name, sign, text in lines]
    return fence("\n".join(texts))


def _presets(block: Block, facts: Facts) -> str:
    rows = []
    for preset in block.presets.values():
        settings = ", ".join(f"{name}={printing.text(value)}" for name, value in preset.values.items())
        graph = facts.presets.get(preset.name)
        count = "" if graph is None else f"{Costs().graph(graph).parameters:,}"
        rows.append([code(preset.name), code(settings) if settings else "the defaults", count])
    return table(["preset", "sets", "parameters"], rows, keep=2) if rows else ""


def _weights(block: Block) -> str:
    """How weights begin, are shared, and are called in published checkpoints."""
    found = []
    for rule in block.init:
        ops = ", ".join(map(code, rule.ops)) or "all weights"
        at = f" at {', '.join(map(code, rule.at))}" if rule.at else ""
        how = ", ".join(f"{name} {code(printing.text(call))}" for name, call in rule.settings.items())
        found.append(f"- Weights of {ops}{at} begin with {how}")
    for tie in block.tie:
        when = f" when {code(printing.text(tie.when))}" if tie.when is not None else ""
        found.append(f"- {code(tie.a)} is {code(tie.b)}{when}")
    tables = [table(["weights", f"in checkpoint {code(name)}"], rows) for name, rows in _maps(block) if rows]
    return "\n\n".join(["\n".join(found), *tables] if found else tables)


def _maps(block: Block) -> Iterable[tuple[str, list[list[str]]]]:
    """The checkpoint maps of a block, ours on the left."""
    if not isinstance(block.checkpoints, tree.Mapping):
        return
    for name, entries in block.checkpoints:
        if isinstance(entries, tree.Mapping):
            yield name.text, [[code(ours.text), code(_flat(theirs))] for ours, theirs in entries]


def _flat(node: Any) -> str:
    return " ".join(node.span.text.split())


def contents_line(name: str, address: str, doc: str | None, depth: int) -> str:
    """A line of the table of contents."""
    told = first_sentence(doc)
    return "  " * depth + f"- {link(name, address)}" + (f": {told}" if told else "")
