"""What a block's outputs, groups and presets name must be there, and its frames must nest."""

from __future__ import annotations

from collections.abc import Iterator

from archc.lang.reading import Reading, listing
from archc.lang.schema import Block, Group
from archc.lang.syntax import Line
from archc.lang.walk import chains
from archc.source.diagnostic import Related, did_you_mean


def check_references(reading: Reading, block: Block) -> None:
    """Report outputs without a value, groups of nothing or that overlap, presets of what is no param."""
    values = {name.id for line in block.flow for name in line.names}
    _outputs(reading, block, values)
    _presets(reading, block)
    if block.groups:
        _groups(reading, block)


def _outputs(reading: Reading, block: Block, values: set[str]) -> None:
    for output in block.outputs or ():
        if output.value in values or output.value in block.inputs or output.value in reading.broken:
            continue
        help = f"an output is a value by its name; {_values(values)}"
        close = did_you_mean(output.value, values)
        if close:
            help = f"did you mean `{close}`?"
        elif output.value in block.nodes:
            help = f"`{output.value}` is a node; name the value of a line: `out: ... -> {output.value}`"
        reading.error("A111", f"there is no value `{output.value}`", output.value_span, help)


def _values(values: set[str]) -> str:
    return (
        f"the values are {listing(sorted(values))}" if 0 < len(values) <= 8 else "write a line that makes it"
    )


def _presets(reading: Reading, block: Block) -> None:
    known = [*block.params, *block.dims]
    for preset in block.presets.values():
        for name, span in preset.value_spans.items():
            if name in block.params or name in block.dims or name in reading.broken:
                continue
            close = did_you_mean(name, known)
            help = f"did you mean `{close}`?" if close else "a preset sets params and free dimensions"
            reading.error("A114", f"`{name}` is no param of `{block.name}`", span, help)


def _groups(reading: Reading, block: Block) -> None:
    lines = {name.id: i for i, line in enumerate(block.flow) for name in line.names}
    places = _places(block)
    parts: list[tuple[Group, set[tuple[int, int]]]] = []
    for group in block.groups.values():
        found: set[tuple[int, int]] = set()
        for name, span in zip(group.of, group.of_spans, strict=True):
            if name in lines:
                found.update(_line_parts(block.flow[lines[name]], lines[name]))
            elif name in block.nodes:
                found.update(places.get(name, ()))
            elif name not in reading.broken:
                close = did_you_mean(name, [*lines, *block.nodes])
                help = (
                    f"did you mean `{close}`?" if close else "a group frames values (whole lines) and nodes"
                )
                reading.error("A112", f"there is no value or node `{name}`", span, help)
        parts.append((group, found))
    _overlaps(reading, parts)


def _steps(line: Line) -> Iterator[str]:
    for chain in chains(line):
        for step in chain.steps:
            yield step.name.id


def _line_parts(line: Line, number: int) -> Iterator[tuple[int, int]]:
    """The line itself (-1) and each application in it."""
    yield number, -1
    for k, _ in enumerate(_steps(line)):
        yield number, k


def _places(block: Block) -> dict[str, list[tuple[int, int]]]:
    """Where each node is applied."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, line in enumerate(block.flow):
        for k, name in enumerate(_steps(line)):
            if name in block.nodes:
                found.setdefault(name, []).append((number, k))
    return found


def _overlaps(reading: Reading, parts: list[tuple[Group, set[tuple[int, int]]]]) -> None:
    """Frames nest or are disjoint. From the largest to the smallest, the frame around each part of a
    frame must be one and the same: then all nest."""
    innermost: dict[tuple[int, int], Group] = {}
    for group, held in sorted(parts, key=lambda part: -len(part[1])):
        around = {id(g): g for p in held if (g := innermost.get(p)) is not None}
        bare = any(p not in innermost for p in held)
        if len(around) + bare > 1:
            first, second = sorted((next(iter(around.values())), group), key=lambda g: g.span.start)
            reading.report.error(
                "A113",
                f"group `{second.name}` overlaps `{first.name}`, and neither holds the other",
                second.name_span,
                help="frames nest or are disjoint: move what they share into one of them",
                related=[Related(first.name_span, f"group `{first.name}`")],
            )
            continue
        innermost.update(dict.fromkeys(held, group))
