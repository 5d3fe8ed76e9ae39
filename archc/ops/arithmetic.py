"""Arithmetic of flows: Python's operators on tensors and numbers, and `add` and `mul`.

Shapes broadcast and dtypes promote as in torch. A number is an operand of type
`Tensor((), ..., weak=True)`.
"""

from typing import ClassVar

from archc.ops.base import Example, Op, ShapeError
from archc.ops.rules import COMPLEX, FLOATS, equal, product, sizes
from archc.shapes import Size, Tensor, broadcast, promote


def _examples(*dtypes: str) -> tuple[Example, ...]:
    shapes = tuple(Example(pair) for pair in (("[B, 1, T]", "[C, T]"), ("[B, C]", "[B, C]"), ("[]", "[B]")))
    mixed = tuple(Example((f"{a}[B]", f"{b}[B]")) for a in dtypes for b in dtypes)
    numbers = tuple(Example((f"{a}[B]", n)) for a in dtypes for n in ("2", "2.5", "True"))
    return shapes + mixed + numbers


_DTYPES = ("", "float16", "float64", "int32", "int64", "uint8", "bool")
_EXAMPLES = _examples(*_DTYPES)


class _Many(Op):
    """An operator over any number of values."""

    sign: ClassVar[str]

    def shape(self, *xs: Tensor) -> Tensor:
        if not xs:
            raise ShapeError(f"`{self.title()}` has nothing to work on")
        return Tensor(broadcast(*(x.shape for x in xs)), promote(*xs))

    def call(self, *xs: str, self_: str | None = None) -> str:
        return f" {self.sign} ".join(xs)


class Add(_Many):
    """The sum of all: `*xs -> broadcast`. As `+`, torch's `torch.add`. Example: `a, b -> add`."""

    sign = "+"
    examples = (*_EXAMPLES, Example(("[B]",)), Example(("[B, T]", "[T]", "int64[]")))


class Mul(_Many):
    """The product of all: `*xs -> broadcast`. As `*`, torch's `torch.mul`. Example: `a, gate -> mul`."""

    sign = "*"
    examples = (*_EXAMPLES, Example(("[B]",)), Example(("[B, T]", "[T]", "int64[]")))


class _Two(Op):
    """An operator between two values, written between them."""

    sign: ClassVar[str]

    def shape(self, a: Tensor, b: Tensor) -> Tensor:
        return Tensor(broadcast(a.shape, b.shape), self._dtype(a, b))

    def _dtype(self, a: Tensor, b: Tensor) -> str:
        return promote(a, b)

    def _refuse(self, x: Tensor, port: str) -> None:
        raise ShapeError(f"`{self.sign}` has no meaning for {x.dtype}", about=(port,))

    def call(self, a: str, b: str, *, self_: str | None = None) -> str:
        return f"{a} {self.sign} {b}"


class Sub(_Two):
    """The difference `a - b`, not of truth values. As `torch.sub`. Example: `x - mean`."""

    sign = "-"
    examples = _EXAMPLES

    def _dtype(self, a: Tensor, b: Tensor) -> str:
        for x, port in ((a, "a"), (b, "b")):
            if x.dtype == "bool":
                self._refuse(x, port)
        return promote(a, b)


class Div(_Two):
    """The quotient `a / b`; of whole numbers it is a float. As `torch.div`. Example: `x / scale`."""

    sign = "/"
    examples = _EXAMPLES

    def _dtype(self, a: Tensor, b: Tensor) -> str:
        dtype = promote(a, b)
        return dtype if dtype in FLOATS | COMPLEX else "float"


class _Whole(_Two):
    """Division with rest: of real numbers."""

    def _dtype(self, a: Tensor, b: Tensor) -> str:
        dtype = promote(a, b)
        if dtype == "bool" or dtype in COMPLEX:
            self._refuse(a, "a")
        return dtype


class FloorDiv(_Whole):
    """The quotient `a // b`, rounded down. As `torch.floor_divide`. Example: `ids // 2`."""

    sign = "//"
    examples = _EXAMPLES


class Remainder(_Whole):
    """The rest `a % b`, with the sign of b. As `torch.remainder`. Example: `ids % 2`."""

    sign = "%"
    examples = _EXAMPLES


class Power(_Two):
    """The power `a ** b`. As `torch.pow`. Example: `x ** 2`."""

    sign = "**"
    examples = _examples(*_DTYPES[:-1]) + tuple(
        Example(("bool[B]", b)) for b in ("bool[B]", "int64[B]", "2.5")
    )

    def _dtype(self, a: Tensor, b: Tensor) -> str:
        dtype = promote(a, b)
        if dtype == "bool":
            self._refuse(a, "a")
        return dtype


class MatMul(_Two):
    """The product `a @ b` of matrices in the last two axes, the others broadcast.

    `[..., M, K] @ [..., K, N] -> [..., M, N]`; a vector `[K]` stands for a row on the left, a column
    on the right. As `torch.matmul`. Example: `q @ k_transposed`.
    """

    sign = "@"
    kind: ClassVar[str] = "linear"
    examples = (
        Example(("[B, T, D]", "[B, D, S]")),
        Example(("[B, 1, T, D]", "[H, D, S]")),
        Example(("[T, D]", "[D, S]")),
        Example(("[D]", "[D]")),
        Example(("[D]", "[B, D, S]")),
        Example(("[B, T, D]", "[D]")),
        Example(("[T, 3]", "[4, S]")),
        Example(("[]", "[S]")),
        Example(("int64[T, D]", "int64[D]")),
        Example(("int64[T, D]", "[D, S]")),
    )

    def shape(self, a: Tensor, b: Tensor) -> Tensor:
        left, right = sizes(a, "a"), sizes(b, "b")
        for x, shape, port in ((a, left, "a"), (b, right, "b")):
            if not shape:
                message = (
                    f"`@` needs a tensor with axes and `{port}` is {'a number' if x.weak else 'a scalar'}"
                )
                raise ShapeError(message, about=(port,), help="multiply by it with `*`")
            if x.dtype == "bool":
                self._refuse(x, port)
        if a.dtype != b.dtype:
            message = f"`@` needs both of one dtype: {a.dtype} and {b.dtype}"
            raise ShapeError(message, about=("a", "b"), help="cast one: `x -> cast(float)`")
        inner = right[-2:][0]
        equal(left[-1], inner, "the sizes that `@` sums over differ", "a", "b")
        batch = broadcast(left[:-2], right[:-2])
        assert batch is not None
        return Tensor((*batch, *left[-2:-1], *right[-1:][: len(right) - 1]), a.dtype)

    def flops(self, a: Tensor, b: Tensor) -> Size:
        return 2 * product(sizes(self.shape(a, b))) * sizes(a, "a")[-1]


class _Comparison(_Two):
    """A comparison, element by element: `a, b -> bool`."""

    def _dtype(self, a: Tensor, b: Tensor) -> str:
        promote(a, b)
        return "bool"


class Equal(_Comparison):
    """`a == b` of each element. As `torch.eq`. Example: `ids == pad`."""

    sign = "=="
    examples = _EXAMPLES


class NotEqual(_Comparison):
    """`a != b` of each element. As `torch.ne`. Example: `ids != pad`."""

    sign = "!="
    examples = _EXAMPLES


class _Order(_Comparison):
    def _dtype(self, a: Tensor, b: Tensor) -> str:
        if promote(a, b) in COMPLEX:
            self._refuse(a, "a")
        return "bool"


class Less(_Order):
    """`a < b` of each element. As `torch.lt`. Example: `positions < length`."""

    sign = "<"
    examples = _EXAMPLES


class LessEqual(_Order):
    """`a <= b` of each element. As `torch.le`. Example: `keys <= queries`."""

    sign = "<="
    examples = _EXAMPLES


class Greater(_Order):
    """`a > b` of each element. As `torch.gt`. Example: `x > 0`."""

    sign = ">"
    examples = _EXAMPLES


class GreaterEqual(_Order):
    """`a >= b` of each element. As `torch.ge`. Example: `queries >= keys`."""

    sign = ">="
    examples = _EXAMPLES


class Negative(Op):
    """`-x`, not of truth values. As `torch.neg`. Example: `-x`."""

    examples = tuple(Example((f"{dtype}[B]",)) for dtype in _DTYPES)

    def shape(self, x: Tensor) -> Tensor:
        if x.dtype == "bool":
            raise ShapeError("`-` has no meaning for bool", about=("x",))
        return Tensor(x.shape, x.dtype, x.weak)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"-{x}"


_TWO: tuple[type[_Two], ...] = (Sub, Div, FloorDiv, Remainder, Power, MatMul)
_TWO += (Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual)

INFIX: dict[str, type[Op]] = {"+": Add, "*": Mul, **{cls.sign: cls for cls in _TWO}}
"""Operators of flows by their signs; the unary minus is `Negative`."""
