"""The layout of generated code is that of ruff's formatter."""

from __future__ import annotations

import ast
import random
import subprocess
import sys

import pytest

from archc.emit.printer import Printer, expression, number, string

NAMES = [
    "x",
    "self.conv1",
    "hidden_states",
    "self.attention_output_projection",
    "torch.relu",
    "n_embd",
    "F.scaled_dot_product_attention",
]
KEYWORDS = ["dim", "padding", "attn_mask", "kernel_size"]


def layout(text: str) -> str:
    printer = Printer()
    printer.body(ast.parse(text).body, 0)
    return "\n".join(printer.lines) + "\n"


def ruff(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--stdin-filename", "m.py", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


class Writer:
    """Draws expressions as the emitter makes them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def name(self) -> str:
        return self.random.choice(NAMES)

    def leaf(self) -> str:
        return self.random.choice([self.name(), "1", "64", "1e-6", "0.5", "-1", '"same"', "None", "n // 2"])

    def expression(self, depth: int) -> str:
        choose = self.random
        if depth == 0 or choose.random() < 0.25:
            return self.leaf()
        inner = [self.expression(depth - 1) for _ in range(3)]
        kind = choose.randrange(12)
        if kind < 4:
            given = inner[: choose.randrange(4)]
            named = [
                f"{k}={self.expression(depth - 1)}" for k in choose.sample(KEYWORDS, choose.randrange(3))
            ]
            return f"{self.name()}({', '.join([*given, *named])})"
        if kind == 4:
            return f"{self.name()}(({inner[0]}) {choose.choice('+-*/')} ({inner[1]}) {choose.choice('+*')} n)"
        if kind == 5:
            return f"[{', '.join(inner[: choose.randrange(1, 4)])}]"
        if kind == 6:
            return f"({', '.join(inner[: choose.randrange(2, 4)])})"
        if kind == 7:
            return f"{self.name()}[{inner[0]}, :, {self.name()} : {inner[1]}]"
        if kind == 8:
            links = choose.randrange(1, 5)
            made = [f".{choose.choice(['flatten', 'unflatten', 'T'])}({self.leaf()})" for _ in range(links)]
            index = choose.choice(["", "[:, None]"])
            return f"{choose.choice(['x', 'self.q(x)', 'self.proj'])}{''.join(made)}{index}"
        if kind == 9:
            return f"{self.name()}({inner[0]}).reshape({inner[1]}).mT.transpose({inner[2]})"
        if kind == 10:
            return f"{self.name()}({inner[0]}, {inner[1]}).to({self.leaf()})"
        return f"nn.ModuleList({self.name()}({inner[0]}, {inner[1]}) for _ in range({inner[2]}))"

    def statement(self) -> str:
        target = self.random.choice(["x", "self.conv1", "q, k, v", "hidden_states"])
        return f"{target} = {self.expression(self.random.randrange(1, 4))}"


@pytest.mark.parametrize("seed", range(20))
def test_layout_is_ruffs(seed: int) -> None:
    writer = Writer(seed)
    statements = [writer.statement() for _ in range(150)]
    ours = "".join(map(layout, statements))
    assert ours == ruff(ours)
    assert ast.dump(ast.parse(ours)) == ast.dump(ast.parse("\n".join(statements)))


@pytest.mark.parametrize(
    "text",
    [
        "a + b * c - d",
        "(a + b) * c",
        "a - (b - c)",
        "a**2",
        "a.b**-1",
        "f(x) ** 2",
        "-(a + b)",
        "(-a) ** b",
        "a if b else c",
        "(a if b else c) + d",
        "not a and (b or c)",
        "a < b <= c",
        "a is not None",
        "x[:, :, None]",
        "x[..., :n]",
        "x[a + 1 : b, ::2]",
        "x[-1:]",
        "x[i * 3 : (i + 1) * 3]",
        "[a, *b]",
        "(a,)",
        "()",
        "f(*a, **b)",
        "(1).real",
        "[x for x in y]",
        '"a"',
        "f(x)(y)",
        "a % b @ c",
    ],
)
def test_one_line_is_kept(text: str) -> None:
    printed = expression(ast.parse(text, mode="eval").body)
    assert printed == text
    assert ruff(f"_ = {text}\n") == f"_ = {text}\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (-3, "-3"),
        (1e-06, "1e-6"),
        (1e22, "1e22"),
        (0.1, "0.1"),
        (2.0, "2.0"),
        (float("inf"), 'float("inf")'),
        (float("-inf"), '-float("inf")'),
    ],
)
def test_numbers_are_as_one_writes_them(value: float, text: str) -> None:
    assert number(value) == text
    assert eval(text) == value


@pytest.mark.parametrize(
    "text", ["plain", 'say "hi"', "it's", "both ' and \"", "back\\slash", "new\nline", "é", "\u2028", ""]
)
def test_strings_are_ruffs(text: str) -> None:
    literal = string(text)
    assert ast.literal_eval(literal) == text
    assert ruff(f"_ = {literal}\n") == f"_ = {literal}\n"


STATEMENTS = """\
if x is not None:
    y = f(x)
elif z:
    y = g(x)
else:
    y = None
for block, skip in zip(self.up, skips, strict=True):
    x = block(x, skip)
for _ in range(3):
    x = self.block(x)
raise ValueError(f"x: got {x.shape[2]}")
return x, y
if (
    first_condition_with_a_long_name is not None
    and second_condition_with_a_long_name is not None
):
    pass
"""


def test_statements_are_kept() -> None:
    assert layout(STATEMENTS) == STATEMENTS
    assert ruff(STATEMENTS) == STATEMENTS


def test_lines_know_their_statements() -> None:
    printer = Printer()
    tree = ast.parse(STATEMENTS)
    printer.body(tree.body, 0)
    assert printer.owners[1] is tree.body[0].body[0]
    assert printer.owners[0] is tree.body[0]
