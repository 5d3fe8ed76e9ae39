"""Cases of the language, read from Markdown: a spec and, beside it, what holds of it.

A file is a sequence of `##` headings, each a case. Its ```yaml fences are files: named by
`file=blocks.yaml` in the info string, else `spec.yaml`, which is checked (or the first one, if all
are named). A fence that does not hold `archc:` is short for one that does: it is the body of a
block `Net`, or, where its keys are PascalCase, of `blocks`. The rest of the info string are settings
as on the command line: `-p C=64 --given m --absent m #Block@preset`.

What holds stands in further fences:

- `shapes`: `name: type` of values; `absent` for what is not there, `?` behind the type of what may be
  absent when the model runs, `[A], [B]` in `( )` for bundles
- `outputs`: all outputs, in order, with their types
- `weights`: all weights with their shapes
- `numbers`: params, lets and free dimensions of the block, as `repr` of Python or text of a size
- `guards`: all conditions on sizes, in words
- `names`: what the only checkpoint map makes of every tensor, `ours: theirs`; then `ignore: pattern` for
  each name that it passes over
- `error`, `warning`: all of them, each ``CODE LINE `words` message``; the words are those that the caret
  underlines, the line may be left out, the message may be cut short. Indented below may stand
  `help: ...` and `with: ...` (a related place) of which the text is a part, and `in: LINE words`, the
  steps of the way through blocks, innermost first

Without an `error` fence a spec must be right, without a `warning` fence free of warnings.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archc.api import ask_torch
from archc.graph.compile import Result, check

HERE = Path(__file__).parent
FENCE = re.compile(r"^```(\w+)[ ]*([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
KINDS = {"shapes", "outputs", "weights", "numbers", "guards", "names", "error", "warning"}


@dataclass(frozen=True)
class Spec:
    """A file of a case: its text as written, and what stands before it in the file that is checked."""

    name: str
    text: str
    head: str = ""
    indent: str = ""

    @property
    def whole(self) -> str:
        lines = (self.indent + line if line.strip() else line for line in self.text.splitlines(keepends=True))
        return self.head + "".join(lines)

    @property
    def skipped(self) -> int:
        """Lines that the whole has before the text."""
        return self.head.count("\n")


@dataclass(frozen=True)
class Case:
    """A heading with its specs, settings and expectations (kind of fence -> text)."""

    id: str
    specs: dict[str, Spec]
    entry: str
    settings: list[str]
    given: list[str]
    absent: list[str]
    target: str
    expected: dict[str, str] = field(default_factory=dict)

    def check(self, folder: Path) -> Result:
        """What a check says of the case, its files written to a folder."""
        for spec in self.specs.values():
            path = folder / spec.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(spec.whole, encoding="utf-8")
        address = f"{folder / self.entry}{self.target}"
        return check(address, self.settings, given=self.given, absent=self.absent, probe=ask_torch)


def read(path: Path) -> list[Case]:
    """The cases of a Markdown file."""
    parts = re.split(r"^## (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    cases = [_case(path, title.strip(), body) for title, body in zip(parts[::2], parts[1::2], strict=True)]
    ids = [case.id for case in cases]
    assert len(ids) == len(set(ids)), f"{path.name}: two headings are alike"
    return cases


def _case(path: Path, title: str, body: str) -> Case:
    name = f"{path.stem}::{title}"
    specs: dict[str, Spec] = {}
    options: list[str] = []
    expected: dict[str, str] = {}
    for kind, info, text in FENCE.findall(body):
        if kind != "yaml":
            assert kind in KINDS and not info and kind not in expected, f"{name}: fence `{kind} {info}`"
            expected[kind] = text
            continue
        words = shlex.split(info, comments=False)
        file = next((w.removeprefix("file=") for w in words if w.startswith("file=")), "spec.yaml")
        assert file not in specs, f"{name}: two files `{file}`"
        specs[file] = _spec(file, text)
        options += [w for w in words if not w.startswith("file=")]
    assert specs and expected, f"{name}: no spec, or nothing expected of it"
    entry = "spec.yaml" if "spec.yaml" in specs else next(iter(specs))
    case = Case(name, specs, entry, [], [], [], "".join(w for w in options if w[0] in "#@"), expected)
    rest = iter(w for w in options if w[0] not in "#@")
    lists = {"-p": case.settings, "--given": case.given, "--absent": case.absent}
    for flag in rest:
        lists[flag].append(next(rest))
    return case


def _spec(name: str, text: str) -> Spec:
    if "archc:" in text or not name.endswith(".yaml"):
        return Spec(name, text)
    if re.match(r"(#.*\n|\s)*[A-Z]\w*:", text):
        return Spec(name, text, "archc: 1\nblocks:\n", "  ")
    return Spec(name, text, "archc: 1\nblocks:\n  Net:\n", "    ")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    cases = [case for path in sorted(HERE.glob("*.md")) for case in read(path)]
    right = [case for case in cases if "error" not in case.expected]
    for name, chosen in (("case", cases), ("right_case", right)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, chosen, ids=[case.id for case in chosen])
