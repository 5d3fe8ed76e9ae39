"""The outermost block: its params from the caller, its inputs as its shapes declare them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from archc.graph import presence
from archc.graph.binding import bind_params, preset
from archc.graph.elaborate import Elaborator, presence_of
from archc.graph.infer import FIX_PRESENCE
from archc.graph.ir import Bundle, Graph, Type
from archc.graph.numbers import Numbers, stamp
from archc.graph.outline import DOTS, OutlineInside, length
from archc.graph.signature import Inside
from archc.graph.values import Failed, Given, Target
from archc.lang.outline import supposed
from archc.lang.schema import Block, Input, Param
from archc.lang.syntax import Dots, Expr
from archc.lang.types import Operator
from archc.lang.values import Given as Test
from archc.lang.values import Unsettled, shown
from archc.lang.walk import free_names
from archc.ops.placeholder import Placeholder
from archc.shapes import EMPTY, Cond, Dim, Formula, Tensor, labelled, parameter, plain, symbol, symbols
from archc.source.diagnostic import did_you_mean
from archc.source.text import Source, Span


def build_root(
    elaborator: Elaborator,
    block: Block,
    preset_name: str | None,
    settings: Mapping[str, Expr],
    given: tuple[str, ...],
    absent: tuple[str, ...],
) -> Graph | None:
    """The Graph of a block as the caller asks for it; None where it is wrong, which has been told."""
    with elaborator.context.block(block):
        root = _Root(elaborator, block)
        try:
            params, dims = root.bind(preset_name, settings)
            there, open_ = root.presence(params, dims, given, absent)
            types = root.types(params, dims, there, open_)
            if elaborator.context.outline:
                root.check_defaults(params, dims, types, open_)
        except Failed:
            return None
        inside = OutlineInside(block) if elaborator.context.outline else Inside(block)
        inner = inside.arrive(types, open_)
        known = {name: size for name, size in dims.items() if name in root.given}
        graph = elaborator.build(block, known | inside.dims, params, inner, open_, inside.sizes)
        if graph is not None and not graph.outputs:
            message = f"`{block.name}` has no output: all are absent"
            elaborator.context.error("A421", message, block.name_span, "give its inputs: `--given`")
            return None
    return graph


def not_given(param: Param) -> Any:
    """What stands for a param in an outline that does not give it; None: its default."""
    if not isinstance(param.type, Operator):
        return supposed(param.name, param.type)
    if param.default is not None:
        return None
    name = Given(None, param.name, param.name_span)
    return Target(param.name, Placeholder, (name,), param.name_span)


def check_presets(elaborator: Elaborator, block: Block) -> None:
    """Tell what is wrong with the presets of a block that nobody takes."""
    with elaborator.context.block(block):
        for name, found in block.presets.items():
            with suppress(Failed):
                preset(Numbers(elaborator.context, block, elaborator.library), block, name, found.span)


class _Root:
    """Binds the outermost block."""

    def __init__(self, elaborator: Elaborator, block: Block) -> None:
        self.elaborator = elaborator
        self.context = elaborator.context
        self.block = block
        self.given: set[str] = set()  # the free dimensions that the caller gives

    def _numbers(
        self, params: Mapping[str, Any], dims: Mapping[str, Any], there: Mapping[str, Any]
    ) -> Numbers:
        numbers = Numbers(self.context, self.block, self.elaborator.library)
        numbers.bind_dims(dims, there)
        numbers.bind_params(params)
        return numbers

    # -- params and dimensions -------------------------------------------------------------

    def bind(self, name: str | None, settings: Mapping[str, Expr]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The params and the free dimensions that the caller gives, over those of a preset."""
        block = self.block
        numbers = Numbers(self.context, block, self.elaborator.library)
        arguments = {g.name: g for g in preset(numbers, block, name, block.name_span)} if name else {}
        for key, expr in settings.items():
            param = block.params.get(key)
            value = numbers.evaluate(expr, param.type if param else None)
            arguments[key] = Given(key, value, expr.span)
        if self.context.outline:
            own = {n for n in arguments if n in block.params}
            for param in block.params.values():
                if param.name not in own and (found := not_given(param)) is not None:
                    arguments[param.name] = Given(param.name, found, param.name_span)
        missing = [p for p in block.params.values() if p.default is None and p.name not in arguments]
        if missing:
            listed = " and ".join(f"`{p.name}`" for p in missing)
            help = "give it: " + " ".join(f"-p {p.name}=..." for p in missing)
            self.context.fail("A401", f"`{block.name}` needs {listed}", missing[0].name_span, help)
        own = tuple(g for n, g in arguments.items() if n in block.params)
        params = bind_params(self.context, Target(block.name, block, own, block.name_span))
        params = {n: stamp(plain(v) if isinstance(v, int | float) else v, n) for n, v in params.items()}
        return params, self._dims(arguments)

    def check_defaults(
        self,
        params: Mapping[str, Any],
        dims: Mapping[str, Any],
        types: Mapping[str, Type | None],
        open_: tuple[str, ...],
    ) -> None:
        """Tell what is wrong with the defaults that an outline does not take."""
        numbers = self._numbers(params, dims, presence_of(types, open_))
        for param in self.block.params.values():
            if param.default is not None and param.name in params:
                own = numbers.names.pop(param.name)  # a default does not see its own param
                with suppress(Failed):
                    numbers.evaluate(param.default, param.type)
                numbers.names[param.name] = own

    def _dims(self, arguments: Mapping[str | None, Given]) -> dict[str, Any]:
        self.given = {n for n in self.block.dims if n in arguments}
        dims: dict[str, Any] = {}
        for name in self.block.dims:
            if name not in arguments:
                dims[name] = symbol(name, EMPTY if name in self.block.empty else None)
                continue
            value = arguments[name].value
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                self.context.fail(
                    "A403",
                    f"`{name}` is a size, a whole number from 1 on, not {shown(value)}",
                    arguments[name].span,
                )
            dims[name] = labelled(plain(value), name)
        return dims

    # -- presence --------------------------------------------------------------------------

    def presence(
        self,
        params: Mapping[str, Any],
        dims: Mapping[str, Any],
        given: tuple[str, ...],
        absent: tuple[str, ...],
    ) -> tuple[set[str], tuple[str, ...]]:
        """The inputs that are there or open, and of them the open ones."""
        inputs = self.block.inputs
        for flag, names in (("--given", given), ("--absent", absent)):
            for name in names:
                self._check_fixed(flag, name, name in given and name in absent)
        optional = [n for n, i in inputs.items() if i.optional and n not in given and n not in absent]
        there = {n for n in inputs if n not in absent}
        given_, absent_ = self._required(params, dims, optional, there)
        open_ = tuple(n for n in optional if n not in given_ and n not in absent_)
        if len(open_) > presence.MOST_OPEN:
            self.context.fail(
                "A422",
                f"`{self.block.name}` has {len(open_)} open inputs, more than {presence.MOST_OPEN}",
                inputs[open_[0]].name_span,
                "fix some with --given or --absent",
            )
        for name in sorted(self.given & self.block.empty):
            ports = [port for port in self.block.tellers(name) if port not in absent_ | set(absent)]
            if ports and set(ports) <= set(open_):
                message = f"`{name}` is given, and it is 0 where `{ports[0]}` is absent"
                self.context.fail("A413", message, inputs[ports[0]].span, FIX_PRESENCE)
        return there - absent_, open_

    def _check_fixed(self, flag: str, name: str, both: bool) -> None:
        where = Span(Source(flag, name), 0, len(name))
        declared = self.block.inputs.get(name)
        if declared is None:
            close = did_you_mean(name, self.block.inputs)
            help = f"did you mean `{close}`?" if close else None
            self.context.fail("A423", f"`{self.block.name}` has no input `{name}`", where, help)
        if both:
            self.context.fail("A423", f"`{name}` cannot be given and absent", where)
        if not declared.optional and flag == "--absent":
            self.context.fail(
                "A423", f"input `{name}` is not optional", where, f"declare it `{name}: [...]?`"
            )

    def _required(
        self, params: Mapping[str, Any], dims: Mapping[str, Any], optional: list[str], there: set[str]
    ) -> tuple[set[str], set[str]]:
        """The inputs that a `require` on presence alone fixes: given ones and absent ones."""
        speaking = [r for r in self.block.require if free_names(r.condition) & set(optional)]
        if not speaking or len(optional) > presence.MOST_OPEN:
            return set(), set()
        tests: dict[str, Any] = {n: n in there for n in self.block.inputs}
        tests |= {n: ("given", n) for n in optional}
        numbers = self._numbers(params, dims, tests)
        left = presence.always(len(optional))
        for requirement in speaking:
            held = numbers.evaluate(requirement.condition)
            if isinstance(held, Test):
                left &= presence.where(held, optional)
        given, absent = set(), set()
        for index, name in enumerate(optional):
            with_it = presence.given(index, len(optional))
            if left and not left & ~with_it:
                given.add(name)
            elif left and not left & with_it:
                absent.add(name)
        return given, absent

    # -- types -----------------------------------------------------------------------------

    def types(
        self, params: Mapping[str, Any], dims: Mapping[str, Any], there: set[str], open_: tuple[str, ...]
    ) -> dict[str, Type | None]:
        """The types of the inputs, as their shapes declare them; None: absent."""
        inputs = self.block.inputs
        known: dict[str, Type | None] = {n: Tensor(()) if n in there else None for n in inputs}
        numbers = self._numbers(params, dims, presence_of(known, open_))
        return {n: self._type(numbers, d) if n in there else None for n, d in inputs.items()}

    def _type(self, numbers: Numbers, declared: Input) -> Type:
        if declared.bundle is not None:
            if self.context.outline and (declared.bundle is True or declared.shape is None):
                return self._outlined(numbers, declared)
            unknown = ["length"] if isinstance(declared.bundle, bool) else []
            unknown += ["shape"] if declared.shape is None else []
            if unknown:
                self.context.fail(
                    "A424",
                    f"at the top the {' and the '.join(unknown)} of bundle `{declared.name}` must be known",
                    declared.name_span,
                    f"write `{declared.name}: {{bundle: 4, shape: [B, C]}}`",
                )
        tensor = Tensor(self._shape(numbers, declared), declared.dtype)
        if declared.bundle is None:
            return tensor
        assert not isinstance(declared.bundle, bool)
        length = numbers.evaluate(declared.bundle)
        if self.context.outline and isinstance(length, Dim | Unsettled):
            return Bundle((tensor,), length if isinstance(length, Dim) else parameter(length.text))
        if isinstance(length, Dim | Formula | Cond):
            numbers.needs_static(symbols(length), declared.bundle.span)
        if isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= 10_000:
            self.context.fail(
                "A403", f"a bundle's length is a whole number, not {shown(length)}", declared.bundle.span
            )
        return Bundle((tensor,) * length)

    def _outlined(self, numbers: Numbers, declared: Input) -> Bundle:
        """A bundle of which not all is known."""
        shape = None if declared.shape is None else self._shape(numbers, declared)
        return Bundle((Tensor(shape, declared.dtype),), length(declared.name))

    def _shape(self, numbers: Numbers, declared: Input) -> tuple[Any, ...]:
        assert declared.shape is not None, "only bundles go without a shape"
        shape: list[Any] = []
        for item in declared.shape:
            if isinstance(item, Dots):
                # One dimension; the built module refuses another rank.
                shape.append(symbol(DOTS if self.context.outline else f"{declared.name}_n"))
                continue
            size = numbers.evaluate(item)
            if isinstance(size, Unsettled):
                size = parameter(size.text)
            if (
                isinstance(size, bool)
                or not isinstance(size, int | Dim)
                or (isinstance(size, int) and size < 0)
            ):
                self.context.fail("A403", f"a dimension is a whole number, not {shown(size)}", item.span)
            shape.append(size)
        return tuple(shape)
