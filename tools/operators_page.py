"""Write docs/operators.md from the operators' own signatures and docstrings.

python tools/operators_page.py            # write it
python tools/operators_page.py --check    # exit 1 where it is not what would be written
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

from archc.document.operators import said
from archc.ops.base import Op
from archc.ops.table import INITIALISERS, TABLE, initialiser

PAGE = Path(__file__).parents[1] / "docs" / "operators.md"

HEAD = """\
# Operators

<!-- Written by tools/operators_page.py from the operators' docstrings. Do not edit. -->

Attributes and their defaults stand in the first column, in the order in which they may be given by
position; inputs and outputs in the second: `?` behind an input that may be left out, `*` before one that
takes any number of values and bundles, `...` for any axes. Input widths are never given: they are what
arrives.

- **•** owns weights and must be a node: `fc: linear(64)`.
- What has no weights may stand in a flow line: `x -> fc -> gelu`. Attributes go by position or name, further
  inputs by name: `x -> masked_fill(0.0, mask=m)`.
- A source, without inputs, is an operand too: `x + arange(T)`.
- Any other layer of `torch.nn` goes by its own name and arguments: `tree: nn.TransformerEncoderLayer(64, 8)`.
- What is missing is a function in Python: [operators of your own](own_operators.md).

{contents}
"""

TITLES = {
    "conv": "Convolution",
    "linear": "Linear maps and embeddings",
    "weight": "Tensors of your own",
    "norm": "Normalisation",
    "activation": "Activation",
    "pointwise": "Pointwise",
    "noise": "Dropout and its kin",
    "arithmetic": "Arithmetic",
    "pool": "Pooling",
    "resize": "Size of images",
    "arrange": "Named axes",
    "layout": "Layout",
    "join": "Joining and splitting",
    "reduction": "Reduction",
    "selection": "Selection",
    "source": "Sources",
    "attention": "Attention",
    "rope": "Rotary positions",
    "positions": "Positions and time",
    "recurrent": "Recurrence",
}
"""The family of each module; a module without a title is an error of the test."""


def page() -> str:
    """The whole page."""
    families: dict[str, list[tuple[str, type[Op]]]] = {}
    for name, home in TABLE.items():
        module, _, attribute = home.partition(":")
        families.setdefault(module, []).append((name, getattr(import_module(module), attribute)))
    titles = [TITLES[module.rsplit(".", 1)[1]] for module in families]
    contents = " · ".join(f"[{t}](#{_anchor(t)})" for t in [*titles, "Initialisers"])
    parts = [HEAD.format(contents=contents)]
    for title, operators in zip(titles, families.values(), strict=True):
        parts.append(f"## {title}\n")
        parts.append("| operator | inputs -> outputs | | PyTorch |\n| --- | --- | --- | --- |")
        parts += [_row(name, cls) for name, cls in operators]
        parts.append("")
    parts.append(_initialisers())
    return "\n".join(parts)


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z ]", "", title.lower()).replace(" ", "-")


def _row(name: str, cls: type[Op]) -> str:
    if name != cls.title():
        return f"| `{name}` | | another name of `{cls.title()}` | |"
    shapes, meaning, torch = said(cls)
    signature = _short(cls.signature().removesuffix("()"))
    weights = " •" * cls.weighted
    return _cells(f"`{signature}`{weights}", f"`{_wires(cls, shapes)}`", meaning, ", ".join(torch))


def _wires(cls: type[Op], shapes: str) -> str:
    """Ports and outputs, with shapes where the docstring tells them."""
    ports = ["*" * p.variadic + p.name + "?" * p.optional for p in cls.ports()]
    if not shapes:
        return f"{', '.join(ports)} -> {', '.join(cls.outputs)}".strip()
    named = set(re.findall(r"\w+", shapes.split("->")[0]))
    further = [p for p in ports if p.endswith("?") and p[:-1] not in named]
    return ", ".join([shapes.split(" -> ")[0], *further]) + "".join(
        f" -> {s}" for s in shapes.split(" -> ")[1:]
    )


def _short(text: str) -> str:
    """Numbers as a person writes them: `1e-6`."""
    return re.sub(r"(?<=\de-)0(?=\d)", "", text)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _initialisers() -> str:
    lines = [
        "## Initialisers\n",
        "For `init` and for `init=` of `param` and `buffer`.\n",
        "| initialiser | | PyTorch |\n| --- | --- | --- |",
    ]
    for name in INITIALISERS:
        cls = initialiser(name)
        assert cls is not None
        _, meaning, torch = said(cls)
        signature = _short(cls.signature().replace(cls.title(), name, 1).removesuffix("()"))
        lines.append(_cells(f"`{signature}`", meaning, ", ".join(torch)))
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    text = page()
    if arguments == ["--check"]:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE} is stale; write it: python tools/operators_page.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
