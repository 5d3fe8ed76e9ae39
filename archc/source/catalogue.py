"""The table of everything that archc tells its users, by code.

Each code has a page, `docs/errors/<CODE>.md`, with an example that yields exactly that code.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]


class Code(NamedTuple):
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
STRUCTURE: dict[str, Code] = {
    "A100": Code("version missing, or another one"),
    "A101": Code("unknown key"),
    "A102": Code("something that is needed is missing"),
    "A103": Code("value of another kind than wanted"),
    "A104": Code("no name"),
    "A105": Code("name given twice"),
    "A106": Code("key without a value"),
    "A107": Code("unknown dtype"),
    "A108": Code("keys of a node that do not go together"),
    "A109": Code("given in two places"),
    "A110": Code("free dimension in lower case"),
    "A111": Code("output that names no value"),
    "A112": Code("group that names nothing"),
    "A113": Code("groups that overlap"),
    "A114": Code("preset of an unknown param"),
    "A116": Code("main block that is not there"),
    "A117": Code("no importable module"),
    "A118": Code("operators of a module that is not allowed"),
    "A120": Code("entry of `use` that names no file or block"),
    "A121": Code("file outside the project"),
    "A122": Code("used block that is not in the file"),
    "A123": Code("two blocks of one name"),
    "A124": Code("blocks that call each other in a circle"),
    "A125": Code("unknown file of the library"),
    "A126": Code("module of operators that cannot be loaded"),
    "A127": Code("operator whose name is taken"),
    "A128": Code("input named as a module of operators"),
}

# A2xx: expressions, flow lines, names.
EXPRESSIONS: dict[str, Code] = {
    "A201": Code("sign or letter that is not part of the language"),
    "A202": Code("text in quotes that is never closed, or a wrong escape"),
    "A203": Code("number that cannot be read"),
    "A204": Code("bracket without its partner"),
    "A205": Code("something is missing in an expression"),
    "A206": Code("unexpected word or sign"),
    "A207": Code("word that may not be a name here"),
    "A208": Code("`=` out of place"),
    "A209": Code("Python that is not part of the language"),
    "A211": Code("`->` in an expression"),
    "A212": Code("`if` in the brackets of a flow line"),
    "A213": Code("argument given twice or out of order"),
    "A214": Code("expression that is too long or too deep"),
    "A215": Code("type of a param that cannot be read"),
    "A216": Code("shape that cannot be read"),
    "A217": Code("repeat that cannot be read"),
    "A218": Code("step that cannot be read"),
    "A219": Code("node that calls nothing"),
    "A221": Code("value of the wrong kind"),
    "A222": Code("division by zero"),
    "A223": Code("index out of range"),
    "A224": Code("expression that takes too much work"),
    "A226": Code("value that does not fit its type"),
    "A227": Code("wrong call of a function"),
    "A228": Code("function without a value there"),
    "A229": Code("row with another number of items"),
}

# A24x to A29x: names that mean nothing, or something else.
MEANING: dict[str, Code] = {
    "A240": Code("undefined name"),
    "A241": Code("`.all` of a node without copies"),
    "A242": Code("call that cannot stand here"),
    "A243": Code("operator with weights called in place"),
    "A244": Code("unknown argument"),
    "A245": Code("values that need each other"),
    "A246": Code("argument given twice"),
    "A247": Code("too many arguments"),
    "A248": Code("`each` outside the inputs of a repeat"),
    "A249": Code("source used as a step"),
    "A250": Code("unknown node, operator or block"),
    "A251": Code("default that needs its own param"),
    "A252": Code("unknown node in a path"),
    "A253": Code("unknown operator in a rule of `init`"),
    "A254": Code("copies that share weights and differ"),
    "A255": Code("word that is also a name"),
    "A256": Code("unknown preset"),
    "A257": Code("case that cannot be chosen"),
}

# A3xx: shapes.
SHAPES = {
    "A301": Code("sizes that differ"),
    "A302": Code("shape that an operator refuses"),
    "A303": Code("sizes that a block refuses"),
    "A304": Code("size that is too small"),
    "A305": Code("dtype that does not fit"),
    "A306": Code("shape that an input refuses"),
    "A307": Code("sizes of which nothing can be said"),
    "A308": Code("conditions that no sizes fulfil"),
}

# A4xx: elaboration: params, calls, arguments, repetition, presence, bundles.
ELABORATION = {
    "A401": Code("param or attribute missing"),
    "A402": Code("param or attribute unknown"),
    "A403": Code("value of the wrong kind"),
    "A404": Code("too many arguments, or one unknown or given twice"),
    "A405": Code("wrong number of inputs"),
    "A406": Code("number that must be known when the model is built"),
    "A407": Code("requirement that does not hold"),
    "A408": Code("dimension without a value"),
    "A409": Code("preset unknown"),
    "A410": Code("copies that cannot be counted out"),
    "A411": Code("no such case"),
    "A412": Code("bundle and tensor confused"),
    "A413": Code("open input where the model must be fixed"),
    "A414": Code("blocks nested too deeply"),
    "A415": Code("too many blocks that differ"),
    "A417": Code("more names than outputs"),
    "A418": Code("output or weight unknown"),
    "A420": Code("one set of weights for two shapes"),
    "A421": Code("no output"),
    "A422": Code("too many open inputs"),
    "A423": Code("input that cannot be given or absent"),
    "A424": Code("bundle whose length and shape must be known"),
    "A425": Code("expression that values do not have"),
    "A430": Code("weights without a node"),
}

# A5xx: weights: init, tie.
WEIGHTS = {
    "A501": Code("initialiser unknown"),
    "A502": Code("initialiser that does not fit the weight"),
    "A503": Code("weight of a tie unknown"),
    "A504": Code("tie of weights of different shapes"),
    "A505": Code("init rule for a weight that there is not"),
}

# A6xx: building, running, checkpoints.
RUNNING: dict[str, Code] = {
    "A601": Code("node named as a method of every torch module"),
    "A602": Code("file of weights that lacks some"),
    "A603": Code("file of weights with more than the model takes"),
    "A604": Code("tensors of another shape or kind in a file of weights"),
    "A605": Code("file of weights that cannot be read"),
    "A606": Code("node applied in ways that need different code"),
    "A607": Code("weights that a checkpoint map cannot write"),
    "A608": Code("tied weights that differ in a file"),
    "A610": Code("no checkpoint map of that name"),
    "A611": Code("entry of a checkpoint map that cannot be read"),
    "A612": Code("entry of a checkpoint map that names nothing"),
    "A613": Code("two tensors that are one in a checkpoint"),
    "A614": Code("part of a name that is no text and no number"),
    "A615": Code("two entries of a checkpoint map for one tensor"),
    "A616": Code("change in a checkpoint map that cannot give the shape"),
    "A617": Code("number in a change of a checkpoint map that is none"),
}

# A7xx: the command line, addresses.
COMMANDS: dict[str, Code] = {
    "A701": Code("no address"),
    "A702": Code("no setting"),
    "A703": Code("setting given twice"),
    "A705": Code("unknown block of an address"),
    "A706": Code("unknown preset of an address"),
    "A707": Code("setting of an unknown param"),
}

# A9xx: warnings.
WARNINGS: dict[str, Code] = {
    "A901": Code("node that never reaches an output", "warning"),
    "A902": Code("value that never reaches an output", "warning"),
    "A903": Code("block checked without its numbers", "note"),
}

CODES: dict[str, Code] = {
    **READING,
    **STRUCTURE,
    **EXPRESSIONS,
    **MEANING,
    **SHAPES,
    **ELABORATION,
    **WEIGHTS,
    **RUNNING,
    **COMMANDS,
    **WARNINGS,
}
