"""Specs at random, of all that a diagram shows in a way of its own: blocks in blocks, copies in series and
side by side, skipped ones, bundles dealt out, open inputs, choices, shared nodes, values that many take,
groups. Every value is a `[B, 4]`, so that whatever is drawn up is right."""

from __future__ import annotations

from hypothesis import strategies as st

STEPS = ["relu", "tanh", "softmax", "dropout(0.1)"]
NODES = ["linear(4)", "linear(4)", "layer_norm", "{call: linear(4), label: A long name of it}"]
CONDITIONS = ["deep", "kind == far", "not deep"]
TESTS = ["e", "not e"]


@st.composite
def specs(draw: st.DrawFn) -> str:
    """The text of a spec; its last block is `Net`."""
    blocks: list[str] = []
    text = "archc: 1\nblocks:\n"
    for number in range(draw(st.integers(0, 3))):
        name = f"Block{number}"
        text += _block(draw, name, blocks, draw(st.integers(1, 4)))
        blocks.append(name)
    return text + _block(draw, "Net", blocks, draw(st.integers(1, 8)))


def _block(draw: st.DrawFn, name: str, blocks: list[str], lines: int) -> str:
    written = _Writer(draw, blocks)
    for _ in range(lines):
        written.line()
    rest = [value for value in written.values if value not in ("x", "e")]
    outputs = [rest[-1], *draw(st.lists(st.sampled_from(rest), max_size=1))]
    return written.text(name, list(dict.fromkeys(outputs)))


class _Writer:
    """One block, line by line."""

    def __init__(self, draw: st.DrawFn, blocks: list[str]) -> None:
        self.draw = draw
        self.blocks = blocks
        self.values = ["x", "e"]
        self.bundles: list[str] = []
        self.nodes: list[str] = []
        self.lines: list[tuple[str, str]] = []
        self.singles: list[str] = []  # nodes that may stand in a second step

    def one(self, *of: str) -> str:
        return self.draw(st.sampled_from(of))

    def value(self) -> str:
        """A value: the newest mostly, so that blocks are deep, or any."""
        return self.values[-1] if self.draw(st.booleans()) else self.one(*self.values)

    def node(self, call: str) -> str:
        self.nodes.append(f"n{len(self.nodes)}: {call}")
        return f"n{len(self.nodes) - 1}"

    def step(self) -> str:
        kind = self.draw(st.integers(0, 9))
        if kind <= 2:
            return self.one(*STEPS)
        if kind <= 5 or (kind == 6 and not self.singles):
            name = self.node(self.one(*NODES))
            self.singles.append(name)
            return name
        if kind == 6:
            return self.one(*self.singles)
        if kind == 7:
            return self.node("{call: linear(4), when: " + self.one(*CONDITIONS) + "}")
        if kind == 8:
            return self.node("{choose: kind, near: linear(4), far: relu, else: identity}")
        return self.node("{call: linear(4), repeat: n}")

    def chain(self) -> str:
        steps = [self.step() for _ in range(self.draw(st.integers(1, 3)))]
        return f"{self.value()} -> {' -> '.join(steps)}"

    def call(self) -> str:
        """A block as a node, perhaps with copies."""
        name = self.one(*self.blocks)
        how = self.one("", "", "repeat: 2", "repeat: n", "repeat: 3 as i, when: i != 1", "when: deep")
        return self.node(f"{{call: {name}, {how}}}" if how else name)

    def line(self) -> None:
        name = f"v{len(self.lines)}"
        kind = self.draw(st.integers(0, 11))
        if kind <= 3:
            text = self.chain()
        elif kind == 4:
            text = f"{self.value()} + {self.value()} {self.one('+', '*')} {self.value()}"
        elif kind == 5:
            text = f"{self.value()} + ({self.chain()}) -> {self.step()}"
        elif kind == 6:
            text = f"{self.chain()} if {self.one(*TESTS, *CONDITIONS)} else {self.value()}"
        elif kind == 7:
            text = (
                f"{self.value()} -> "
                + self.node("{call: linear(4), parallel: 3}")
                + " -> stack -> sum(axis=0)"
            )
        elif kind == 8 and self.bundles:
            text = f"{self.one(*self.bundles)} -> stack -> sum(axis=0)"
        elif kind == 9:
            text = f"{self.value()}, {self.value()}, {self.value()} -> stack -> mean(0)"
        elif self.blocks:
            text = f"{self.value()} -> {self.call()}({self.value()})"
        else:
            text = f"{self.value()} * {self.value()}"
        if self.draw(st.integers(0, 4)) == 0:
            bundle = f"b{len(self.bundles)}"
            self.lines.append((bundle, f"bundle({self.value()}, {self.value()})"))
            self.bundles.append(bundle)
        self.lines.append((name, text))
        self.values.append(name)

    def text(self, name: str, outputs: list[str]) -> str:
        part = f"  {name}:\n    params: {{n: int = 3, deep: bool = true, kind: near | far | none = near}}\n"
        part += "    inputs: {x: '[B, 4]', e: '[B, 4]?'}\n"
        if self.nodes:
            part += "    nodes:\n" + "".join(f"      {node}\n" for node in self.nodes)
        part += "    flow:\n" + "".join(f"      {value}: {text}\n" for value, text in self.lines)
        part += f"    outputs: [{', '.join(outputs)}]\n"
        if len(self.lines) > 2 and self.draw(st.booleans()):
            first = self.draw(st.integers(0, len(self.lines) - 2))
            names = [value for value, _ in self.lines[first : first + 2] if value[0] == "v"]
            how = self.one("", ", collapsed: true")
            part += f"    groups: {{part: {{of: [{', '.join(names)}], label: A part{how}}}}}\n"
        return part
