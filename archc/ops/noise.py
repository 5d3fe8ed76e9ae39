"""What is random in training and, but for this, the identity."""

from typing import ClassVar

from archc.ops.attributes import Probability, Scalar
from archc.ops.base import Example, Op
from archc.ops.python import py
from archc.ops.rules import at_least_rank, fits, floating, ranked
from archc.shapes import Dim, Tensor

_P = {"p": (0, 0.0, 0.1, 1, 1.0)}


class _Noise(Op):
    random: ClassVar[bool] = True

    p: Probability

    def shape(self, x: Tensor) -> Tensor:
        floating(x)
        return x

    def label(self, x: Tensor) -> str:
        return f"p = {self.p}" if isinstance(self.p, Dim) else f"p = {float(self.p):g}"


class Dropout(_Noise):
    """Zero elements with probability `p` in training and scale the others by 1 / (1 - p): `x -> x`.

    As `torch.nn.Dropout`; Srivastava et al. 2014. Example: `dropout(0.1)`.
    """

    examples = (Example(("[B, T]",), _P),)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"F.dropout({x}, {py(self.p)}, self.training)" if self.p else x


class Dropout2d(_Noise):
    """As `dropout`, whole channels at once: `[B, C, H, W] -> same`.

    As `torch.nn.Dropout2d`; Tompson et al. 2015. Example: `dropout2d(0.1)`.
    """

    examples = (Example(("[B, C, H, W]",), _P),)

    def shape(self, x: Tensor) -> Tensor:
        ranked(x, 4, layout="[B, C, H, W]")
        return super().shape(x)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"F.dropout2d({x}, {py(self.p)}, self.training)" if self.p else x


_DROP_PATH = '''def drop_path(x: torch.Tensor, p: float, training: bool) -> torch.Tensor:
    """Zero whole samples with probability `p` in training, scale up the others."""
    if not training:
        return x
    return x * F.dropout(x.new_ones((x.shape[0],) + (1,) * (x.ndim - 1)), p)
'''


class DropPath(_Noise):
    """As `dropout`, whole samples at once: `[B, ...] -> same`; on the branch beside a residual.

    Stochastic depth, Huang et al. 2016. Example: `drop_path(0.1)`.
    """

    helpers = {"drop_path": _DROP_PATH}
    examples = (Example(("[B, T, D]",), _P), Example(("[B]",), _P))

    def shape(self, x: Tensor) -> Tensor:
        at_least_rank(x, 1)
        return super().shape(x)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"drop_path({x}, {py(self.p)}, self.training)" if self.p else x


class RandomReplace(_Noise):
    """Elements become `value` with probability `p` in training: `x -> x`.

    Drops class labels or tokens for guidance (Ho and Salimans 2022).
    Example: `labels -> random_replace(0.1, classes)`.
    """

    examples = (
        # torch cuts 0.5 down to 0
        Example(("int64[B]",), _P | {"value": (3, True, 0.5)}, stricter=True),
        Example(("[B, T]",), _P | {"value": (0, 0.5)}),
    )

    value: Scalar

    def shape(self, x: Tensor) -> Tensor:
        fits(self.value, x.dtype, "value")
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        if not self.p:
            return x
        drawn = f"torch.rand({x}.shape, device={x}.device) < {py(self.p)}"
        return f"{x}.masked_fill({drawn}, {py(self.value)}) if self.training else {x}"
