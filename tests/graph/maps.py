"""What tests of checkpoint maps share: a small spec with a map, and what it names."""

from archc.graph.checkpoint_layout import Layout
from archc.graph.checkpoints import resolve
from archc.graph.compile import Text, check, graph
from archc.graph.recipes import text
from archc.source.diagnostic import Diagnostic


def block(checkpoints: str, nodes: str = "fc: linear(8)", flow: str = "out: x -> fc", rest: str = "") -> Text:
    """A spec of one block with 8 channels and a map `m`."""
    return Text(f"""
archc: 1
blocks:
{rest}
  Net:
    params: {{n: int = 3, on: bool = true}}
    let: {{last: n - 1}}
    inputs: {{x: "[B, 8]", y: "[B, 8]?"}}
    nodes:
      {nodes}
    flow:
      {flow}
    checkpoints:
      m: {{{checkpoints}}}
""")


def mistakes(spec: Text) -> list[Diagnostic]:
    return [d for d in check(spec, absent=("y",)).diagnostics if d.severity == "error"]


def theirs(spec: Text, absent: tuple[str, ...] = ("y",), **settings: object) -> dict[str, str]:
    return texts(resolve(graph(spec, settings, absent=absent), "m"))


def texts(layout: Layout) -> dict[str, str]:
    return {ours: text(recipe) for ours, recipe in layout.recipes.items()}


LAYERS = "layer: {call: linear(8), repeat: n}"
THROUGH = "out: x -> layer"
