"""What YAML refuses, said in our words: which text it is, and how to write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from archc.source.diagnostic import Diagnostic, Related
from archc.source.quoting import balanced, closes, quoted, shortened
from archc.source.text import Source, Span

if TYPE_CHECKING:
    import yaml

Place = tuple[int, int]

_CLOSING = {"[": "]", "{": "}"}

_COMMENT = re.compile(r"\s#")
_ENTRY = re.compile(r"(?:- +)*(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[^\s#][^\n]*?): +")
_TEXT_BEHIND_QUOTES = re.compile(r"(?:\"[^\"\n]*\"|'[^'\n]*')[ ]*[^\s:#]")
_KEY = re.compile(r"[ ]*(?:- +)*[\w\"'][^\n]*?:(?:[ \n]|$)")


def advise(
    source: Source, text: str, error: yaml.MarkedYAMLError, last: Place | None, bracket: int | None
) -> tuple[Diagnostic, Span | None]:
    """The diagnostic of an error of YAML, and the text to hide so that reading can go on, if any.

    `text` is what was read: the source's, or that with mistakes hidden; `last` the place of the
    value that ended last, `bracket` where the innermost bracket opens that is still open.
    """
    return _Refusal(source, text, error, last, bracket).advise()


class _Refusal:
    def __init__(
        self, source: Source, text: str, error: Any, last: Place | None, bracket: int | None
    ) -> None:
        self.source = source
        self.text = text
        self.problem: str = error.problem or ""
        self.context: str = error.context or ""
        mark, begun = error.problem_mark, error.context_mark
        self.at: int = min(mark.index, len(text)) if mark else 0
        self.begun: int = min(begun.index, len(text)) if begun else self.at
        self.last = last
        self.bracket = bracket

    def advise(self) -> tuple[Diagnostic, Span | None]:
        for words, rule in _RULES:
            if re.search(words, f"{self.context} | {self.problem}"):
                return rule(self)
        return self.other()

    # Places

    def line_end(self, at: int) -> int:
        """The end of the line's words: before its comment and the space there."""
        stop = self.text.find("\n", at)
        line = self.text[at : len(self.text) if stop < 0 else stop]
        comment = _COMMENT.search(line)
        return at + len((line[: comment.start()] if comment else line).rstrip())

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def indent_end(self, at: int) -> int:
        """The first character of a line that is no space."""
        start = self.line_start(at)
        while self.text[start : start + 1] == " ":
            start += 1
        return start

    def value_start(self, at: int) -> int:
        """Where the value that covers `at` starts on its line: behind `key: ` and `- `."""
        start = self.line_start(at)
        first = start + len(re.match(r"[ ]*(?:- +)*", self.text[start:at] or "").group())  # type: ignore[union-attr]
        entry = _ENTRY.match(self.text, first)
        return entry.end() if entry and entry.end() <= at else first

    def item_start(self, opening: str) -> int:
        """Where the item of a flow collection starts that covers `at`, behind its `key: `."""
        depth = 0
        start = self.begun + 1
        for at in range(start, self.at):
            char = self.text[at]
            if char in "([{":
                depth += 1
            elif char in ")]}":
                depth -= 1
            elif char == "," and depth == 0:
                start = at + 1
        start += len(self.text[start : self.at]) - len(self.text[start : self.at].lstrip())
        entry = _ENTRY.match(self.text, start, self.at) if opening == "{" else None
        return entry.end() if entry else start

    def item_end(self, start: int) -> int:
        """The end of an item of a flow collection: a comma or a closing bracket outside of its own."""
        depth = 0
        at = start
        stop = self.text.find("\n", start)
        stop = len(self.text) if stop < 0 else stop
        while at < stop:
            char = self.text[at]
            if char in "([{":
                depth += 1
            elif char in ")]}":
                if depth == 0:
                    break
                depth -= 1
            elif char in "," and depth == 0:
                break
            at += 1
        return start + len(self.text[start:at].rstrip())

    def same_line(self, start: int, end: int) -> bool:
        return "\n" not in self.text[start:end]

    # What to say

    def told(
        self,
        code: str,
        message: str,
        start: int,
        end: int,
        advice: str,
        *related: Related,
        hide: bool = False,
    ) -> tuple[Diagnostic, Span | None]:
        span = Span(self.source, start, max(start, end))
        return Diagnostic(code, message, span, advice, related), span if hide else None

    def quote(self, code: str, message: str, start: int, end: int) -> tuple[Diagnostic, Span | None]:
        words = self.text[start:end]
        mark = words[:1]
        if mark in ("'", '"') and words[-1] == mark and words[1:-1].count(mark) % 2:  # 'it's'
            words = words[1:-1]
        advice = f"quote it: {shortened(quoted(words), 100)}"
        return self.told(code, message, start, end, advice, hide=end > start)

    # The rules, one for each kind of refusal

    def second_colon(self) -> tuple[Diagnostic, Span | None]:
        """`m: foo: bar`, `x[0: 3]`, or a line indented under a key that has a value."""
        last = self.last
        if last and last[0] < self.line_start(self.at) and self.line_start(self.at) < last[1] <= self.at:
            start, end = self.indent_end(self.at), self.line_end(self.at)
            above = self.indent_end(last[0])
            if above == last[0] and start - self.line_start(start) <= above - self.line_start(above):
                self.begun = above
                return self.no_colon()
            message = "this line stands deeper than the one above, which has its value already"
            advice = "give it the indentation of the lines beside it"
            place = Span(self.source, last[0], min(last[1], self.line_end(last[0])))
            return self.told("A027", message, start, end, advice, Related(place, "the value above"))
        start = self.value_start(self.at)
        if last and self.line_start(self.at) <= last[0] and last[1] == self.at:
            start = last[0]
        return self.quote(
            "A021", "YAML takes `: ` within a text for a further key", start, self.line_end(self.at)
        )

    def in_flow(self) -> tuple[Diagnostic, Span | None]:
        """Within `{}` or `[]`: an item that YAML ends too early, or a bracket never closed."""
        opening = self.text[self.begun : self.begun + 1]
        char = self.text[self.at : self.at + 1]
        if char == "" or (char in "]}" and char != _CLOSING.get(opening)):
            return self.never_closed(self.begun)
        key = _KEY.match(self.text, self.line_start(self.at))
        if key and not self.same_line(self.begun, self.at) and self.at <= key.end():
            if not closes(self.text, self.begun):
                return self.never_closed(self.begun)
            cut = self.text.rfind(" #", self.begun, self.line_start(self.at))
            if cut >= 0 and cut >= self.line_start(self.line_start(self.at) - 1):
                self.at = cut
                stop = self.text.find("\n", cut)
                start = self.item_start(opening)
                end = start + len(self.text[start : len(self.text) if stop < 0 else stop].rstrip("]} \r"))
                words = f"YAML takes `{shortened(self.text[cut + 1 : end])}` for a comment and drops it"
                return self.quote("A025", words, start, end)
            start, end = self.indent_end(self.at), self.line_end(self.at)
            message = f"within `{opening}{_CLOSING.get(opening, '')}` a comma is missing before this line"
            return self.told("A020", message, start, end, "end the line above with a comma")
        start = self.item_start(opening)
        end = max(self.item_end(start), self.at + 1)
        if char == ":":
            return self.quote("A021", "YAML takes `:` within a text for a key", start, end)
        if self.text[start : start + 1] in "\"'*&":
            return self.leading(start, end)
        pair = opening + _CLOSING.get(opening, "")
        return self.quote("A022", f"a text with brackets needs quotes within `{pair}`", start, end)

    def never_closed(self, at: int) -> tuple[Diagnostic, Span | None]:
        opening = self.text[at : at + 1]
        advice = f"close it with `{_CLOSING.get(opening, opening)}`, "
        advice += "or quote the text where the bracket belongs to it"
        return self.told("A026", f"this `{opening}` is never closed", at, at + 1, advice)

    def no_item(self) -> tuple[Diagnostic, Span | None]:
        """A comma or closing bracket where a value is wanted, or the end of the text."""
        char = self.text[self.at : self.at + 1]
        if char == "" and self.bracket is not None:
            return self.never_closed(self.bracket)
        if char and char in ",]}":
            message = "a value is missing before this comma"
            advice = "write the value, or remove the comma; quote the text where the comma belongs to it"
            if char != ",":
                message, advice = (
                    f"this `{char}` closes no bracket",
                    "remove it, or quote the text that it belongs to",
                )
            return self.told("A020", message, self.at, self.at + 1, advice)
        return self.other()

    def in_block(self) -> tuple[Diagnostic, Span | None]:
        """In indented lines: words after a value that has ended, or a wrong indentation."""
        last = self.last
        if last and (found := self.after_value(last)):
            return found
        start, end = self.indent_end(self.at), self.line_end(self.at)
        if self.text[self.at : self.at + 1] in (":", "?") and self.at == start:
            message = "the key is missing"
            return self.told("A014", message, start, end, "write `name: value`, or quote the text")
        if start < self.at or _TEXT_BEHIND_QUOTES.match(self.text, start):
            return self.leading(start, end)
        message, advice = self.why_misplaced(start)
        return self.told("A027", message, start, end, advice)

    def why_misplaced(self, start: int) -> tuple[str, str]:
        """What is wrong with the indentation of a line, and what to do."""
        if self.last:
            behind = self.text[self.last[1] : start]
            deeper = start - self.line_start(start) > self.last[0] - self.line_start(self.last[0])
            if re.match(r"[ \t]+#", behind) and (deeper or not _KEY.match(self.text, self.line_start(start))):
                return "a comment ends the text above, so this line belongs to nothing", (
                    "put the comment on a line of its own, before the text"
                )
        if self.text.startswith("- ", start) and "sequence" not in self.context:
            return "this item of a list stands among keys", "indent it below the key that it belongs to"
        if _KEY.match(self.text, self.line_start(start)) and "mapping" not in self.context:
            return "this key stands among the items of a list", "indent it as the keys that it belongs to"
        advice = "give it the indentation of the lines that it belongs to"
        return "the indentation of this line fits none of the lines above", advice

    def after_value(self, last: Place) -> tuple[Diagnostic, Span | None] | None:
        """Words that follow a quoted text, a closed bracket or an alias on its last line."""
        start, end = last
        if not (start < end <= self.at and self.same_line(end, self.at)):
            return None
        if self.text[start] in "\"'" and not self.same_line(start, end):
            return self.quote_closed_late(start, end)
        return self.leading(start, max(self.line_end(end), self.at))

    def quote_closed_late(self, start: int, end: int) -> tuple[Diagnostic, Span | None]:
        message = "this quote is not closed on its line"
        place = Related(Span(self.source, end - 1, end), "it is closed here")
        advice = "close it where its text ends"
        return self.told("A026", message, start, start + 1, advice, place)

    def leading(self, start: int, end: int) -> tuple[Diagnostic, Span | None]:
        """A text whose first character YAML keeps for itself."""
        first = self.text[start]
        first = "a backquote" if first == "`" else f"`{first}`"
        return self.quote("A023", f"a text that starts with {first} needs quotes", start, end)

    def no_token(self) -> tuple[Diagnostic, Span | None]:
        if self.text[self.at : self.at + 1] == "\t":
            return self.tab()
        return self.value_here()

    def value_here(self) -> tuple[Diagnostic, Span | None]:
        at = self.begun if self.same_line(self.begun, self.at) else self.at
        within = self.text[self.line_start(at) : at]
        end = self.line_end(at) if balanced(within) else self.item_end(at)
        return self.leading(at, max(end, at + 1))

    def tab(self) -> tuple[Diagnostic, Span | None]:
        end = self.at + 1
        while self.text[end : end + 1] == "\t":
            end += 1
        message = "a tab stands in the indentation"
        return self.told("A028", message, self.at, end, "indent with spaces, two for each level")

    def no_colon(self) -> tuple[Diagnostic, Span | None]:
        """A line among `key: value` lines that is none."""
        start, end = self.begun, self.line_end(self.begun)
        words = self.text[start:end]
        if words[:1] in ('"', "'") and words.count(words[0]) % 2:
            return self.open_quote()
        close = re.match(r"([A-Za-z_][\w, ]*?) *([:=]) *(\S.*)", words)
        message, advice = "this line is no `key: value`", "write `name: value`"
        if close:
            what = "put a space after the colon" if close[2] == ":" else "use a colon"
            advice = f"{what}: `{shortened(close[1] + ': ' + close[3])}`"
        elif words.startswith("-"):
            message, advice = "this line is no item of a list", "put a space after the `-`"
        return self.told("A020", message, start, end, advice)

    def open_quote(self) -> tuple[Diagnostic, Span | None]:
        message = "this quote is never closed"
        advice = "close it where its text ends; quote the whole text where the quote belongs to it"
        return self.told("A026", message, self.begun, self.begun + 1, advice)

    def escape(self) -> tuple[Diagnostic, Span | None]:
        at = self.text.rfind("\\", self.begun, self.at + 1)
        at = self.at if at < 0 else at
        words = re.compile(r"\\(?:[xuU][0-9a-fA-F]*|.?)").match(self.text, at)[0]  # type: ignore[index]
        advice = "write `\\\\` for a backslash, or put the text in single quotes"
        message = f"`{words}` means nothing within double quotes"
        return self.told("A029", message, at, at + len(words), advice, hide=True)

    def after_end(self) -> tuple[Diagnostic, Span | None]:
        if self.last and (found := self.after_value(self.last)):
            return found
        if _KEY.match(self.text, self.line_start(self.at)):
            message = "this line stands further left than the first"
            advice = "give both the same indentation"
            return self.told("A027", message, self.at, self.line_end(self.at), advice)
        advice = "a spec is `key: value` lines: `archc: 1`, `blocks:`"
        return self.told(
            "A020", "this does not belong to what stands above", self.at, self.line_end(self.at), advice
        )

    def wrong_tag(self) -> tuple[Diagnostic, Span | None]:
        self.at = self.begun
        return self.value_here()

    def directive(self) -> tuple[Diagnostic, Span | None]:
        if self.text.startswith("%YAML", self.begun):
            end = self.line_end(self.begun)
            return self.told("A020", "archc reads YAML 1.2", self.begun, end, "remove this line")
        return self.value_here()

    def other(self) -> tuple[Diagnostic, Span | None]:
        end = max(self.line_end(self.at), self.at)
        message = f"YAML cannot read this: {self.problem or 'it is not YAML'}"
        return self.told("A020", message, self.at, end, "put the text in quotes, or see `archc explain A020`")


_RULES: tuple[tuple[str, Callable[[_Refusal], tuple[Diagnostic, Span | None]]], ...] = (
    ("mapping values are not allowed", _Refusal.second_colon),
    (r"flow (mapping|sequence) \|", _Refusal.in_flow),
    (r"tab character", _Refusal.tab),
    (r"block (mapping|collection|sequence) \|", _Refusal.in_block),
    (r"(entries|keys) are not allowed", _Refusal.value_here),
    (r"simple key", _Refusal.no_colon),
    (r"quoted scalar \| .*(end of stream|document)", _Refusal.open_quote),
    (r"quoted scalar", _Refusal.escape),
    (r"cannot start any token", _Refusal.no_token),
    (r"(block scalar|alias|anchor)", _Refusal.value_here),
    (r"directive|incompatible YAML", _Refusal.directive),
    (r"expected (the )?node content", _Refusal.no_item),
    (r"\btag\b", _Refusal.wrong_tag),
    (r"document start", _Refusal.after_end),
)
