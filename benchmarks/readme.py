"""Runs benchmarks, keeps what they print in docs/measured.md, and writes the table of the README from it.

    python benchmarks/readme.py                    all of them, an hour on two cores
    python benchmarks/readme.py eager compiling    some: the others' figures stay as they were measured
    python benchmarks/readme.py "compiling cold"   one, with options of its own
    python benchmarks/readme.py --table            none: the README's table again, from the page

The page holds each benchmark's tables whole, with the machine and the versions that it was measured with. A
line of the README is one cell, or the range of several: `LINES` says which.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from measure import ROOT

PAGE, README = ROOT / "docs" / "measured.md", ROOT / "README.md"
HEAD = """\
# Measured

What `python benchmarks/readme.py` wrote: the tables of the [benchmarks](../benchmarks), each with the
machine and the versions that it was measured with. How each measures stands at the top of its script. What
the figures mean tells [performance.md](performance.md), how to measure a model of your own
[bench.md](bench.md).
"""
START, END = "<!-- measured -->\n", "<!-- end of measured -->\n"

SCRIPTS = ("eager", "compiling", "inference", "loading", "frontend", "drawing")
"""The benchmarks, in the order of the page."""


class Table(NamedTuple):
    """A table of Markdown: its title, and by row the cells by their column; the first column names a row."""

    title: str
    rows: list[dict[str, str]]


@dataclass(frozen=True)
class Line:
    """A line of the README: what was measured, in which cells, and what the figures are parts of.

    `rows` are texts that cells of a row must hold, or one of several. If several rows match, their figures
    make a range.
    """

    what: str
    script: str
    table: str
    column: str
    rows: Mapping[str, str | tuple[str, ...]]
    of: str

    def matches(self, row: Mapping[str, str]) -> bool:
        """Is it one of the line's rows?"""
        wanted = (
            (row.get(name, ""), (text,) if isinstance(text, str) else text)
            for name, text in self.rows.items()
        )
        return self.column in row and all(any(text in cell for text in texts) for cell, texts in wanted)


_SIX = {"network": ("VQ", "GPT-2", "ViT", "ResNet")}
_EAGER = "In parts of the original"
_LAYERS = {"network": "transformer, 24 layers"}

LINES = (
    Line(
        "six networks, eager, forward", "eager", _EAGER, "archc", {**_SIX, "pass": "forward"}, "the original"
    ),
    Line(
        "the same, forward and backward", "eager", _EAGER, "archc", {**_SIX, "pass": "both"}, "the original"
    ),
    Line(
        "a tiny GPT, eager, forward",
        "eager",
        _EAGER,
        "archc",
        {"network": "tiny GPT", "pass": "forward"},
        "the original",
    ),
    Line(
        "cold compilation by block, 24 layers",
        "compiling",
        "Cold compilation",
        "by block ratio",
        {**_LAYERS, "pass": "forward"},
        "that of the whole",
    ),
    Line(
        "the same, a VQ decoder in training",
        "compiling",
        "Cold compilation",
        "by block ratio",
        {"network": "VQ decoder", "pass": "training"},
        "that of the whole",
    ),
    Line("a run compiled by block", "compiling", "Run", "by block", {}, "a run compiled whole"),
    Line("a compiled run", "compiling", "Run", "compiled / eager", {}, "an eager run"),
    Line(
        "optimised for inference, eager",
        "inference",
        "In parts of the plain model",
        "inference",
        _SIX,
        "the model as it stands",
    ),
    Line(
        "loading a billion parameters from a file",
        "loading",
        "A billion parameters",
        "to first values",
        {"": "with the weights of a file"},
        "building them with first values",
    ),
    Line(
        "`archc check` of an encoder, cold",
        "frontend",
        "Start-up",
        "ratio",
        {"a process of its own": "archc check"},
        "importing yaml, pydantic, networkx",
    ),
)


def tables(text: str) -> list[Table]:
    """The tables of a page, each with the heading above it.

    >>> tables("## Title\\n\\n| a | b |\\n| --- | ---: |\\n| x | 1 |\\n")
    [Table(title='Title', rows=[{'a': 'x', 'b': '1'}])]
    """
    found: list[Table] = []
    title, head = "", None
    for line in text.splitlines():
        if line.startswith("#"):
            title, head = line.strip("# "), None
        elif not line.startswith("|"):
            head = None
        else:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if head is None:
                head = _columns(cells)
                found.append(Table(title, []))
            elif not set("".join(cells)) <= set("-: "):
                found[-1].rows.append(dict(zip(head, cells, strict=True)))
    return found


def _columns(head: Sequence[str]) -> list[str]:
    """The names of columns; one that stands there again and again has the name of the one before it.

    >>> _columns(["net", "whole", "ratio", "block", "ratio"])
    ['net', 'whole', 'whole ratio', 'block', 'block ratio']
    """
    found: list[str] = []
    owner = ""
    for name in head:
        again = head.count(name) > 1
        owner = owner if again else name
        found.append(f"{owner} {name}" if again else name)
    return found


def sections(page: str) -> dict[str, str]:
    """What each benchmark printed, by its name."""
    parts = re.split(r"^## (\w+)\n", page, flags=re.MULTILINE)[1:]
    return {name: text.strip() + "\n" for name, text in zip(parts[::2], parts[1::2], strict=True)}


def page(found: Mapping[str, str]) -> str:
    """The page of what benchmarks printed."""
    return "\n".join([HEAD, *(f"## {name}\n\n{found[name]}" for name in SCRIPTS if name in found)])


def measured(name: str, options: Sequence[str]) -> str:
    """What a benchmark prints, its headings one deeper."""
    words = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *options]
    printed = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    text = re.sub(r"\A# .*\n+", "", printed)  # the page has it as its heading
    return re.sub(r"^(?=##)", "#", text, flags=re.MULTILINE).strip() + "\n"


def numbers(found: Sequence[Table], line: Line) -> list[float]:
    """The figures of a line: the numbers that its cells begin with."""
    cells = [
        row[line.column]
        for table in found
        if table.title.startswith(line.table)
        for row in table.rows
        if line.matches(row)
    ]
    return [float(match[0]) for cell in cells if (match := re.match(r"[\d.]+", cell))]


def summary(found: Mapping[str, str]) -> str:
    """The table of the README."""
    rows = ["| | measured | in parts of |", "| --- | ---: | --- |"]
    for line in LINES:
        if line.script in found:
            figures = numbers(tables(found[line.script]), line)
            if not figures:
                print(f"{line.what}: {line.script} has not measured it", file=sys.stderr)
                continue
            low, high = map(_told, (min(figures), max(figures)))
            rows.append(f"| {line.what} | {low if low == high else f'{low} to {high}'} | {line.of} |")
    if len(rows) == 2:
        return ""
    used = [name for name in SCRIPTS if name in found and any(line.script == name for line in LINES)]
    machines = dict.fromkeys(re.sub(r", load [\d.]+", "", found[name].splitlines()[0]) for name in used)
    return "\n".join([*rows, "", *(f"Measured on {machine}." for machine in machines)]) + "\n"


def _told(figure: float) -> str:
    """A ratio as a person reads it: two digits, if it is small."""
    return f"{figure:.2f}" if figure >= 0.1 else f"{figure:.2g}"


def readme(text: str, table: str) -> str:
    """The README with another table between its marks."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{table}{END}{after}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="BENCHMARK", help=", ".join(SCRIPTS))
    parser.add_argument("--table", action="store_true", help="measure nothing, write the README's table")
    given = parser.parse_args(arguments)
    chosen = {name: options for name, *options in map(shlex.split, given.names or SCRIPTS)}
    if not chosen.keys() <= set(SCRIPTS):
        parser.error(f"there are {', '.join(SCRIPTS)}")
    found = sections(PAGE.read_text(encoding="utf-8"))
    for name, options in [] if given.table else chosen.items():
        found[name] = measured(name, options)
        PAGE.write_text(page(found), encoding="utf-8")
    README.write_text(readme(README.read_text(encoding="utf-8"), summary(found)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
