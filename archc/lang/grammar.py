"""The grammar of expressions and flow operands: a Pratt parser over tokens.

`parser` gives whole texts their shape; here stands what they have in common.
"""

from __future__ import annotations

from typing import NoReturn

from archc.lang import chains, lexer, syntax
from archc.lang.cursor import DEPTH, Cursor
from archc.lang.lexer import LITERALS, Token
from archc.lang.syntax import INFIX
from archc.shapes.number import COMPARE, CONDITIONAL, NOT, OR, POWER, UNARY


class Parser(Cursor):
    """The rules of expressions; those of chains stand in `chains`.

    In a `flow` operands may also be ports (`value.port`) and chains in brackets, and `if` ends
    a line instead of choosing between two operands.
    """

    def expression(self, level: int = CONDITIONAL) -> syntax.Expr:
        """An expression of operators that bind at least as tightly as `level`."""
        self.descend()
        start = self.token.start
        left = self.operand(level)
        while True:
            text = self.token.text
            binds = INFIX.get(text)
            if binds is None or binds < level or (text == "not" and self.peek().text != "in"):
                break
            height = self.height
            if binds == CONDITIONAL:
                if self.flow and not self.brackets:
                    break  # the condition of a line
                left = self.conditional(left, start)
            elif binds == COMPARE:
                left = self.comparison(left, start)
            else:
                if text == "@" and not self.flow:
                    help = "multiply tensors in `flow`"
                    self.fail("A209", "`@` multiplies tensors, not numbers", self.token, help)
                self.advance()
                right = self.expression(UNARY if binds == POWER else binds + 1)
                left = syntax.Binary(text, left, right, self.span(start))
            self.grow(height)
        self.depth -= 1
        return left

    def conditional(self, then: syntax.Expr, start: int) -> syntax.Expr:
        if self.flow:
            self.no_if()
        self.advance()
        test = self.expression(OR)
        height = self.height
        self.expect("else", "`else` and the other value")
        other = self.expression(CONDITIONAL)
        self.height = max(height, self.height)
        return syntax.Conditional(test, then, other, self.span(start))

    def no_if(self) -> NoReturn:
        help = "`if` stands at the end of a line: `out: a if condition else b`"
        self.fail("A212", "`if` has no place in the brackets of a flow line", self.token, help)

    def comparison(self, first: syntax.Expr, start: int) -> syntax.Expr:
        rest: list[tuple[str, syntax.Expr]] = []
        height = 0
        while INFIX.get(self.token.text) == COMPARE:
            op = self.advance().text
            if op == "not":
                self.expect("in", "`in`")
                op = "not in"
            rest.append((op, self.expression(COMPARE + 1)))
            height = max(height, self.height)
        self.height = height
        return syntax.Compare(first, tuple(rest), self.span(start))

    def operand(self, level: int) -> syntax.Expr:
        token = self.token
        self.height = 0
        if token.kind == "name":
            found = self.named()
        elif token.kind == "number":
            found = syntax.Literal(lexer.number(token), self.token_span(self.advance()))
        elif token.kind == "string":
            found = syntax.Literal(lexer.string(token), self.token_span(self.advance()))
        elif token.text in ("-", "+"):
            self.advance()
            operand = self.expression(UNARY)
            self.grow(0)
            return syntax.Unary(token.text, operand, self.span(token.start))
        elif token.text == "not":
            return self.negation(level)
        elif token.text == "(":
            found = self.group()
        elif token.text == "[":
            found = self.list()
        else:
            found = self.infinity()
        return self.suffixes(found, token.start)

    def negation(self, level: int) -> syntax.Expr:
        token = self.advance()
        if level > NOT:
            self.fail("A206", "`not` needs brackets here", token, "write `(not ...)`")
        operand = self.expression(NOT)
        self.grow(0)
        return syntax.Unary("not", operand, self.span(token.start))

    def infinity(self) -> syntax.Expr:
        """`.inf` and `.nan`, as YAML writes them; nothing else starts with a dot."""
        token, after = self.token, self.peek()
        if token.text == "." and after.start == token.end and after.text.lower() in ("inf", "nan"):
            self.advance()
            self.advance()
            return syntax.Literal(float(after.text), self.span(token.start))
        if token.text == "...":
            self.fail("A209", "`...` stands only in an index or a shape", token)
        if token.text in ("*", "**"):
            help = "write the items one by one, or `[a] + b` to join lists"
            self.fail("A209", f"`{token.text}` cannot unpack here", token, help)
        self.unexpected("a value")

    def named(self) -> syntax.Expr:
        token = self.advance()
        text = token.text
        if text in LITERALS:
            return syntax.Literal(LITERALS[text], self.token_span(token))
        if self.token.text == "(":
            return self.call(syntax.Name(text, self.token_span(token)), token.start)
        if text.startswith("nn.") and self.flow:
            value = syntax.Name("nn", self.place.sub(token.start, token.start + 2))
            return syntax.Port(value, text[3:], self.token_span(token))
        return syntax.Name(text, self.token_span(token))

    def suffixes(self, value: syntax.Expr, start: int) -> syntax.Expr:
        """Indices and ports behind an operand."""
        while True:
            token = self.token
            if token.text == "[":
                height = self.height
                value = syntax.Index(value, self.index_items(), self.span(start))
                self.grow(height)
            elif token.text == ".":
                self.advance()
                value = self.port(value, token, start)
                self.grow(0)
            elif token.text == "(":
                help = "only a name can be called: `linear(3)`"
                self.fail("A209", "what stands before this bracket cannot be called", token, help)
            elif token.kind == "number" and token.text[0] == "." and token.start == self.end():
                help = "`node.all` is the bundle of all copies: `node.all[0]`"
                self.fail("A209", "a copy cannot be reached by its number", token, help)
            else:
                return value

    def port(self, value: syntax.Expr, dot: Token, start: int) -> syntax.Expr:
        token = self.token
        if token.kind not in ("name", "keyword"):
            self.unexpected("the name of a port")
        if self.flow:
            self.advance()
            if self.token.text == "(":
                help = f"write it as a step: `... -> {token.text}(...)`"
                self.fail_at("A209", "values have no methods", dot.start, help)
            return syntax.Port(value, token.text, self.span(start))
        if token.text in ("shape", "size", "ndim", "dim"):
            help = "name the sizes in the input's shape, `x: [B, C, H, W]`, and use those names"
        else:
            help = "use the names of params, lets and free dimensions"
        self.advance()
        self.fail_at("A209", f"`.{token.text}`: an expression has no attributes", dot.start, help)

    # Brackets

    def group(self) -> syntax.Expr:
        """`(a)`, a row `(a, b)`, or a chain in brackets."""
        start = self.advance().start
        arguments, comma, equals = self.arguments((")", "->"))
        if self.token.text == "->":
            if not self.flow:
                self.unexpected("`)`")
            if not arguments:
                self.unexpected("a value")
            steps = chains.steps(self)
            if self.token.text == "if":
                self.no_if()
            self.expect(")", "`->` or `)`")
            return syntax.Chain(arguments, steps, self.span(start))
        if equals is not None:
            self.no_comparison(equals)
        self.expect(")", "`,` or `)`")
        if len(arguments) == 1 and not comma:
            return arguments[0].value
        self.grow(0)
        return syntax.Sequence(tuple(a.value for a in arguments), self.span(start), row=True)

    def list(self) -> syntax.Expr:
        start = self.advance().start
        items: list[syntax.Expr] = []
        height = 0
        while self.token.text != "]":
            item = self.expression()
            if self.token.text == "for" and not items:
                return self.comprehension(item, start, "]")
            height = max(height, self.height)
            items.append(item)
            if not self.take(",") and self.token.text != "]":
                self.unexpected("`,` or `]`")
        self.advance()
        self.height = height
        self.grow(0)
        return syntax.Sequence(tuple(items), self.span(start))

    def comprehension(self, item: syntax.Expr, start: int, close: str | None) -> syntax.Expr:
        """What follows the item; where `close` is None the call's bracket closes it."""
        clauses = []
        height = self.height
        while self.take("for"):
            names = self.targets()
            self.expect("in", "`in`")
            iterable = self.expression(OR)
            height = max(height, self.height)
            tests = []
            while self.take("if"):
                tests.append(self.expression(OR))
                height = max(height, self.height)
            clauses.append(syntax.Clause(names, iterable, tuple(tests)))
            if len(clauses) > DEPTH:
                self.too_deep()
        if close is not None:
            self.expect(close, f"`for`, `if` or `{close}`")
        self.height = height
        self.grow(0)
        return syntax.Comprehension(item, tuple(clauses), self.span(start))

    def targets(self) -> tuple[str, ...]:
        """The names behind `for`, in brackets or not."""
        bracket = self.take("(")
        names = [self.target()]
        while self.take(","):
            if self.token.text in ("in", ")"):
                break
            names.append(self.target())
        if bracket:
            self.expect(")", "`,` or `)`")
        return tuple(names)

    def target(self) -> str:
        if self.token.text == "(":
            help = "name the rows with one name and index it: `row[0]`"
            self.fail("A209", "names cannot be nested", self.token, help)
        return self.name("an item").text

    def index_items(self) -> tuple[syntax.Expr | syntax.Slice | syntax.Dots, ...]:
        self.advance()
        items = []
        height = 0
        while self.token.text != "]":
            items.append(self.index_item())
            height = max(height, self.height)
            if not self.take(",") and self.token.text != "]":
                self.unexpected("`:`, `,` or `]`")
        if not items:
            self.unexpected("an index")
        self.advance()
        self.height = height
        return tuple(items)

    def index_item(self) -> syntax.Expr | syntax.Slice | syntax.Dots:
        token = self.token
        self.height = 0
        if token.text == "...":
            return syntax.Dots(self.token_span(self.advance()))
        bounds: list[syntax.Expr | None] = [None]
        height = 0
        while True:
            if self.token.text not in (":", ",", "]"):
                bounds[-1] = self.expression()
                height = max(height, self.height)
            if len(bounds) == 3 or not self.take(":"):
                break
            bounds.append(None)
        self.height = height
        if len(bounds) == 1:
            if bounds[0] is None:
                self.unexpected("an index")
            return bounds[0]
        start, stop, step = [*bounds, None][:3]
        return syntax.Slice(start, stop, step, self.span(token.start))

    # Calls

    def call(self, name: syntax.Name, start: int) -> syntax.Call:
        return syntax.Call(name, self.bracketed(), self.span(start))

    def bracketed(self) -> tuple[syntax.Argument, ...]:
        """`(arguments)`."""
        self.advance()
        arguments, _, _ = self.arguments((")",), call=True)
        if self.token.text == "->":
            if self.flow:
                help = "put the chain in brackets of its own: `f((x -> norm), y)`"
                self.fail("A206", "unexpected `->`", self.token, help)
            self.unexpected("`)`")
        self.expect(")", "`,` or `)`")
        self.grow(0)
        return arguments

    def arguments(
        self, stops: tuple[str, ...], call: bool = False
    ) -> tuple[tuple[syntax.Argument, ...], bool, Token | None]:
        """Arguments up to one of `stops` or what cannot follow one; also whether a comma ends them,
        and the first `=` between a name and its value."""
        found: list[syntax.Argument] = []
        names: set[str] = set()
        height = 0
        comma = False
        equals = None
        while self.token.text not in stops and self.token.kind != "end":
            first, second = self.token, self.peek()
            argument = self.argument(call and not found)
            if argument.name is None and names:
                help = "arguments by position come before those by name"
                self.fail_at("A213", "this argument needs a name", first.start, help)
            if argument.name is not None:
                if argument.name in names:
                    self.fail("A213", f"`{argument.name}` is given twice", first, "remove one of them")
                names.add(argument.name)
                equals = equals or second
            found.append(argument)
            height = max(height, self.height)
            comma = self.take(",")
            if not comma:
                break
        self.height = height
        return tuple(found), comma, equals

    def argument(self, sole: bool) -> syntax.Argument:
        """One argument; where it may be the `sole` one of a call, a comprehension needs no `[]`."""
        token = self.token
        if token.kind in ("name", "keyword") and self.peek().text == "=":
            self.name("an argument")
            self.advance()
            value = self.expression()
            return syntax.Argument(token.text, value, self.span(token.start))
        if token.text in ("*", "**"):
            help = "write the arguments one by one, or give them one a line with `with:`"
            self.fail("A209", f"`{token.text}` cannot unpack arguments", token, help)
        value = self.expression()
        if self.token.text == "for":
            if not sole:
                help = "write it in square brackets: `[... for ... in ...]`"
                self.fail("A209", "a comprehension needs square brackets", self.token, help)
            value = self.comprehension(value, token.start, None)
        return syntax.Argument(None, value, value.span)
