"""What a picture costs: charts of 500 and 5,000 nodes, drawn as svg without any system package.

    python benchmarks/drawing.py               every chart, about a minute
    python benchmarks/drawing.py chain unet    some of: chain, residual, unet, fans

Prints Markdown. Every figure is CPU time within this process, the median of several rounds, all of a
row in turn in each round. `check` is reading and checking the same spec, `scene`, `layout` and `svg` are
the parts of drawing it; the ratio is that of drawing to checking. `dot` is what Graphviz takes for the
same chart, where it is installed, of 500 nodes only and at most a minute.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import cycle
from statistics import median

from measure import machine, milliseconds, table, timed

import archc
from archc.draw.formats.dot import dot
from archc.draw.formats.sheet import sheet
from archc.draw.formats.svg import svg
from archc.draw.options import Options
from archc.draw.scene.stage import scene

TARGETS = {500: 0.1, 5_000: 1.0}
WHOLE = Options(level=99, insets=False)
"""Everything opened: the chart has as many nodes as are promised."""


CALLS = ("layer_norm", "linear(64)")


def chain(count: int) -> str:
    """One after the other, ten in a line of the flow."""
    nodes = flow = ""
    for i in range(count // 10):
        names = [f"n{i}_{j}" for j in range(10)]
        nodes += "".join(f"      {name}: {call}\n" for name, call in zip(names, cycle(CALLS), strict=False))
        flow += f"      h{i + 1}: h{i} -> {' -> '.join(names)}\n"
    return _spec(f"  Net:\n    inputs: {{h0: [B, 64]}}\n    nodes:\n{nodes}    flow:\n{flow}")


def residual(count: int) -> str:
    """Pre-norm blocks around shortcuts, written out: six nodes each."""
    nodes = flow = ""
    for i in range(count // 6):
        nodes += f"      norm{i}: layer_norm\n      up{i}: linear(256)\n      down{i}: linear(64)\n"
        flow += f"      h{i + 1}: h{i} + (h{i} -> norm{i} -> up{i} -> gelu -> down{i} -> dropout(0.1))\n"
    return _spec(f"  Net:\n    inputs: {{h0: [B, 64]}}\n    nodes:\n{nodes}    flow:\n{flow}")


def unet(count: int) -> str:
    """Levels down and up of unlike widths, a block in a block, with skips from each to each."""
    levels = max(count // 31, 2)
    widths = ", ".join(str(8 * (i + 1)) for i in range(levels))
    return _spec(f"""\
  Res:
    params: {{c: int}}
    inputs: {{x: "[B, C, H, W]"}}
    nodes:
      norm: group_norm(1)
      conv: conv2d(c, 3, padding=1)
      norm2: group_norm(1)
      conv2: conv2d(c, 3, padding=1)
      short: conv2d(c, 1)
    flow:
      out: (x -> norm -> silu -> conv -> norm2 -> silu -> conv2) + (x -> short)
  Down:
    params: {{c: int}}
    inputs: {{x: "[B, C, H, W]"}}
    nodes: {{a: Res(c), b: Res(c), mix: "conv2d(c, 1)"}}
    flow:
      h: x -> a -> b
      out: h -> mix
    outputs: [out, h]
  Up:
    params: {{c: int}}
    inputs: {{x: "[B, C, H, W]", s: "[B, S, H, W]"}}
    nodes: {{a: Res(c), b: Res(c), mix: "conv2d(c, 1)"}}
    flow:
      out: x, s -> concat(1) -> a -> b -> mix
  Net:
    params: {{widths: "int[] = [{widths}]"}}
    inputs: {{x: [B, 3, H, W]}}
    nodes:
      down: {{call: Down(c), repeat: "widths as i, c"}}
      up: {{call: Up(c + 4), repeat: "[c for c in widths] as i, c"}}
    flow:
      h, skips: x -> down
      out: h -> up(each(reversed(skips)))
""")


def fans(count: int) -> str:
    """A value taken by eight, and their sum by eight, again and again."""
    flow = nodes = ""
    for i in range(count // 10):
        names = [f"n{i}_{j}" for j in range(8)]
        nodes += "".join(f"      {name}: linear(64)\n" for name in names)
        flow += (
            f"      h{i + 1}: {', '.join(f'(h{i} -> {name})' for name in names)} -> stack -> sum(axis=0)\n"
        )
    return _spec(f"  Net:\n    inputs: {{h0: [B, 64]}}\n    nodes:\n{nodes}    flow:\n{flow}")


def _spec(blocks: str) -> str:
    return f"archc: 1\nblocks:\n{blocks}"


CHARTS: dict[str, Callable[[int], str]] = {"chain": chain, "residual": residual, "unet": unet, "fans": fans}


def row(name: str, count: int, rounds: int) -> list[str]:
    """The figures of one chart."""
    spec = archc.text(CHARTS[name](count))
    graph = archc.graph(spec)
    drawing = scene(graph, WHOLE)
    page = sheet(drawing)
    drawn = sum(box.form not in ("port", "tag") for box in drawing.boxes())
    found = timed(
        {
            "check": lambda: archc.check(spec),
            "scene": lambda: scene(graph, WHOLE),
            "layout": lambda: sheet(drawing),
            "svg": lambda: svg(page),
            "all": lambda: archc.draw(graph, level=99, insets=False),
        },
        rounds,
    )
    text = svg(page)
    return [
        name,
        f"{drawn:,}",
        *(milliseconds(found[part]) for part in ("check", "scene", "layout", "svg", "all")),
        f"{found['all'] / found['check']:.2f}",
        f"{milliseconds(TARGETS[count])}: {'kept' if found['all'] <= TARGETS[count] else 'missed'}",
        f"{len(text) / 1000:,.0f} KB",
        graphviz(dot(drawing)) if count == 500 else "",
    ]


def graphviz(text: str) -> str:
    """The CPU time of `dot` on a chart."""
    program = shutil.which("dot")
    if program is None:
        return "not installed"
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            subprocess.run([program, "-Tsvg"], input=text.encode(), capture_output=True, timeout=60)
        except subprocess.TimeoutExpired:
            return "over a minute"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return milliseconds(median(times))


def main(names: Sequence[str]) -> int:
    if not set(names) <= CHARTS.keys():
        print(f"there are {', '.join(CHARTS)}", file=sys.stderr)
        return 2
    print(f"# Drawing\n\n{machine('pydantic', 'networkx', 'pyyaml')}\n", flush=True)
    head = ["chart", "nodes", "check", "scene", "layout", "svg", "drawn", "ratio", "target", "size", "dot"]
    rows = [row(name, count, 7 if count == 500 else 3) for count in TARGETS for name in names or CHARTS]
    print(table("Charts as svg", head, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
