"""Activation functions: each `x -> x`, element by element but for the softmaxes."""

from typing import Annotated, ClassVar, Literal

from archc.ops.attributes import Axis, Choice, Float, Positive, PositiveFloat
from archc.ops.base import Example, Op, ShapeError, Weight
from archc.ops.python import call, py, unless
from archc.ops.rules import at_least_rank, axis_of, default_float, equal, floating, numeric, sizes
from archc.shapes import Tensor

_EXAMPLES = (Example(("[B, T, D]",)), Example(("float16[B]",)), Example(("[]",)))


class _Activation(Op):
    """A function of torch on floating point numbers, with no attributes."""

    kind: ClassVar[str] = "activation"
    function: ClassVar[str]
    examples = _EXAMPLES

    def shape(self, x: Tensor) -> Tensor:
        floating(x)
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"{self.function}({x})"


class Identity(Op):
    """The input as it is. As `torch.nn.Identity`. Example: `x -> identity`."""

    examples = (Example(("int64[B, T]",)),)

    def shape(self, x: Tensor) -> Tensor:
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return x


class Relu(_Activation):
    """max(x, 0). As `torch.nn.functional.relu`. Example: `x -> relu`."""

    formula: ClassVar[str] = r"\mathrm{relu}(x) = \max(x, 0)"
    function = "F.relu"
    examples = (*_EXAMPLES, Example(("int64[B]",)))

    def shape(self, x: Tensor) -> Tensor:
        numeric(x)
        return x


class ReluInPlace(Relu):
    """`relu` of a tensor that nothing else will see, as the emitter writes it."""

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"F.relu({x}, inplace=True)"


class Relu6(_Activation):
    """min(max(x, 0), 6). As `torch.nn.functional.relu6`. Example: `x -> relu6`."""

    function = "F.relu6"


class LeakyRelu(_Activation):
    """x where positive, else slope · x. As `torch.nn.functional.leaky_relu`. Example: `leaky_relu(0.2)`."""

    formula: ClassVar[str] = r"\mathrm{LeakyReLU}(x) = \max(x, 0) + \mathit{slope} \cdot \min(x, 0)"
    examples = (Example(("[B, T]",), {"slope": (0.01, 0.2)}),)

    slope: Float = 0.01

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.leaky_relu", x, negative_slope=unless(self.slope, 0.01))


class Elu(_Activation):
    """x where positive, else alpha · (e^x - 1). As `torch.nn.functional.elu`. Example: `elu(alpha=0.5)`."""

    formula: ClassVar[str] = r"\mathrm{elu}(x) = \max(x, 0) + \min\bigl(0, \alpha(e^x - 1)\bigr)"
    examples = (Example(("[B, T]",), {"alpha": (1.0, 0.5)}),)

    alpha: Float = 1.0

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.elu", x, alpha=unless(self.alpha, 1.0))


class Gelu(_Activation):
    """x · Φ(x), the normal distribution's; `approximate=tanh` is GPT-2's form of it.

    As `torch.nn.functional.gelu`; Hendrycks and Gimpel 2016. Example: `gelu(approximate=tanh)`.
    """

    formula: ClassVar[str] = r"\mathrm{gelu}(x) = x \cdot \Phi(x)"
    examples = (Example(("[B, T]",), {"approximate": ("none", "tanh")}),)

    approximate: Annotated[Literal["none", "tanh"], Choice()] = "none"

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.gelu", x, approximate=unless(self.approximate, "none"))


class QuickGelu(_Activation):
    """x · sigmoid(1.702 x), as in CLIP (Radford et al. 2021). Example: `x -> quick_gelu`."""

    formula: ClassVar[str] = r"\mathrm{QuickGELU}(x) = x \cdot \sigma(1.702x)"

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"{x} * torch.sigmoid(1.702 * {x})"


class Silu(_Activation):
    """x · sigmoid(x), also called swish. As `torch.nn.functional.silu`. Example: `x -> silu`."""

    formula: ClassVar[str] = r"\mathrm{swish}(x) = x \cdot \sigma(x) = \frac{x}{1 + e^{-x}}"
    function = "F.silu"


class Mish(_Activation):
    """x · tanh(softplus(x)). As `torch.nn.functional.mish`; Misra 2019. Example: `x -> mish`."""

    formula: ClassVar[str] = r"\mathrm{mish}(x) = x \cdot \tanh\bigl(\ln(1 + e^x)\bigr)"
    function = "F.mish"


class Sigmoid(_Activation):
    """1 / (1 + e^-x); whole numbers give floats. As `torch.sigmoid`. Example: `x -> sigmoid`."""

    formula: ClassVar[str] = r"\sigma(x) = \frac{1}{1 + e^{-x}}"
    function = "torch.sigmoid"


class Hardsigmoid(_Activation):
    """min(max(x + 3, 0), 6) / 6. As `torch.nn.functional.hardsigmoid`. Example: `x -> hardsigmoid`."""

    formula: ClassVar[str] = r"\mathrm{hardsigmoid}(x) = \frac{\min(\max(x + 3, 0), 6)}{6}"
    function = "F.hardsigmoid"


class Hardswish(_Activation):
    """x · hardsigmoid(x). As `torch.nn.functional.hardswish`; Howard et al. 2019.

    Example: `x -> hardswish`.
    """

    formula: ClassVar[str] = r"\mathrm{hardswish}(x) = x \cdot \frac{\min(\max(x + 3, 0), 6)}{6}"
    function = "F.hardswish"


class Tanh(_Activation):
    """The hyperbolic tangent. As `torch.tanh`. Example: `x -> tanh`."""

    formula: ClassVar[str] = r"\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}"
    function = "torch.tanh"


class Softplus(_Activation):
    """log(1 + e^(beta x)) / beta. As `torch.nn.functional.softplus`. Example: `softplus(beta=2)`."""

    formula: ClassVar[str] = r"\mathrm{softplus}(x) = \frac{1}{\beta} \ln(1 + e^{\beta x})"
    examples = (Example(("[B, T]",), {"beta": (1.0, 2)}),)

    beta: PositiveFloat = 1.0

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.softplus", x, beta=unless(self.beta, 1.0))


class _AlongAxis(_Activation):
    examples = (Example(("[B, T, D]",), {"axis": (-1, 0, 1, 2, -3, 3)}),)

    axis: Axis = -1

    def shape(self, x: Tensor) -> Tensor:
        axis_of(self.axis, len(at_least_rank(x, 1)), x=x)
        floating(x)
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(self.function, x, dim=self.axis)


class Softmax(_AlongAxis):
    """e^x over its sum along `axis`. As `torch.nn.functional.softmax`. Example: `softmax(axis=1)`."""

    formula: ClassVar[str] = r"\mathrm{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}}"
    function = "F.softmax"


class LogSoftmax(_AlongAxis):
    """The logarithm of `softmax`. As `torch.nn.functional.log_softmax`. Example: `log_softmax(axis=1)`."""

    function = "F.log_softmax"


class Prelu(Op):
    """x where positive, else a learned slope · x: one for all (`n` 1), or one a channel of `[B, C, ...]`.

    As `torch.nn.PReLU`; He et al. 2015. Example: `prelu(C)`.
    """

    kind: ClassVar[str] = "activation"
    weighted: ClassVar[bool] = True
    examples = (Example(("[B, 4, T]",), {"n": (1, 4, 3)}), Example(("[4]",), {"n": (1, 4)}))

    n: Positive = 1

    def shape(self, x: Tensor) -> Tensor:
        default_float(x)
        if self.n != 1:
            shape = sizes(x)
            if len(shape) < 2:
                raise ShapeError(f"`x` has no channels for {self.n} slopes: {x}", about=("n",))
            equal(shape[1], self.n, "there must be one slope a channel", "n")
        return x

    def weights(self, x: Tensor) -> dict[str, Weight]:
        return {"weight": Weight((self.n,))}

    def module(self, x: Tensor) -> str:
        return "nn.PReLU()" if self.n == 1 else call("nn.PReLU", py(self.n))
