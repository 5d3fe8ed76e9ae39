"""What an operator is.

An operator is declared once, complete without torch: its attributes (pydantic fields, in the
order in which a spec may give them by position), its ports (the parameters of `shape`), its
shape rule, weights, cost, how it is written in PyTorch, and examples that its test runs.
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from archc.ops.attributes import NeedsStatic, Wrong, advice, shown
from archc.shapes import Size, Tensor


class Port(NamedTuple):
    """An input of an operator. A variadic port takes any number of values and bundles."""

    name: str
    optional: bool = False
    variadic: bool = False


class Weight(NamedTuple):
    """A tensor that an operator owns: a parameter, or a buffer where `buffer` is true."""

    shape: tuple[Size, ...]
    dtype: str = "float"
    buffer: bool = False
    trainable: bool = True
    persistent: bool = True  # False: not in the state_dict
    optional: bool = False  # a file may lack it, as those of older torch do: it then begins with zeros


@dataclass(frozen=True, slots=True)
class Example:
    """Uses of an operator, for its contract test: every attribute with the values to try.

    `inputs` are types as a spec writes them, `"[B, 8, H, W]"` or `"int64[B, T]"`, one a port in
    order (None: not wired). The test draws the names' sizes, from `sizes` where given, else from
    1 to 9, and one value of each attribute; torch on meta tensors must then give the shapes that
    the operator tells, or refuse where it does.
    """

    inputs: tuple[str | None, ...] = ()
    attributes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    meta: bool = True  # False: torch needs real values, drawn as zeros
    stricter: bool = False  # the operator refuses some uses that torch takes: say why beside it


class ShapeError(Exception):
    """A shape rule's complaint.

    `about` names the attributes or ports at fault, so that the error points at their words.
    `needs_static`: the symbolic size that must be known when the model is built.
    `__cause__` may be a `Mismatch` of archc.shapes, which knows the smallest sizes that fail.
    """

    def __init__(
        self,
        message: str,
        *,
        about: tuple[str, ...] = (),
        help: str | None = None,
        needs_static: Any = None,
    ):
        super().__init__(message)
        self.message = message
        self.about = about
        self.help = help
        self.needs_static = needs_static


class Declared(BaseModel):
    """Base of what a spec calls with attributes: operators and initialisers."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        defer_build=True,
        protected_namespaces=(),  # comparing each attribute's name takes a tenth of making a class
    )

    imports: ClassVar[tuple[str, ...]] = ()
    """Modules that its source names, other than torch."""
    spread: ClassVar[str | None] = None
    """The field that takes further keywords, if one does: a mapping of them."""

    @classmethod
    @cache
    def title(cls) -> str:
        """Its name in a spec: `LayerNorm` is `layer_norm`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    @cache
    def attributes(cls) -> tuple[str, ...]:
        """The attributes' names, in the order in which they may be given by position."""
        return tuple(f.alias or name for name, f in cls.model_fields.items())

    @classmethod
    def bound(cls, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """One with these attributes; raises BadAttributes. See `bind`."""
        return bind(cls, args, kwargs)

    @classmethod
    def takes(cls, name: str) -> bool:
        """Has it an attribute of that name?"""
        return cls.spread is not None or name in cls.attributes()

    @classmethod
    @cache
    def signature(cls) -> str:
        """How it is called: `conv2d(c_out, kernel, stride=1, ...)`."""
        parts = []
        for name, f in cls.model_fields.items():
            if name == cls.spread:
                continue
            elif f.is_required():
                parts.append(f.alias or name)
            else:
                default = f.default.title() if isinstance(f.default, Declared) else shown(f.default)
                parts.append(f"{f.alias or name}={default.strip(chr(34))}")
        if cls.spread:
            parts.append(f"**{cls.model_fields[cls.spread].alias or cls.spread}")
        return f"{cls.title()}({', '.join(parts)})"


class Op(Declared):
    """Base of all operators.

    An attribute named as a method here (`shape`) is a field of another name with that alias.
    """

    kind: ClassVar[str] = "other"
    """Its colour in a diagram: conv, linear, norm, activation, attention, resampling or other."""
    formula: ClassVar[str] = ""
    """What it computes, as LaTeX for a document; empty where its docstring says it better."""
    outputs: ClassVar[tuple[str, ...]] = ("out",)
    """The names of its outputs; of one whose number of outputs varies, see `output_names`."""
    weighted: ClassVar[bool] = False
    """It may own weights or buffers; one that does (`owns_weights`) must be a node of the spec."""
    source: ClassVar[bool] = False
    """It has no inputs and no weights: it may stand in a flow line as an operand."""
    named_axes: ClassVar[bool] = False
    """Its attribute `pattern` names axes (see `archc.ops.pattern.axis_names`): one that is named as a
    number of the block has that size, given as a further keyword."""
    starred: ClassVar[bool] = False
    """Its variadic port takes a bundle as it is (`*skips` in `call`), not member by member."""
    copied: ClassVar[bool] = True
    """It may be a node with `repeat` or `parallel`."""
    new_sizes: ClassVar[bool] = False
    """Its outputs may have sizes that only the running model knows, each time others."""
    random: ClassVar[bool] = False
    """In training its result differs from call to call."""
    helpers: ClassVar[Mapping[str, str]] = {}
    """Functions that `call` uses, name -> complete source; the emitter puts each once in the file."""
    examples: ClassVar[tuple[Example, ...]] = ()
    """What the contract test tries."""

    def shape(self, *inputs: Any, **ports: Any) -> Tensor | tuple[Tensor, ...]:
        """The outputs' types from the inputs' types; raises ShapeError. Absent ports are None."""
        raise NotImplementedError

    @property
    def owns_weights(self) -> bool:
        """Does it own weights, with its attributes? If not, `module` is None and it needs no node."""
        return self.weighted

    def output_names(self, count: int) -> tuple[str, ...]:
        """The names of its outputs where `shape` told `count` of them."""
        return self.outputs if count == len(self.outputs) else tuple(f"out{i}" for i in range(count))

    def weights(self, *inputs: Tensor) -> dict[str, Weight]:
        """The tensors it owns, by their names below the node ("" is the node's own name)."""
        return {}

    def module(self, *inputs: Tensor) -> str | None:
        """The source of the submodule that it owns, e.g. `nn.Linear(64, 128)`; None without weights."""
        return None

    def call(self, *inputs: str, self_: str | None = None) -> str:
        """The source of its application, one expression. `inputs` are identifiers, one a port of
        `shape` (None where absent; a variadic port's are spread), `self_` is its submodule's.

        Names it may use: torch, nn, F, math, `self.training`, its `helpers`, and, for which the
        emitter puts what is right there, `DEVICE` and `DTYPE` (the default dtype)."""
        return f"{self_}({', '.join(i for i in inputs if i is not None)})"

    def lower(
        self, inputs: Sequence[str | None], types: Sequence[Tensor | None], self_: str | None = None
    ) -> str:
        """What the emitter asks for: `call`, told the inputs' types as well. For operators whose
        source depends on them; from `call` alone they give a source that holds for all."""
        return self.call(*inputs, self_=self_)  # type: ignore[arg-type]

    def flops(self, *inputs: Tensor) -> Size | None:
        """Floating point operations of one application: 2 a multiply-add; None where it cannot tell."""
        return 0

    def label(self, *inputs: Tensor) -> str:
        """The small line under its name in a diagram, e.g. `64 → 128, 3x3 s2`."""
        return ""

    @classmethod
    @cache
    def ports(cls) -> tuple[Port, ...]:
        """The inputs, as the signature of `shape` tells them."""
        found = []
        for p in list(inspect.signature(cls.shape).parameters.values())[1:]:
            found.append(Port(p.name, p.default is None, p.kind is p.VAR_POSITIONAL))
        return tuple(found)


class AttributeProblem(NamedTuple):
    """What is wrong with one argument of a call: its position or name, or None for the call."""

    argument: int | str | None
    message: str
    help: str | None = None
    needs_static: Any = None


class BadAttributes(Exception):
    """All that is wrong with the attributes of a call."""

    def __init__(self, problems: list[AttributeProblem]):
        super().__init__("; ".join(p.message for p in problems))
        self.problems = tuple(problems)


D = TypeVar("D", bound=Declared)


def bind(cls: type[D], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> D:
    """An operator (or initialiser) from a call's attributes; raises BadAttributes with all problems.

    >>> from archc.ops.linear import Linear
    >>> bind(Linear, (64,), {"bias": False})
    Linear(n=64, bias=False)
    """
    names = [n for n in cls.attributes() if n != cls.spread]
    problems: list[AttributeProblem] = []
    values: dict[str, Any] = dict(zip(names, args, strict=False))
    given: dict[str, int | str] = {name: i for i, name in enumerate(values)}
    further: dict[str, Any] = {}
    if len(args) > len(names):
        count = f"at most {len(names)} attribute{'s' * (len(names) != 1)}" if names else "no attributes"
        problems.append(
            AttributeProblem(len(names), f"`{cls.title()}` takes {count}, not {len(args)}", _usage(cls))
        )
    for name, value in (kwargs or {}).items():
        if name in values:
            problems.append(AttributeProblem(name, f"`{name}` is given twice"))
        elif name in names:
            values[name] = value
            given[name] = name
        elif cls.spread:
            further[name] = value
        else:
            message = f"`{cls.title()}` has no attribute `{name}`"
            problems.append(AttributeProblem(name, message, advice(name, names) or _usage(cls)))
    if further and cls.spread:
        values[cls.spread] = further
    try:
        bound = cls(**values)
    except ValidationError as errors:
        for error in errors.errors(include_url=False, include_input=False):
            problems += _problems(cls, error, given)
        raise BadAttributes(problems) from None
    if problems:
        raise BadAttributes(problems)
    return bound


def _usage(cls: type[Declared]) -> str:
    return f"it is written `{cls.signature()}`"


def _problems(cls: type[Declared], error: Any, given: Mapping[str, int | str]) -> list[AttributeProblem]:
    field_name = error["loc"][0] if error["loc"] else None
    if error["type"] == "missing":
        return [AttributeProblem(None, f"`{cls.title()}` needs `{field_name}`", _usage(cls))]
    wrong = error.get("ctx", {}).get("error")
    assert isinstance(wrong, Wrong), error
    symbolic = wrong.dim if isinstance(wrong, NeedsStatic) else None
    name = wrong.about[0] if wrong.about else field_name
    message = wrong.message if wrong.whole or name is None else f"`{name}` {wrong.message}"
    return [AttributeProblem(given.get(name or "", name), message, wrong.help, symbolic)]
