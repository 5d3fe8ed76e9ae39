"""One class of the file: signature, docstring, `__init__`, checks and forward."""

from __future__ import annotations

import ast

from archc.emit import printer
from archc.emit.checks import check
from archc.emit.classes import Argument, Class
from archc.emit.coded import expression, label_expression, replace, statements
from archc.emit.docstrings import docstring
from archc.emit.forward import Composer
from archc.emit.liveness import settle
from archc.emit.loops import forward_order
from archc.emit.names import RESERVED, Namespace, argument_name
from archc.emit.order import name as value_name
from archc.emit.variables import loads
from archc.graph import labels
from archc.graph.attributes import MODULE
from archc.graph.ir import Bundle, Call, Graph, Input, Ref, Type
from archc.graph.weights import of_graph
from archc.source.text import Span


class Writer:
    """Writes one class."""

    def __init__(self, cls: Class, out: printer.Printer, root: bool) -> None:
        self.cls = cls
        self.made = cls.first
        self.graph = cls.first.graph
        self.out = out
        self.root = root
        members = {m for i in cls.instances for m in i.graph.members}
        space = Namespace(MODULE | members)
        self.attributes = {a.name: space.give(a.name, f"{a.name}_") for a in cls.arguments}
        self.arguments = {a.number: a for a in cls.arguments if a.number is not None}
        self.kept: dict[str, str] = {}  # argument -> attribute, where forward reads it

    def write(self) -> None:
        out = self.out
        out.blank(2)
        out.write(f"class {self.cls.name}(nn.Module):", 0, _at(self.graph.block.span))
        for line in docstring(self.graph, self.cls.note):
            out.write(line, 4 if line else 0)
        guards = check(self.graph, self._size_text) if self.root else []
        forward = self._forward(bool(guards))
        starts = [s for line in self.made.starts for s in self._code(line.text, line.span, building=False)]
        builds = [s for line in (*self.made.builds,) for s in self._code(line.text, line.span, building=True)]
        ties = [s for line in self.made.ties for s in self._code(line.text, line.span, building=True)]
        kept = [
            s
            for argument, attribute in self.kept.items()
            for s in self._code(f"self.{attribute} = {argument}", None, building=True)
        ]
        if builds or kept or ties or self.cls.arguments or starts:
            out.blank()
            self._signature("__init__", self._parameters(), "None")
            out.body(statements("super().__init__()") + kept + builds + ties, 8)
            if starts:
                out.body(statements("self.reset_parameters()"), 8)
        if starts:
            out.blank()
            out.write("def reset_parameters(self) -> None:", 4)
            out.write('"""Start the weights as the spec says."""', 8)
            out.body(starts, 8)
        if guards:
            out.blank()
            self._signature("_check", self._inputs(), "None")
            out.write('"""Refuse inputs that the model was not built for."""', 8)
            out.body(guards, 8)
        out.blank()
        self._signature("forward", self._inputs(), self._returns())
        out.body(forward, 8)

    # -- head ------------------------------------------------------------------------------

    def _parameters(self) -> list[str]:
        found = []
        for a in self.cls.arguments:
            default = f" = {printer.number(self._present(a))}" if self.root else ""
            found.append(f"{a.name}: {a.type}{default}")
        return found

    def _present(self, argument: Argument) -> int | float:
        assert argument.number is not None
        value = {**self.graph.dims, **self.graph.params}[argument.number]
        return float(value) if argument.type == "float" else int(value)

    def _inputs(self) -> list[str]:
        order = forward_order(self.graph)
        found = []
        for port in order:
            text = _type(self.graph.type(self.graph.inputs[port]))
            open_ = port in self.graph.open
            found.append(f"{argument_name(port)}: {text}" + (" | None = None" if open_ else ""))
        if self.cls.keywords:
            found += ["*", *(f"{argument_name(k)}: int" for k in self.cls.keywords)]
        return found

    def _returns(self) -> str:
        types = []
        for ref in self.graph.outputs.values():
            open_ = self.graph.node(ref).outputs[ref.out].open
            types.append(_type(self.graph.type(ref)) + (" | None" if open_ else ""))
        return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"

    def _signature(self, name: str, parameters: list[str], returns: str) -> None:
        flat = f"def {name}({', '.join(['self', *parameters])}) -> {returns}:"
        if 4 + len(flat) <= printer.WIDTH:
            self.out.write(flat, 4)
            return
        self.out.write(f"def {name}(", 4)
        inner = ", ".join(["self", *parameters])
        if 8 + len(inner) <= printer.WIDTH and "*" not in parameters and not self._exploded:
            self.out.write(inner, 8)
        else:
            for part in ("self", *parameters):
                self.out.write(part + ",", 8)
        self.out.write(f") -> {returns}:", 4)

    _exploded = False

    # -- code ------------------------------------------------------------------------------

    def _code(self, text: str, span: Span | None, *, building: bool) -> list[ast.stmt]:
        """Statements of a method that has no values, with the names that they have there."""
        found = [replace(s, lambda n: self._resolve(n, building)) for s in statements(text)]
        taken: dict[str, str] = {}
        space = Namespace(RESERVED | self.cls.modules | {a.name for a in self.cls.arguments})

        def local(name: str) -> ast.expr | None:
            if name[0] != "λ":
                return None
            if name not in taken:
                taken[name] = space.give(_hint(name))
            return ast.Name(taken[name], ast.Load())

        found = [replace(s, local) for s in found]
        for statement in found:
            if span is not None:
                for node in ast.walk(statement):
                    if isinstance(node, ast.stmt):
                        node.span = span  # type: ignore[attr-defined]
        return found

    def _resolve(self, name: str, building: bool) -> ast.expr | None:
        """What a coded name of a number or a class stands for."""
        if name[0] == "ν":
            text = self.cls.texts[int(name[1:])]
            if isinstance(text, ast.expr):
                return text
            if isinstance(text, Argument):
                return self._argument(text, building)
            return label_expression(text, lambda n: self._argument(self.arguments[n], building))
        if name[0] == "κ":
            return ast.Name(self.made.children[int(name[1:])].name, ast.Load())
        if name in ("DEVICE", "DTYPE"):
            return self._ambient(name, building)
        return None

    def _argument(self, argument: Argument, building: bool) -> ast.expr:
        if building:
            return ast.Name(argument.name, ast.Load())
        attribute = self.kept.setdefault(argument.name, self.attributes[argument.name])
        return ast.Attribute(ast.Name("self", ast.Load()), attribute, ast.Load())

    def _size_text(self, label: str) -> ast.expr | None:
        """A size of an input in the checks, where the class has what its text names."""
        names = labels.names(label)
        if names is None or not names <= self.arguments.keys():
            return None
        return label_expression(label, lambda n: self._argument(self.arguments[n], building=False))

    def _ambient(self, name: str, building: bool) -> ast.expr:
        """The device or default dtype of the values at hand."""
        if building:
            return expression("torch.get_default_dtype()" if name == "DTYPE" else "None")
        what = name.lower()
        for port, ref in self.graph.inputs.items():
            kind = self.graph.type(ref)
            tensor = kind.members[0] if isinstance(kind, Bundle) and kind.members else kind
            if port in self.graph.open or isinstance(tensor, Bundle):
                continue
            if name == "DTYPE" and tensor.dtype != "float":
                continue
            index = "[0]" if isinstance(kind, Bundle) else ""
            return expression(f"ρ{ref.node}_{ref.out}{index}.{what}")
        for path, weight in of_graph(self.graph).items():
            if weight.dtype == "float":
                read = "get_buffer" if weight.buffer else "get_parameter"
                plain = not any(part.isdigit() for part in path.split("."))
                return expression(f"self.{path}.{what}" if plain else f'self.{read}("{path}").{what}')
        return expression("torch.get_default_dtype()" if name == "DTYPE" else "None")

    def _forward(self, checked: bool) -> list[ast.stmt]:
        graph = self.graph
        lines = _line_names(graph)
        inputs = {f"ρ{r.node}_{r.out}": argument_name(port) for port, r in graph.inputs.items()}
        inputs |= {self._size_name(k): argument_name(k) for k in self.cls.keywords}
        values: dict[str, str] = {}
        for at in graph.nodes:
            node = graph.node(at)
            if isinstance(node, Input):
                continue
            for out in range(len(node.outputs)):
                name = _of(lines, at, out)
                if name is None and out == 0 and node.value is not None:
                    name = node.value
                if name is not None:
                    values[f"ρ{at}_{out}"] = name
        sizes = {f"δ{i}": n for n, i in self.made.coder.used_sizes.items()}

        def base(coded: str) -> str:
            if coded in inputs:
                return inputs[coded]
            if coded[0] == "λ":
                return _hint(coded)
            if coded[0] == "δ":
                return sizes[coded].lower()
            at = int(coded[1:].split("_")[0])
            return values.get(coded) or lines.get(at) or "x"

        # A bundle that is given out to copies is called as what takes it.
        shares = {
            f"ρ{w.operand.node}_{w.operand.out}": w.port if w.port.endswith("s") else f"{w.port}s"
            for node in graph.nodes.values()
            if isinstance(node, Call)
            for w in node.arguments
            if w.each and isinstance(w.operand, Ref)
        }

        def wishes(coded: str) -> list[str]:
            name = base(coded)
            if coded[0] == "δ":
                return [name, f"{name}_size"]
            if coded in shares:
                return [shares[coded], name]
            out = int(coded.rsplit("_", 1)[1]) if coded[0] == "ρ" else 0
            if out:
                port = graph.node(int(coded[1:].split("_")[0])).outputs[out].name
                # `all` is a bundle of a repeat's first outputs, and a function of Python.
                return [port, f"{name}_{port}"] if port != "all" else [f"{name}_all"]
            return [name]

        composer = Composer(self.made.flow.needs, lambda n: self._resolve(n, False), base, set(values))
        results = [value_name(r) for r in graph.outputs.values()]
        body = composer.compose(self.made.flow.steps, results)
        body = _unpacked(body, graph)
        self._finish(body, results)
        check_call: list[ast.stmt] = []
        if checked:
            called = ", ".join(argument_name(p) for p in forward_order(graph))
            check_call = statements(f"self._check({called})")
        classes_ = {c.name for c in self.made.children}
        optional = {f"ρ{graph.inputs[p].node}_0" for p in graph.open}
        taken = [*self.made.helpers, *self.cls.modules, *classes_, *(inputs[c] for c in optional)]
        settled = settle(body, inputs, wishes, taken, values.get, optional)
        return check_call + settled

    def _size_name(self, name: str) -> str:
        return f"δ{self.made.coder.used_sizes[name]}"

    def _finish(self, body: list[ast.stmt], results: list[str]) -> None:
        """The return statement: of the last value itself where it is used nowhere else."""
        last = body[-1] if body else None
        if (
            len(results) == 1
            and isinstance(last, ast.Assign)
            and isinstance(last.targets[0], ast.Name)
            and last.targets[0].id == results[0]
            and results[0] not in loads(body)
        ):
            made = ast.Return(last.value)
            made.span = getattr(last, "span", None)  # type: ignore[attr-defined]
            body[-1] = made
            return
        names: list[ast.expr] = [ast.Name(r, ast.Load()) for r in results]
        made = ast.Return(names[0] if len(names) == 1 else ast.Tuple(names, ast.Load()))
        body.append(made)


def _line_names(graph: Graph) -> dict[Ref | int, str]:
    """Names that the flow gives: of values by Ref, of the other nodes of a line by number."""
    found: dict[Ref | int, str] = {}
    for line in graph.lines:
        for name, ref in zip(line.names, line.refs, strict=False):
            found.setdefault(ref, name)
        for node in line.nodes:
            if line.names:
                found.setdefault(node, line.names[0])
    return found


def _of(lines: dict, at: int, out: int) -> str | None:
    return lines.get(Ref(at, out))


def _hint(coded: str) -> str:
    return coded[1:].rsplit("_", 1)[0]


def _at(span: Span) -> ast.AST:
    node = ast.Pass()
    node.span = span  # type: ignore[attr-defined]
    return node


def _type(kind: Type) -> str:
    return "list[Tensor]" if isinstance(kind, Bundle) else "Tensor"


def _unpacked(body: list[ast.stmt], graph: Graph) -> list[ast.stmt]:
    """Sizes of one value together: `b, _, h, w = x.shape`."""
    out: list[ast.stmt] = []
    at = 0
    while at < len(body):
        found: dict[int, str] = {}
        of = _shape_of(body[at])
        end = at
        while of is not None and end < len(body):
            other = _shape_of(body[end])
            if other is None or other[0] != of[0]:
                break
            found[other[1]] = other[2]
            end += 1
        rank = _rank(of[0], graph) if of is not None else None
        if of is not None and rank is not None and len(found) > 1 and len(found) == end - at and rank <= 6:
            names = [found.get(i, "_") for i in range(rank)]
            made = statements(f"{', '.join(names)} = {of[0]}.shape")[0]
            made.span = getattr(body[at], "span", None)  # type: ignore[attr-defined]
            out.append(made)
            at = end
            continue
        if isinstance(body[at], ast.If):
            branch = body[at]
            assert isinstance(branch, ast.If)
            branch.body = _unpacked(branch.body, graph)
            branch.orelse = _unpacked(branch.orelse, graph)
        out.append(body[at])
        at += 1
    return out


def _shape_of(statement: ast.stmt) -> tuple[str, int, str] | None:
    """Value, axis and size name of `size = value.shape[axis]`."""
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=size)],
            value=ast.Subscript(
                value=ast.Attribute(value=ast.Name(id=value), attr="shape"),
                slice=ast.Constant(value=int(axis)),
            ),
        ) if size.startswith("δ"):
            return value, axis, size
    return None


def _rank(value: str, graph: Graph) -> int | None:
    node, _, out = value[1:].partition("_")
    shape = getattr(graph.type(Ref(int(node), int(out))), "shape", None)
    return None if shape is None else len(shape)
