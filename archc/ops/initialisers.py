"""How weights start.

An initialiser fills a tensor in place and returns it, as those of `torch.nn.init` do.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import (
    Choice,
    Float,
    NonNegativeFloat,
    Positive,
    PositiveFloat,
    PositiveInts,
    Wrong,
    advice,
)
from archc.ops.base import Declared, ShapeError
from archc.ops.python import call, py, unless
from archc.ops.rules import spread
from archc.ops.table import INITIALISERS, initialiser


class Initialiser(Declared):
    """Base of all initialisers."""

    helpers: ClassVar[Mapping[str, str]] = {}
    """Functions that `fill` uses, name -> complete source."""
    ranks: ClassVar[tuple[int, int]] = (0, 99)
    """The least and the largest number of axes of what it can fill."""

    def check(self, shape: tuple[int, ...], about: tuple[str, ...] = ("init",)) -> None:
        """Raises ShapeError where it cannot fill a tensor of this shape."""
        low, high = self.ranks
        if not low <= len(shape) <= high:
            wanted = f"{low}" if low == high else f"{low} or more" if high == 99 else f"{low} to {high}"
            message = f"`{self.title()}` fills tensors of {wanted} axes, and {list(shape)} has {len(shape)}"
            raise ShapeError(message, about=about)

    def fill(self, tensor: str) -> str:
        """The source of the call that fills `tensor` and returns it."""
        raise NotImplementedError

    def tensor(self, shape: tuple[int, ...]) -> str:
        """The source of a new tensor of this shape, filled."""
        return self.fill(call("torch.empty", *map(py, shape)) if shape else "torch.empty(())")


class Zeros(Initialiser):
    """All zeros. As `torch.nn.init.zeros_`. Example: `zeros`."""

    def fill(self, tensor: str) -> str:
        return f"nn.init.zeros_({tensor})"

    def tensor(self, shape: tuple[int, ...]) -> str:
        return call("torch.zeros", *map(py, shape)) if shape else "torch.zeros(())"


class Ones(Initialiser):
    """All ones. As `torch.nn.init.ones_`. Example: `ones`."""

    def fill(self, tensor: str) -> str:
        return f"nn.init.ones_({tensor})"

    def tensor(self, shape: tuple[int, ...]) -> str:
        return call("torch.ones", *map(py, shape)) if shape else "torch.ones(())"


class Constant(Initialiser):
    """All one value. As `torch.nn.init.constant_`. Example: `constant(1e-6)`."""

    v: Float

    def fill(self, tensor: str) -> str:
        return call("nn.init.constant_", tensor, py(self.v))

    def tensor(self, shape: tuple[int, ...]) -> str:
        # `torch.full` of a whole number would make a tensor of integers
        return (
            call("torch.full", py(shape), py(self.v)) if isinstance(self.v, float) else super().tensor(shape)
        )


class Normal(Initialiser):
    """Normally distributed. As `torch.nn.init.normal_`. Example: `normal(0.02)`."""

    std: NonNegativeFloat
    mean: Float = 0

    def fill(self, tensor: str) -> str:
        return call("nn.init.normal_", tensor, mean=unless(self.mean, 0), std=self.std)


class TruncNormal(Initialiser):
    """Normally distributed, drawn again outside of -2 and 2 (values, not deviations).

    As `torch.nn.init.trunc_normal_`. Example: `trunc_normal(0.02)`.
    """

    std: PositiveFloat

    def fill(self, tensor: str) -> str:
        return call("nn.init.trunc_normal_", tensor, std=self.std)


class Uniform(Initialiser):
    """Uniformly distributed from -a to a, or from a to b. As `torch.nn.init.uniform_`.

    Example: `uniform(0.1)`, `uniform(0, 1)`.
    """

    a: Float
    b: Float | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.b is None and self.a <= 0:
            raise Wrong("must be greater than 0 where it stands alone: from -a to a", about=("a",))
        if self.b is not None and self.b <= self.a:
            raise Wrong("must be greater than `a`", about=("b",))
        return self

    def fill(self, tensor: str) -> str:
        low, high = (-self.a, self.a) if self.b is None else (self.a, self.b)
        return call("nn.init.uniform_", tensor, py(low), py(high))


class _Fan(Initialiser):
    """Base of those that look at a weight's fan in and fan out."""

    ranks = (2, 99)


class XavierUniform(_Fan):
    """Uniform with variance 2 gain² / (fan in + fan out). As `torch.nn.init.xavier_uniform_`.

    Glorot and Bengio 2010. Example: `xavier_uniform`.
    """

    gain: PositiveFloat = 1.0

    def fill(self, tensor: str) -> str:
        return call("nn.init.xavier_uniform_", tensor, gain=unless(self.gain, 1.0))


class XavierNormal(_Fan):
    """Normal with variance 2 gain² / (fan in + fan out). As `torch.nn.init.xavier_normal_`.

    Glorot and Bengio 2010. Example: `xavier_normal(gain=0.5)`.
    """

    gain: PositiveFloat = 1.0

    def fill(self, tensor: str) -> str:
        return call("nn.init.xavier_normal_", tensor, gain=unless(self.gain, 1.0))


Mode = Annotated[Literal["fan_in", "fan_out"], Choice()]
Nonlinearity = Annotated[Literal["leaky_relu", "relu", "linear", "sigmoid", "tanh", "selu"], Choice()]


class _Kaiming(_Fan):
    torch_name: ClassVar[str]

    a: NonNegativeFloat = 0
    mode: Mode = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"

    def fill(self, tensor: str) -> str:
        return call(
            f"nn.init.{self.torch_name}",
            tensor,
            a=unless(self.a, 0),
            mode=unless(self.mode, "fan_in"),
            nonlinearity=unless(self.nonlinearity, "leaky_relu"),
        )


class KaimingUniform(_Kaiming):
    """Uniform with variance gain² / fan; `a` is the slope of a leaky relu. As
    `torch.nn.init.kaiming_uniform_`; He et al. 2015. Example: `kaiming_uniform(nonlinearity=relu)`.
    """

    torch_name = "kaiming_uniform_"


class KaimingNormal(_Kaiming):
    """Normal with variance gain² / fan; `a` is the slope of a leaky relu. As
    `torch.nn.init.kaiming_normal_`; He et al. 2015. Example: `kaiming_normal(mode=fan_out)`.
    """

    torch_name = "kaiming_normal_"


class Orthogonal(_Fan):
    """Rows or columns orthogonal. As `torch.nn.init.orthogonal_`. Example: `orthogonal`."""

    gain: PositiveFloat = 1.0

    def fill(self, tensor: str) -> str:
        return call("nn.init.orthogonal_", tensor, gain=unless(self.gain, 1.0))


class Eye(Initialiser):
    """The identity matrix. As `torch.nn.init.eye_`. Example: `eye`."""

    ranks = (2, 2)

    def fill(self, tensor: str) -> str:
        return f"nn.init.eye_({tensor})"


class Dirac(Initialiser):
    """A convolution that hands its input on. As `torch.nn.init.dirac_`. Example: `dirac`."""

    ranks = (3, 5)

    def fill(self, tensor: str) -> str:
        return f"nn.init.dirac_({tensor})"


_SINCOS_TABLE = '''def sincos_table(positions: torch.Tensor, dim: int) -> torch.Tensor:
    """Sines, then cosines, of positions `[n]` at dim / 2 frequencies: `[n, dim]`."""
    steps = torch.arange(dim // 2, dtype=torch.float64) / (dim // 2)
    angles = positions.double().flatten()[:, None] / 10000**steps
    return torch.cat([angles.sin(), angles.cos()], dim=1)
'''
_SINCOS_1D = '''@torch.no_grad()
def sincos_1d_(tensor: torch.Tensor) -> torch.Tensor:
    """Fill `[..., n, dim]` with sinusoidal embeddings of the positions 0 to n - 1."""
    n, dim = tensor.shape[-2:]
    return tensor.copy_(sincos_table(torch.arange(n), dim))
'''
_SINCOS_2D = '''@torch.no_grad()
def sincos_2d_(tensor: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Fill `[..., height * width, dim]` with sines and cosines: column, then row."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    half = tensor.shape[-1] // 2
    table = torch.cat([sincos_table(x, half), sincos_table(y, half)], dim=1)
    return tensor.copy_(table)
'''


def _check_table(
    op: Initialiser, shape: tuple[int, ...], rows: int, even: int, about: tuple[str, ...]
) -> None:
    if shape[-2] != rows:
        message = f"`{op.title()}` fills {rows} rows, and {list(shape)} has {shape[-2]}"
        raise ShapeError(message, about=about)
    if shape[-1] % even:
        message = f"`{op.title()}` needs a last size divisible by {even}, not {shape[-1]}"
        raise ShapeError(message, about=about)


class Sincos1d(_Fan):
    """Sinusoidal embeddings of `n` positions in `[..., n, dim]`: sines, then cosines, dim even.

    As MAE's table in one dimension (He et al. 2021). Example: `param([1, n, d], init=sincos_1d(n))`.
    """

    helpers = {"sincos_table": _SINCOS_TABLE, "sincos_1d_": _SINCOS_1D}

    @classmethod
    def title(cls) -> str:
        return "sincos_1d"

    n: Positive

    def check(self, shape: tuple[int, ...], about: tuple[str, ...] = ("init",)) -> None:
        super().check(shape, about)
        _check_table(self, shape, self.n, 2, about)

    def fill(self, tensor: str) -> str:
        return f"sincos_1d_({tensor})"


class Sincos2d(_Fan):
    """Sinusoidal embeddings of a grid in `[..., height * width, dim]`, dim divisible by 4.

    `grid` is one side or [height, width]. The first half tells the column, the second the row, as in
    MAE and DiT (He et al. 2021, Peebles and Xie 2022). Example: `param([1, 16 * 16, d], init=sincos_2d(16))`.
    """

    helpers = {"sincos_table": _SINCOS_TABLE, "sincos_2d_": _SINCOS_2D}

    @classmethod
    def title(cls) -> str:
        return "sincos_2d"

    grid: PositiveInts

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if isinstance(self.grid, tuple) and len(self.grid) != 2:
            raise Wrong("must be one side or [height, width]", about=("grid",))
        return self

    def check(self, shape: tuple[int, ...], about: tuple[str, ...] = ("init",)) -> None:
        super().check(shape, about)
        height, width = self._sides()
        _check_table(self, shape, height * width, 4, about)

    def _sides(self) -> tuple[int, int]:
        height, width = spread(self.grid, 2)
        return height, width

    def fill(self, tensor: str) -> str:
        return call("sincos_2d_", tensor, *map(py, self._sides()))


def named(name: str) -> Initialiser:
    """The initialiser that a bare name means; raises Wrong where there is none or it needs more."""
    cls = initialiser(name)
    if cls is None:
        raise Wrong(f"there is no initialiser `{name}`", advice(name, INITIALISERS), whole=True)
    if any(f.is_required() for f in cls.model_fields.values()):
        raise Wrong(f"`{name}` needs arguments", f"it is written `{cls.signature()}`", whole=True)
    return cls()
