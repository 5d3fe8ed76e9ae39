"""Markdown that holds texts of specs, and stays whole whatever they say.

The `doc` of a spec is Markdown of its author's and is kept: emphasis, links, code and `$mathematics$`. What
would reach beyond its own place is not: a fence that is never closed, a heading, an HTML tag, a `|` in
a table, a link that runs something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import unescape
from itertools import pairwise

from archc.lang.links import page

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_INSIDE = r"((?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=\s|$)))*[ \t]*)"
"""The marks of the quotes and lists that a line stands in."""
_HEADING = re.compile(_INSIDE + r"#{1,6}(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(_INSIDE + r"(=+|-+)[ \t]*")
_VERBATIM = re.compile(
    r"(?P<escaped>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<display>\$\$(?:(?!\n\s*\n|\$\$).)+\$\$)"
    r"|(?P<math>(?<![\w$])\$(?=[^\s$])[^$\n]*?(?<=[^\s\\])\$(?![\w$]))"
    r"|(?P<address><(?:https?://|mailto:)[^\s<>]*>)",
    re.DOTALL,
)
"""What HTML cannot hide in: it stands as its author wrote it."""
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_DESTINATION = r"\s*(<[^>\n]*|[^\s)]+)"
_LINK = re.compile(r"\](?=\(" + _DESTINATION + ")")
_DEFINITION = re.compile(_INSIDE + r"\[(?:[^\[\]\\]|\\.)*\]:" + _DESTINATION, re.DOTALL)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def prose(text: str) -> str:
    """The `doc` of a spec as paragraphs of a document.

    >>> print(prose("# Hi\\nHere is $a_{i}$, see `<x>` and <x>."))
    **Hi**
    Here is $a_{i}$, see `<x>` and &lt;x>.
    """
    parts: list[str] = []  # inside and outside of fences in turn
    outside: list[str] = []
    inside: list[str] = []
    closing = ""
    for line in text.expandtabs(4).strip("\n").split("\n"):
        found = _FENCE.match(line)
        if closing:
            inside.append(line)
            if found and found[1].startswith(closing) and not line.strip(" " + closing[0]):
                parts.append("\n".join(inside))
                inside, closing = [], ""
        elif found and ("`" not in line[found.end() :] or found[1][0] == "~"):
            parts.append(_outside(outside))
            outside, inside, closing = [], [line], found[1]
        else:
            outside.append(line)
    if closing:
        parts.append("\n".join([*inside, closing]))
    parts.append(_outside(outside))
    return "\n".join(part for part in parts if part).strip("\n").rstrip()


def _outside(lines: Iterable[str]) -> str:
    """Lines outside of fences, without headings and tags."""
    found: list[str] = []
    for line in lines:
        heading = _HEADING.fullmatch(line)
        if heading:
            line = heading[1] + (f"**{heading[2]}**" if heading[2] else "\\#")
        elif (underline := _UNDERLINE.fullmatch(line)) and found and found[-1].strip():
            line = f"{underline[1]}\\{underline[2]}"
        found.append(line.rstrip())
    return inline("\n".join(found))


def inline(text: str) -> str:
    """A text of a spec within a line: code and mathematics as they are, tags as text."""
    text = _harmless(text)
    parts: list[str] = []
    at = 0
    for match in _VERBATIM.finditer(text):
        parts.append(_plain(text[at : match.start()]))
        kept = match[0]
        if match["math"] or match["display"]:
            kept = _TAG.sub(r"\\lt ", kept) if ">" in text[match.start() :] else kept
        parts.append(kept)
        at = match.end()
    parts.append(_plain(text[at:]))
    return "".join(parts)


def _plain(text: str) -> str:
    return _TAG.sub("&lt;", text)


def _harmless(text: str) -> str:
    """A text of whose links only those are links that a spec may have: others keep a bracket of theirs
    as a sign, wherever a reader of Markdown may take it for one of a link."""
    covered = [match.span() for match in _VERBATIM.finditer(text) if match["escaped"] or match["code"]]
    brackets = [
        found.start()
        for found in _LINK.finditer(text)
        if not _leads_to_page(found[1]) and not any(start <= found.start() < end for start, end in covered)
    ]
    # A definition is looked for before code is.
    brackets += [
        found.start() + len(found[1])
        for line in re.finditer("^", text, re.MULTILINE)
        if (found := _DEFINITION.match(text, line.start())) and not _leads_to_page(found[2])
    ]
    ends = [0, *sorted(set(brackets)), len(text)]
    return "\\".join(text[start:end] for start, end in pairwise(ends))


def _leads_to_page(destination: str) -> bool:
    """Is an address, as Markdown writes it, that of a page?"""
    return bool(page(unescape(_ESCAPED.sub(r"\1", destination.lstrip("<")))))


def line(text: str) -> str:
    """A text of a spec as one line, for a heading or a cell."""
    return inline(" ".join(text.split()))


def first_sentence(text: str | None) -> str:
    """The first sentence of a `doc`, on one line.

    >>> first_sentence("Half the height, e.g. by\\naveraging. More.")
    'Half the height, e.g. by averaging.'
    """
    paragraph = re.split(r"\n\s*\n", (text or "").strip(), maxsplit=1)[0]
    whole = " ".join(paragraph.split()).lstrip("#> ")
    end = re.search(r"(?<!\be\.g)(?<!\bi\.e)(?<!\betc)[.!?](?= [A-Z`$\[])", whole)
    return inline(whole[: end.end()] if end else whole)


def code(text: object) -> str:
    """A text as code within a line.

    >>> print(code("a | b"), code("a `b`"))
    `a | b` `` a `b` ``
    """
    content = " ".join(str(text).split("\n"))
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if content[:1] == "`" or content[-1:] == "`" or not content.strip() else ""
    return f"{ticks}{space}{content}{space}{ticks}"


def fence(text: str, language: str = "text") -> str:
    """A text as a block of code, behind as many ticks as it takes."""
    longest = max((len(run) for run in re.findall(r"^ {0,3}(`{3,})", text, re.MULTILINE)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], keep: int = 1) -> str:
    """A table; columns that are empty are left out, but for the first `keep`.

    >>> print(table(["name", "type", "note"], [["a", "`x | y`", ""]]))
    | name | type |
    | --- | --- |
    | a | `x \\| y` |
    """
    rows = [list(row) for row in rows]
    shown = [i for i in range(len(head)) if i < keep or any(row[i] for row in rows)]
    lines = [[head[i] for i in shown], ["---"] * len(shown)]
    lines += [[_cell(row[i]) for i in shown] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def link(shown: str, address: str) -> str:
    """A link; an address with brackets or spaces is put into `<>`."""
    if re.search(r"[\s()<>]", address):
        address = "<" + re.sub(r"[<>\n]", "", address) + ">"
    return f"[{shown}]({address})"


def slug(heading: str) -> str:
    """What a heading is called in an address: as GitHub makes it.

    >>> slug("ResnetBlock"), slug("nets.yaml"), slug("group_norm"), slug("The parts, again")
    ('resnetblock', 'netsyaml', 'group_norm', 'the-parts-again')
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class Anchors:
    """The addresses of a document's headings, in their order: of two that are alike, the second gets a
    number, as on GitHub."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def add(self, heading: str) -> str:
        """The address, with `#`, of a heading that follows those added before.

        >>> anchors = Anchors()
        >>> anchors.add("Swish"), anchors.add("swish")
        ('#swish', '#swish-1')
        """
        plain = found = slug(heading)
        while found in self._taken:
            self._taken[plain] += 1
            found = f"{plain}-{self._taken[plain]}"
        self._taken[found] = 0
        return f"#{found}"
