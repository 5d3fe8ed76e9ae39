"""Operators that a user writes in Python: `@archc.op`.

A decorated function or class is what it was before. What archc makes of it, a class of operators, is
noted on it; `archc.ops.extensions` finds it there when a spec names the module.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, overload

from archc.ops.annotations import Signature, outputs, signature
from archc.ops.asked import Asked, Probe, Question, bare, tensors_only
from archc.ops.base import Op, Port, ShapeError, Weight
from archc.ops.declaring import model_of, place_of, title_of, what_of
from archc.ops.extensions import MARK
from archc.ops.python import call, unless
from archc.ops.shape_rule import ShapeRule, read_rule
from archc.shapes import Dim, Size, Tensor, supposing

F = TypeVar("F", bound=Callable[..., Any])
Rule = str | Callable[..., Any]

KINDS = ("conv", "linear", "norm", "activation", "attention", "resampling", "other")


class UserOperator(Asked):
    """Base of users' operators."""

    advice = 'tell it by a rule, as `@archc.op(shape="[B, T] -> [B, T]")`, or give the sizes that are free'
    target: ClassVar[Any]
    name: ClassVar[str]
    place: ClassVar[tuple[str, str]]
    """Its module, and its name there."""
    declared: ClassVar[Signature]
    inputs: ClassVar[tuple[Port, ...]]
    returns: ClassVar[tuple[str, ...] | None]
    rule: ClassVar[ShapeRule | Callable[..., Any] | None]
    inferred: ClassVar[tuple[str, ...]] = ()
    """Parameters of a layer that are sizes of what arrives."""
    cost: ClassVar[Callable[..., Any] | None]

    @classmethod
    def title(cls) -> str:
        return cls.name

    @classmethod
    def ports(cls) -> tuple[Port, ...]:
        return cls.inputs

    @classmethod
    def keyword_ports(cls) -> frozenset[str]:
        return frozenset(cls.declared.named)

    def given(self) -> dict[str, Any]:
        """The attributes by the names that their author gave them."""
        return {f.alias or name: getattr(self, name) for name, f in type(self).model_fields.items()}

    def shape(self, *inputs: Tensor | None) -> tuple[Tensor, ...]:
        if not any(port.variadic for port in self.inputs):
            tensors_only(self.inputs, inputs)
        if self.rule is None:
            made = self.asked(inputs).outputs
        else:
            made = self._ruled(inputs)
            self._held_against_torch(inputs, made)
        if self.returns is not None and len(made) != len(self.returns):
            raise ShapeError(f"`{self.name}` gives {len(made)} outputs, and declares {len(self.returns)}")
        return made

    def _ruled(self, inputs: Sequence[Tensor | None]) -> tuple[Tensor, ...]:
        """The outputs by the rule; raises ShapeError."""
        if isinstance(self.rule, ShapeRule):
            return self.rule.results(inputs, {**self.given(), **self.sizes(inputs)})
        assert self.rule is not None
        variadic = any(port.variadic for port in self.inputs)
        named = {} if variadic else {p.name: t for p, t in zip(self.inputs, inputs, strict=True)}
        try:
            made = self.rule(*(inputs if variadic else ()), **named, **self.given())
        except ValueError as refused:
            raise ShapeError(str(refused)) from refused
        first = next((t for t in inputs if t is not None), Tensor(()))
        several = isinstance(made, list) or (bool(made) and isinstance(made, tuple) and _is_types(made))
        return tuple(_typed(one, first.dtype) for one in (made if several else [made]))

    def sizes(self, inputs: Sequence[Tensor | None]) -> dict[str, Any]:
        """The sizes that the rule binds; raises ShapeError."""
        if not isinstance(self.rule, ShapeRule):
            return {}
        return self.rule.bind(self.inputs, inputs, self.given())

    def _held_against_torch(self, inputs: tuple[Tensor | None, ...], made: tuple[Tensor, ...]) -> None:
        """A rule that is wrong would build a model that is: it is tried with plain sizes."""
        if self.probe is None or supposing():
            return
        wrong = self.probe.disagrees(self.question(inputs), made)
        if wrong is not None:
            help = f"mend the rule of `{self.place[1]}` in `{self.place[0]}`, or leave it out"
            raise ShapeError(f"the shape rule of `{self.name}` tells {wrong}", help=help)

    def question(self, inputs: tuple[Tensor | None, ...]) -> Question:
        training = (("training", False),) if self.declared.training else ()
        kwargs = tuple((name, bare(value)) for name, value in self._arguments(inputs).items())
        variadic = any(port.variadic for port in self.inputs)
        names = (None,) * len(inputs) if variadic else tuple(port.name for port in self.inputs)
        return Question(self.target, (), (*kwargs, *training), names, inputs)

    def _arguments(self, inputs: Sequence[Tensor | None]) -> dict[str, Any]:
        return self.given()

    def is_nested(self, inputs: tuple[Tensor | None, ...]) -> bool:
        return self.rule is None and super().is_nested(inputs)

    def flops(self, *inputs: Tensor) -> Size | None:  # type: ignore[override]
        if self.cost is None:
            return None
        named = {port.name: given for port, given in zip(self.inputs, inputs, strict=False)}
        return type(self).cost(**named, **self.given())  # type: ignore[misc]

    def label(self, *inputs: Tensor | None) -> str:
        required = [f for f, info in type(self).model_fields.items() if info.is_required()]
        texts = [str(getattr(self, f)) for f in required]
        for name, info in type(self).model_fields.items():
            if name not in required and getattr(self, name) != info.default:
                texts.append(f"{info.alias or name}={getattr(self, name)}")
        return ", ".join(texts)

    def keywords(self, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The attributes as arguments of its call, less what is the default."""
        values = self.given() if names is None else names
        defaults = {name: attribute.default for name, attribute in self.declared.attributes.items()}
        return {
            name: value
            if defaults[name] is inspect.Parameter.empty or _differ(value, defaults[name])
            else unless(value, defaults[name])
            for name, value in values.items()
        }


class UserFunction(UserOperator):
    """An operator that is a function."""

    def call(self, *inputs: str | None, self_: str | None = None) -> str:
        from archc.ops.python import Code

        training = {"training": Code("self.training")} if self.declared.training else {}
        return self.applied(".".join(self.place), inputs, **self.keywords(), **training)


class UserLayer(UserOperator):
    """An operator that is a module with weights."""

    weighted = True

    def _arguments(self, inputs: Sequence[Tensor | None]) -> dict[str, Any]:
        """What makes it: attributes, and sizes of what arrives, in the order of its `__init__`."""
        given = self.given()
        if self.inferred:
            found = self.sizes(inputs)
            for name in self.inferred:
                if isinstance(found[name], Dim):
                    message = f"`{name}` of `{self.name}` must be known when the model is built"
                    raise ShapeError(message, needs_static=found[name])
                given[name] = found[name]
        return {name: given[name] for name in self.declared.attributes}

    def weights(self, *inputs: Tensor | None) -> Mapping[str, Weight]:  # type: ignore[override]
        if self.probe is None:
            raise ShapeError(f"nobody is here to ask torch about `{self.name}`")
        try:
            return self.probe.weights(self.question(inputs))
        except ValueError as refused:
            raise ShapeError(f"`{self.name}`: {refused}") from refused

    def module(self, *inputs: Tensor | None) -> str:
        return call(".".join(self.place), **self.keywords(self._arguments(inputs)))

    def call(self, *inputs: str | None, self_: str | None = None) -> str:
        return self.applied(str(self_), inputs)


def _differ(a: Any, b: Any) -> bool:
    return type(a) is not type(b) or a != b


def _is_types(made: tuple) -> bool:
    return all(isinstance(one, Tensor | tuple | list) for one in made)


def _typed(made: Any, dtype: str) -> Tensor:
    """What a rule in Python gives, as a type: one already, or its sizes."""
    if isinstance(made, Tensor):
        return made
    if isinstance(made, tuple | list) and all(isinstance(s, int | Dim) for s in made):
        return Tensor(tuple(made), dtype)
    raise ShapeError(f"a shape rule gives sizes, as (B, T, 8), not {made!r}")


@lru_cache(maxsize=1024)
def asking(operator: type[Op], probe: Probe) -> type[Op]:
    """The operator that asks this probe."""
    if not issubclass(operator, UserOperator):
        return operator
    return type(operator.__name__, (operator,), {"probe": probe, "__module__": operator.__module__})


# --- declaring -----------------------------------------------------------------------------


@overload
def op(target: F, /) -> F: ...


@overload
def op(
    *,
    name: str | None = None,
    shape: Rule | None = None,
    outputs: Sequence[str] | None = None,
    kind: str = "other",
    flops: Callable[..., Any] | None = None,
) -> Callable[[F], F]: ...


def op(
    target: Any = None,
    /,
    *,
    name: str | None = None,
    shape: Rule | None = None,
    outputs: Sequence[str] | None = None,
    kind: str = "other",
    flops: Callable[..., Any] | None = None,
) -> Any:
    """Make a function, or a class of `torch.nn.Module`, an operator of specs.

    Parameters annotated `Tensor` are its inputs (`Tensor | None = None` optional ones, `*xs: Tensor` any
    number), all others its attributes. A class has its attributes in `__init__` and its inputs in
    `forward`; it owns weights, so it is a node in specs. A parameter `training: bool` of a function gets
    `self.training`. The docstring is its documentation.

    `name` is what specs call it, by default the function's name, or the class's in snake_case. `shape` is
    its shape rule: a text such as `"[B, T, D] -> [B, T, n]"`, or a function of the inputs' types and the
    attributes that gives sizes. Names in upper case in the text are sizes; a parameter of `__init__` that
    is named as one gets it from what arrives. Without a rule torch is asked, by running the operator on
    tensors without memory. `outputs` names the outputs where there are several. `kind` is its colour in
    diagrams: conv, linear, norm, activation, attention, resampling or other. `flops` tells its cost from
    the inputs' types and the attributes.

    Specs use it once they name the module in `ops:` and the caller allows that. Raises TypeError and
    ValueError for what cannot be an operator.

    >>> import archc, torch
    >>> from torch import Tensor
    >>> @archc.op
    ... def squared_relu(x: Tensor) -> Tensor:
    ...     return torch.relu(x).square()
    >>> squared_relu(torch.tensor([-1.0, 3.0]))
    tensor([0., 9.])
    """
    if target is None:
        return lambda target: op(target, name=name, shape=shape, outputs=outputs, kind=kind, flops=flops)  # type: ignore[call-overload]
    made = _declare(target, name, shape, outputs, kind, flops)
    setattr(target, MARK, made)
    return target


def _declare(
    target: Any,
    name: str | None,
    shape: Rule | None,
    names: Sequence[str] | None,
    kind: str,
    flops: Callable[..., Any] | None,
) -> type[UserOperator]:
    what = what_of(target, "archc.op")
    is_layer = isinstance(target, type)
    if is_layer and not any(
        c.__module__ == "torch.nn.modules.module" and c.__name__ == "Module" for c in target.__mro__
    ):
        raise TypeError(f"{what}: a class that is an operator is a torch.nn.Module")
    if kind not in KINDS:
        raise ValueError(f"{what}: there is no kind {kind!r}; there are {', '.join(KINDS)}")
    title = title_of(target, name, what)
    declared, applied = _signatures(target, what)
    declared.ports, declared.named = applied.ports, applied.named
    inferred: tuple[str, ...] = ()
    rule: ShapeRule | Callable[..., Any] | None = None if isinstance(shape, str) else shape
    if isinstance(shape, str):
        rule = read_rule(shape, what, declared.ports, declared.attributes)
        inferred = tuple(n for n in declared.attributes if n in rule.dimensions()) if is_layer else ()
        if not is_layer and (both := sorted(rule.dimensions() & declared.attributes.keys())):
            raise TypeError(f"{what}: `{both[0]}` is a size of the shape rule, so it is no attribute")
    fields = {n: a for n, a in declared.attributes.items() if n not in inferred}
    if both := sorted(fields.keys() & {port.name for port in declared.ports}):
        raise TypeError(f"{what}: `{both[0]}` is an input and an attribute")
    returns = outputs(
        target.forward if is_layer else target,
        f"{what}.forward" if is_layer else what,
        names,
    )
    base = UserLayer if is_layer else UserFunction
    made = model_of(base, title, target, fields)
    made.target, made.name, made.place = staticmethod(target), title, place_of(target)
    made.imports = made.place[:1]
    made.declared, made.inputs, made.returns = declared, tuple(declared.ports), returns
    made.rule = staticmethod(rule) if callable(rule) else rule  # type: ignore[assignment]
    made.inferred, made.kind = inferred, kind
    made.cost = staticmethod(flops) if flops else None  # type: ignore[assignment]
    made.outputs = returns or ("out",)
    made.random = declared.training
    made.source = not declared.ports and not is_layer
    return made


def _signatures(target: Any, what: str) -> tuple[Signature, Signature]:
    """The signature that has the attributes, and the one that has the inputs."""
    if not isinstance(target, type):
        found = signature(target, what, runtime=True)
        return found, found
    begin = target.__init__
    plain = begin.__module__ == "torch.nn.modules.module"  # it has none of its own, and so no attributes
    own = Signature() if plain else signature(begin, f"{what}.__init__", skip=1, runtime=False)
    applied = signature(target.forward, f"{what}.forward", skip=1, runtime=False)
    if own.ports:
        raise TypeError(f"{what}.__init__: `{own.ports[0].name}` is a tensor; a spec gives numbers and words")
    if applied.attributes:
        name = next(iter(applied.attributes))
        raise TypeError(f"{what}.forward: `{name}` is no tensor; attributes belong to `__init__`")
    return own, applied
