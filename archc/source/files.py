"""Reads the text of a spec: bounded, UTF-8, without characters that hide what it says."""

from __future__ import annotations

import os
import re
import stat
import sys
import unicodedata
from pathlib import Path

from archc.source.diagnostic import Report, did_you_mean
from archc.source.text import Source, Span

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes of the largest file that is read: some 250,000 flow lines."""

_BOM = "\ufeff"
_UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

# Control characters, line ends other than \n and \r\n (YAML would count lines unlike every editor),
# marks that turn the direction of what is shown, and halves of UTF-16 pairs.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
    "|\r(?!\n)|(?<!^)\ufeff"
)
_CONTROL_NAMES = {0: "NULL", 0x0D: "CARRIAGE RETURN without LINE FEED", 0x1B: "ESCAPE", 0x7F: "DELETE"}


def read(
    path: str | Path, report: Report, span: Span | None = None, *, instead: str | None = None
) -> Source | None:
    """The text of a file, or of standard input for `-`. Mistakes go to the report, at `span`, the place
    that names the file, if any; the answer is None then. `instead` is what to do where there is no file.
    """
    if str(path) == "-":
        return decode(sys.stdin.buffer.read(LARGEST_FILE + 1), "<stdin>", report, span)
    try:
        file = open(path, "rb")  # noqa: SIM115
        with file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > LARGEST_FILE:
                return _too_large(str(path), status.st_size, report, span)
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        _unreadable(Path(path), error, report, span, instead)
        return None
    return decode(data, str(path), report, span)


def decode(data: bytes, name: str, report: Report, span: Span | None = None) -> Source | None:
    """The text of a file's bytes."""
    if len(data) > LARGEST_FILE:
        return _too_large(name, None, report, span)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = Source(name, data.decode("utf-8", "replace"))
        at = len(data[: error.start].decode("utf-8"))
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{data[error.start]:02X} on line {line} is not UTF-8"
        advice = "save the file as UTF-8"
        if data.startswith(_UTF16_OR_32):
            message, advice = "this file is UTF-16 or UTF-32, not UTF-8", "save it as UTF-8"
        report.error("A004", message, Span(shown, at, at + 1), advice)
        return None
    return checked(text, name, report)


def checked(text: str, name: str, report: Report) -> Source | None:
    """A text given directly, under the name it is to be shown by."""
    if len(text) > LARGEST_FILE:
        return _too_large(name, None, report, None)
    source = Source(name, text.removeprefix(_BOM))
    wrong = _FORBIDDEN.search(source.text)
    if wrong is None:
        return source
    char = wrong[0]
    called = unicodedata.name(char, _CONTROL_NAMES.get(ord(char), "control character"))
    message = f"the character U+{ord(char):04X} ({called}) may not stand in a spec"
    advice = f'remove it; within double quotes it may be written `"\\u{ord(char):04X}"`'
    if char == "\r":
        advice = "end lines with a line feed, or carriage return and line feed"
    elif char == "\0" and source.text.count("\0") * 3 > len(source.text):
        advice = "is this a binary or UTF-16 file? save it as UTF-8"
    report.error("A005", message, Span(source, wrong.start(), wrong.end()), advice)
    return None


def _too_large(name: str, size: int | None, report: Report, span: Span | None) -> None:
    limit = LARGEST_FILE // 2**20
    what = f"has {size / 2**20:.0f} MB" if size else f"has more than {limit} MB"
    advice = f"a spec has at most {limit} MB; is this a file of weights?"
    report.error("A003", f"`{name}` {what}", span, advice)


def _unreadable(
    path: Path, error: OSError | ValueError, report: Report, span: Span | None, instead: str | None
) -> None:
    if isinstance(error, FileNotFoundError):
        report.error("A001", f"there is no file `{path}`", span, instead or _advice_missing(path))
    elif isinstance(error, IsADirectoryError):
        specs = sorted(item.name for item in path.glob("*.yaml"))
        advice = f"name a file in it: `{path / specs[0]}`" if specs else "name a file, `folder/spec.yaml`"
        report.error("A002", f"`{path}` is a folder", span, advice)
    elif isinstance(error, PermissionError):
        report.error("A002", f"`{path}` may not be read", span, "ask for the right to read it")
    else:
        reason = error.strerror if isinstance(error, OSError) else "its name is none"
        report.error("A002", f"`{path}` cannot be read: {reason}", span, "check the file's name and place")


def _advice_missing(path: Path) -> str:
    """The nearest name in the folder, or the first folder of the way that is missing."""
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder `{folder}` either"
    try:
        names = sorted(item.name for item in folder.iterdir())
    except OSError:
        return "check the file's name and place"
    specs = [name for name in names if name.endswith((".yaml", ".yml"))]
    stems = {Path(name).stem: name for name in specs}  # compared without the ending, which all share
    close = did_you_mean(path.name, names) if path.suffix not in (".yaml", ".yml", "") else None
    close = close or stems.get(path.stem) or stems.get(did_you_mean(path.stem, stems) or "")
    if close:
        return f"did you mean `{folder / close}`?"
    if not specs:
        return f"there is no YAML file in `{folder}`"
    return f"in `{folder}` there is " + ", ".join(f"`{name}`" for name in specs[:4])
