"""The table of everything that archc tells its users, by code.

Each code has a page, `docs/errors/<CODE>.md`, with an example that yields exactly that code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for, in a few words."""

    title: str
    severity: Severity = "error"


# A0xx: reading a file, and its YAML.
READING = {
    "A001": Code("file not found"),
    "A002": Code("file cannot be read"),
    "A003": Code("file is too large"),
    "A004": Code("file is not UTF-8"),
    "A005": Code("character that may not stand in a spec"),
    "A010": Code("file holds nothing"),
    "A011": Code("several documents in one file"),
    "A012": Code("nested too deeply"),
    "A013": Code("key given twice"),
    "A014": Code("key that is no word"),
    "A015": Code("tag"),
    "A016": Code("merge key"),
    "A017": Code("alias of an unknown anchor, or of itself"),
    "A018": Code("too many aliases"),
    "A019": Code("number with too many digits"),
    "A020": Code("not YAML"),
    "A021": Code("text with `: ` needs quotes"),
    "A022": Code("text with brackets needs quotes"),
    "A023": Code("text that starts with a special character needs quotes"),
    "A024": Code("text cut at a comma"),
    "A025": Code("text cut short by ` #`"),
    "A026": Code("bracket or quote never closed"),
    "A027": Code("wrong indentation"),
    "A028": Code("tab in the indentation"),
    "A029": Code("wrong escape in a quoted text"),
}

# A1xx: the structure of a file, its blocks and their keys.
STRUCTURE: dict[str, Code] = {}

# A2xx: expressions, flow lines, names.
EXPRESSIONS: dict[str, Code] = {}

# A3xx: shapes.
SHAPES: dict[str, Code] = {}

# A4xx: elaboration: params, calls, arguments, repetition, presence, bundles.
ELABORATION: dict[str, Code] = {}

# A5xx: weights: init, tie.
WEIGHTS: dict[str, Code] = {}

# A6xx: building, running, checkpoints.
RUNNING: dict[str, Code] = {}

# A7xx: the command line, addresses.
COMMANDS: dict[str, Code] = {}

# A9xx: warnings.
WARNINGS: dict[str, Code] = {}

CODES: dict[str, Code] = {
    **READING,
    **STRUCTURE,
    **EXPRESSIONS,
    **SHAPES,
    **ELABORATION,
    **WEIGHTS,
    **RUNNING,
    **COMMANDS,
    **WARNINGS,
}
