"""Pages and their fences: what stands in the documentation and what it claims.

- ```` ```yaml ```` is a spec and is checked. Without `archc:` it is the body of a block `Net` or, where its
  keys are PascalCase, of `blocks`. The info string holds settings as on the command line (`-p C=64`,
  `--given m`, `--absent m`, `--allow-ops my_ops`, `#Block@preset`), `file=name.yaml` for a spec that the rest
  of the page uses, `error A301` where that is what the check must say, and `skip REASON`.
- A comment behind a flow line that reads as a shape (`# [B, 64]`, `# int64[B]`, `# ([B, 4], [B, 4])`,
  `# absent`) is one: that of the line's value, or values with ` and ` between them.
- ```` ```text ```` right after a spec that is wrong is how its errors look; of one that is right,
  ```` ```text guards ```` are the conditions on sizes, ```` ```text weights ```` the weights.
- ```` ```console ```` holds lines `$ archc ...` and what they print. `...` stands for anything.
- ```` ```python ```` runs; what a `print(...)` with a comment behind it prints is that comment, and the text
  in a ```` ```text ```` right after is what all of its prints give.
- ```` ```python build net.yaml -p C=64 ```` is what that command writes, ```` ```python file=my_ops.py ````
  a module that the rest of the page uses.

Console and Python fences of a page share a folder and a namespace, and run in order. Texts that differ
are written anew by `pytest --golden tests/docs`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)[ ]*([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LANGUAGES = {"yaml", "python", "console", "text", "mermaid", "bash", ""}


@dataclass(frozen=True)
class Fence:
    """A fence of a page: its language, the words behind that, its text and where the text stands."""

    page: Path
    language: str
    words: tuple[str, ...]
    text: str
    start: int  # of the text in the page
    end: int
    number: int  # among the page's fences

    @property
    def line(self) -> int:
        """The line of the page on which the text begins, from 1."""
        return self.page.read_text(encoding="utf-8")[: self.start].count("\n") + 1

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def rewrite(self, text: str) -> None:
        """Put another text in its place."""
        now = fences(self.page)[self.number]
        page = self.page.read_text(encoding="utf-8")
        self.page.write_text(page[: now.start] + text + page[now.end :], encoding="utf-8")

    @property
    def skipped(self) -> str | None:
        """Why it is not tried."""
        return " ".join(self.words[1:]) if self.words[:1] == ("skip",) else None


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def fences(page: Path) -> list[Fence]:
    found = []
    for match in FENCE.finditer(page.read_text(encoding="utf-8")):
        language, info, text = match.groups()
        assert language in LANGUAGES, f"{page.name}: fence of the language {language}"
        fence = Fence(
            page, language, tuple(shlex.split(info)), text, match.start(3), match.end(3), len(found)
        )
        if fence.skipped is not None:
            assert fence.skipped, f"{fence.place}: skipped, and no reason told"
        found.append(fence)
    return found


def _looks(found: list[Fence]) -> list[tuple[Fence, Fence | None]]:
    """Each spec with the text right after it, if there is one."""
    pairs = []
    for fence, after in zip(found, [*found, None][1:], strict=True):
        if fence.language != "yaml" or fence.skipped is not None:
            continue
        text = fence.page.read_text(encoding="utf-8")
        close = (
            after is not None and after.language == "text" and text[fence.end : after.start].count("\n") <= 3
        )
        pairs.append((fence, after if close else None))
    return pairs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" not in metafunc.fixturenames:
        return
    found = {page: fences(page) for page in pages()}
    if "spec" not in metafunc.fixturenames:
        metafunc.parametrize("page", found.values(), ids=[page.stem for page in found])
    else:
        specs = [(*pair, page) for page in found.values() for pair in _looks(page)]
        metafunc.parametrize(("spec", "look", "page"), specs, ids=[spec[0].place for spec in specs])
