"""Runs what stands in the documentation: see conftest.py for how it is written."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
import sys
import tokenize
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from archc.api import ask_torch
from archc.cli.main import main
from archc.graph.compile import Result, check
from archc.graph.ir import Bundle, Graph, Type
from archc.graph.weights import weights
from archc.source.render import render

Compare = Callable[[Any, str], None]
ROOT = Path(__file__).parents[2]
SHAPE = re.compile(r"^\s*([\w, ]+?): .*?\s# ((?:\w*\[|\(|absent).*)$")


# -- specs -----------------------------------------------------------------------------------


def test_spec(
    spec: Any,
    look: Any,
    page: list[Any],
    compare: Compare,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    _importable(page, tmp_path, monkeypatch)
    for fence in page:
        _write(fence, tmp_path)
    options = Options(spec)
    path = tmp_path / options.file
    path.write_text(whole(spec.text), encoding="utf-8")
    result = check(
        options.file + options.target,
        options.settings,
        given=options.given,
        absent=options.absent,
        ops=options.ops,
        probe=ask_torch,
    )
    shown = render(result.diagnostics, color=False)
    assert [d.code for d in result.diagnostics] == options.codes, f"{spec.place}\n{spec.text}\n{shown}"
    if look is not None:
        compare(look, _look(look.words, result, shown))
    if result.ok:
        _check_shapes(spec, result)


def _look(words: tuple[str, ...], result: Result, errors: str) -> str:
    """What the text after a spec tells of it."""
    if words == ("guards",):
        return "\n".join(result.guards)
    if words == ("weights",):
        assert result.graph is not None
        return "\n".join(f"{n}: [{', '.join(map(str, w.shape))}]" for n, w in weights(result.graph).items())
    return errors


class Options:
    """The info string of a spec."""

    def __init__(self, fence: Any) -> None:
        words = iter(fence.words)
        self.settings: list[str] = []
        self.given: list[str] = []
        self.absent: list[str] = []
        self.ops: list[str] = []
        self.codes: list[str] = []
        self.target = ""
        self.file = "net.yaml"
        lists = {
            "-p": self.settings,
            "--given": self.given,
            "--absent": self.absent,
            "--allow-ops": self.ops,
            "error": self.codes,
            "warning": self.codes,
        }
        for word in words:
            if word in lists:
                lists[word].append(next(words))
            elif word.startswith("file="):
                self.file = word.removeprefix("file=")
            else:
                assert word[0] in "#@", f"{fence.place}: {word}"
                self.target += word


def whole(text: str) -> str:
    """The file that a fence is short for."""
    if re.search(r"^archc:", text, re.MULTILINE):
        return text
    if re.match(r"(#.*\n|\s)*[A-Z]\w*:", text):
        head, indent = "archc: 1\nblocks:\n", "  "
    else:
        head, indent = "archc: 1\nblocks:\n  Net:\n", "    "
    return head + "".join(indent + line if line.strip() else line for line in text.splitlines(keepends=True))


def _check_shapes(spec: Any, result: Result) -> None:
    """The comments behind flow lines that read as shapes."""
    assert result.graph is not None, spec.place
    lines = whole(spec.text).splitlines()
    found: dict[int, set[str]] = {}
    for graph in _graphs(result.graph):
        for line in graph.lines:
            told = " and ".join(_type(graph.type(ref)) for ref in line.refs) or "absent"
            found.setdefault(line.span.line, set()).add(told)
    for number, text in enumerate(lines, 1):
        if match := SHAPE.match(text):
            told = found.get(number, {"absent"})
            assert match[2] in told, f"{spec.place}: {text.strip()}: {' or '.join(told)}"


def _graphs(graph: Graph) -> Iterator[Graph]:
    seen: list[Graph] = []
    waiting = [graph]
    while waiting:
        here = waiting.pop(0)
        if any(here is other for other in seen):
            continue
        seen.append(here)
        yield here
        for member in here.members.values():
            waiting += [c.target for use in member.uses for c in use if isinstance(c.target, Graph)]


def _type(type: Type) -> str:
    return f"({', '.join(map(str, type.members))})" if isinstance(type, Bundle) else str(type)


# -- commands and Python ---------------------------------------------------------------------


def test_page(page: list[Any], compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command and every line of Python of a page, in order."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    _importable(page, tmp_path, monkeypatch)
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = None
    for fence in page:
        if fence.skipped is not None:
            continue
        if fence.language == "text" and printed:
            compare(fence, printed)
        printed = None
        _write(fence, tmp_path)
        if fence.language == "console":
            _console(fence, compare)
        elif fence.words[:1] == ("build",):
            compare(fence, _run(["build", *fence.words[1:]])[1])
        elif fence.language == "python" and not _file(fence):
            printed = _python(fence, names)


def _write(fence: Any, folder: Path) -> None:
    """Leave a named spec or module for what comes after it."""
    name = _file(fence)
    if name is not None:
        text = whole(fence.text) if fence.language == "yaml" else fence.text
        (folder / name).write_text(text, encoding="utf-8")


def _file(fence: Any) -> str | None:
    """The file that a fence is."""
    return next((word.removeprefix("file=") for word in fence.words if word.startswith("file=")), None)


def _importable(page: list[Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page's modules be imported from a folder, each page's anew."""
    monkeypatch.syspath_prepend(folder)
    for fence in page:
        if fence.language == "python" and (name := _file(fence)):
            monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)


def _console(fence: Any, compare: Compare) -> None:
    """Run the commands of a fence. What one prints is compared where something stands below it."""
    found = ""
    for part in re.split(r"^(?=\$ )", fence.text, flags=re.MULTILINE):
        if not part:
            continue
        command, _, wanted = part.removeprefix("$ ").partition("\n")
        words = shlex.split(command)
        assert words[0] == "archc", f"{fence.place}: {command}"
        status, told = _run(words[1:])
        wrong = "error" in told or told.startswith(f"archc {words[1]}: ")
        assert (status != 0) == wrong, f"{fence.place}: {command}\n{told}"
        found += f"$ {command}\n" + (told if wanted.strip() else "") + "\n" * wanted.endswith("\n\n")
    compare(fence, found)


def _run(words: list[str]) -> tuple[int, str]:
    """A command's exit code, and all that it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = main(words)
    return status, output.getvalue()


def _python(fence: Any, names: dict[str, Any]) -> str:
    """Run a fence and give what it printed."""
    lines = fence.text.splitlines()
    comments = {
        token.start[0]: token.string[1:].strip()
        for token in tokenize.generate_tokens(io.StringIO(fence.text).readline)
        if token.type == tokenize.COMMENT
    }
    tree = ast.parse(fence.text, fence.place)
    printed = ""
    for statement in tree.body:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(ast.Module([statement], []), fence.place, "exec"), names)
        told = output.getvalue()
        printed += told
        comment = comments.get(statement.end_lineno or 0)
        if comment is not None and lines[statement.lineno - 1].startswith("print("):
            assert _like(comment, told.strip()), f"{fence.place}: {comment!r}, and it prints {told.strip()!r}"
    return printed


# -- comparing -------------------------------------------------------------------------------


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Compare:
    """Is a text what stands in a fence? With --golden it is made so."""
    return partial(_compare, request.config.getoption("--golden"))


def _compare(golden: bool, fence: Any, found: str) -> None:
    wanted = [line.rstrip() for line in fence.text.rstrip().splitlines()]
    lines = [line.rstrip() for line in found.rstrip().splitlines()]
    if _alike(wanted, lines):
        return
    text = "\n".join(lines) + "\n"
    if golden:
        fence.rewrite(text)
        return
    pytest.fail(f"{fence.place}\n-- wanted:\n{fence.text}\n-- found:\n{text}", pytrace=False)


def _alike(wanted: list[str], found: list[str]) -> bool:
    """Line by line; a line `...` stands for any number of lines."""
    if not wanted:
        return not found
    if wanted[0].strip() == "...":
        return any(_alike(wanted[1:], found[i:]) for i in range(len(found) + 1))
    return bool(found) and _like(wanted[0], found[0]) and _alike(wanted[1:], found[1:])


def _like(wanted: str, found: str) -> bool:
    """A `...` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), found) is not None
