"""Convolutions and their transposes, in one, two and three dimensions."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import (
    Bool,
    Choice,
    NonNegativeInts,
    Padding,
    Positive,
    PositiveInts,
    Wrong,
    shown,
)
from archc.ops.base import Example, Op, Weight
from archc.ops.python import call, py, unless
from archc.ops.rules import default_float, enough, multiple, product, ranked, sizes, spread, static
from archc.shapes import Size, Tensor

AXES = ("", "L", "H, W", "D, H, W")


class _Convolution(Op):
    """What convolutions of both directions share: `dims` spatial axes, own weights."""

    kind: ClassVar[str] = "conv"
    weighted: ClassVar[bool] = True
    dims: ClassVar[int]

    c_out: Positive
    kernel: PositiveInts
    stride: PositiveInts = 1

    def _sizes(self, x: Tensor) -> tuple[Size, ...]:
        shape = ranked(x, self.dims + 2, layout=f"[B, C, {AXES[self.dims]}]")
        default_float(x)
        static(shape[1], "the number of channels")
        return shape

    def _each(self, attribute: str) -> tuple[int, ...]:
        return spread(getattr(self, attribute), self.dims)

    def _check_lengths(self, *attributes: str) -> None:
        for name in attributes:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.dims:
                message = f"must be one number or {self.dims}, not {shown(value)}"
                raise Wrong(message, about=(name,))

    def label(self, x: Tensor) -> str:
        kernel, stride, dilation = (self._each(a) for a in ("kernel", "stride", "dilation"))
        parts = [
            f"{sizes(x)[1]} → {self.c_out},",
            _times(kernel) if self.dims > 1 else f"k{kernel[0]}",
        ]
        for letter, values in (("s", stride), ("d", dilation), ("g", self._each("groups"))):
            if set(values) != {1}:
                own = values if len(set(values)) > 1 else values[:1]
                known = all(isinstance(v, int) for v in own)
                parts.append(letter + _times(own) if known else f"{letter} = {_times(own)}")
        return " ".join(parts)


def _times(values: Sequence[Size]) -> str:
    known = all(isinstance(v, int) for v in values)
    return ("x" if known else " x ").join(map(str, values))


class _Conv(_Convolution):
    padding: Padding = 0
    dilation: PositiveInts = 1
    groups: Positive = 1
    bias: Bool = True
    padding_mode: Annotated[Literal["zeros", "reflect", "replicate", "circular"], Choice()] = "zeros"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_lengths("kernel", "stride", "padding", "dilation")
        if self.padding == "same" and set(self._each("stride")) != {1}:
            raise Wrong('must be numbers where `stride` is not 1, not "same"', about=("padding",))
        if self.c_out % self.groups:
            message = f"must be divisible by `groups`, and {self.c_out} is not by {self.groups}"
            raise Wrong(message, about=("c_out",))
        return self

    def _pads(self) -> list[tuple[int, int]]:
        """Before and behind, for each spatial axis."""
        if self.padding != "same":
            return [(p, p) for p in self._each("padding")]
        totals = [d * (k - 1) for d, k in zip(self._each("dilation"), self._each("kernel"), strict=True)]
        return [(t // 2, t - t // 2) for t in totals]

    def shape(self, x: Tensor) -> Tensor:
        batch, channels, *space = self._sizes(x)
        message = f"channels must be divisible by groups, and {channels} is not by {self.groups}"
        multiple(channels, self.groups, message, "groups", "x")
        each = (self._each(a) for a in ("kernel", "stride", "dilation"))
        out = []
        for n, k, s, d, (before, behind) in zip(space, *each, self._pads(), strict=True):
            reach = d * (k - 1) + 1
            message = f"the kernel spans {reach} and the padded input has only {n + before + behind}"
            enough(n + before + behind, reach, message, "kernel", "x")
            most = max(before, behind)
            if self.padding_mode == "reflect":
                enough(n, most + 1, f"{most} cannot be padded by reflection, the input has {n}", "padding")
            elif self.padding_mode == "circular":
                enough(n, most, f"{most} cannot be padded in a circle, the input has {n}", "padding")
            out.append((n + before + behind - reach) // s + 1)
        return Tensor((batch, self.c_out, *out), x.dtype)

    def weights(self, x: Tensor) -> dict[str, Weight]:
        weight = Weight((self.c_out, sizes(x)[1] // self.groups, *self._each("kernel")))
        return {"weight": weight} | ({"bias": Weight((self.c_out,))} if self.bias else {})

    def module(self, x: Tensor) -> str:
        return call(
            f"nn.Conv{self.dims}d",
            py(sizes(x)[1]),
            py(self.c_out),
            py(self.kernel),
            stride=unless(self.stride, 1),
            padding=unless(self.padding, 0),
            dilation=unless(self.dilation, 1),
            groups=unless(self.groups, 1),
            bias=unless(self.bias, True),
            padding_mode=unless(self.padding_mode, "zeros"),
        )

    def flops(self, x: Tensor) -> Size:
        taps = product(self._each("kernel")) * (sizes(x)[1] // self.groups)
        return 2 * taps * product(sizes(self.shape(x)))


_TRIED = {
    "c_out": (6, 8),
    "kernel": (1, 2, 3, 5),
    "stride": (1, 2, 3),
    "padding": (0, 1, 2, "same"),
    "dilation": (1, 2),
    "groups": (1, 2, 4),
    "bias": (True, False),
    "padding_mode": ("zeros", "reflect", "replicate", "circular"),
}


class Conv1d(_Conv):
    """Convolution over one axis: `[B, C, L] -> [B, c_out, L']`, L' = (L + 2p - d(k - 1) - 1) // s + 1.

    As `torch.nn.Conv1d`; `padding="same"` keeps L. Example: `conv1d(64, 3, padding=1)`.
    """

    dims = 1
    examples = (Example(("[B, 8, L]",), _TRIED),)


class Conv2d(_Conv):
    """Convolution over two axes: `[B, C, H, W] -> [B, c_out, H', W']`, each H' as in `conv1d`.

    As `torch.nn.Conv2d`. Example: `conv2d(128, 3, stride=2, padding=1)`.
    """

    dims = 2
    examples = (
        Example(("[B, 8, H, W]",), _TRIED),
        Example(
            ("[B, 4, H, W]",), {"c_out": (4,), "kernel": ((3, 2),), "padding": ((1, 0),), "stride": ((2, 1),)}
        ),
    )


class Conv3d(_Conv):
    """Convolution over three axes: `[B, C, D, H, W] -> [B, c_out, D', H', W']`, each as in `conv1d`.

    As `torch.nn.Conv3d`. Example: `conv3d(16, [1, 3, 3], padding=[0, 1, 1])`.
    """

    dims = 3
    examples = (Example(("[B, 8, D, H, W]",), _TRIED),)


class _ConvTranspose(_Convolution):
    padding: NonNegativeInts = 0
    output_padding: NonNegativeInts = 0
    dilation: PositiveInts = 1
    groups: Positive = 1
    bias: Bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_lengths("kernel", "stride", "padding", "output_padding", "dilation")
        each = (self._each(a) for a in ("output_padding", "stride", "dilation"))
        if any(extra >= max(s, d) for extra, s, d in zip(*each, strict=True)):
            raise Wrong("must be smaller than `stride` or `dilation`", about=("output_padding",))
        if self.c_out % self.groups:
            message = f"must be divisible by `groups`, and {self.c_out} is not by {self.groups}"
            raise Wrong(message, about=("c_out",))
        return self

    def shape(self, x: Tensor) -> Tensor:
        batch, channels, *space = self._sizes(x)
        message = f"channels must be divisible by groups, and {channels} is not by {self.groups}"
        multiple(channels, self.groups, message, "groups", "x")
        each = (self._each(a) for a in ("kernel", "stride", "padding", "output_padding", "dilation"))
        out = []
        for n, k, s, p, extra, d in zip(space, *each, strict=True):
            size = (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
            enough(size, 1, f"the padding leaves nothing: a size of {size}", "padding", "x")
            out.append(size)
        return Tensor((batch, self.c_out, *out), x.dtype)

    def weights(self, x: Tensor) -> dict[str, Weight]:
        weight = Weight((sizes(x)[1], self.c_out // self.groups, *self._each("kernel")))
        return {"weight": weight} | ({"bias": Weight((self.c_out,))} if self.bias else {})

    def module(self, x: Tensor) -> str:
        return call(
            f"nn.ConvTranspose{self.dims}d",
            py(sizes(x)[1]),
            py(self.c_out),
            py(self.kernel),
            stride=unless(self.stride, 1),
            padding=unless(self.padding, 0),
            output_padding=unless(self.output_padding, 0),
            groups=unless(self.groups, 1),
            bias=unless(self.bias, True),
            dilation=unless(self.dilation, 1),
        )

    def flops(self, x: Tensor) -> Size:
        return 2 * product(self._each("kernel")) * (self.c_out // self.groups) * product(sizes(x))


_TRANSPOSE_TRIED = {
    name: _TRIED[name] for name in ("c_out", "kernel", "stride", "dilation", "groups", "bias")
}
_TRANSPOSE_TRIED |= {"padding": (0, 1, 2), "output_padding": (0, 1)}


def _transposed(*inputs: str) -> tuple[Example, ...]:
    # torch may give an output of no elements, where the padding takes all
    return (Example(inputs, _TRANSPOSE_TRIED, stricter=True),)


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution: `[B, C, L] -> [B, c_out, L']`.

    L' = (L - 1)s - 2p + d(k - 1) + output_padding + 1, where s is the stride and d the dilation.
    As `torch.nn.ConvTranspose1d`. Example: `conv_transpose1d(64, 4, stride=2, padding=1)`.
    """

    dims = 1
    examples = _transposed("[B, 8, L]")


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over two axes: `[B, C, H, W] -> [B, c_out, H', W']`, as `conv_transpose1d`.

    As `torch.nn.ConvTranspose2d`. Example: `conv_transpose2d(64, 4, stride=2, padding=1)`.
    """

    dims = 2
    examples = _transposed("[B, 8, H, W]")


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over three axes: `[B, C, D, H, W] -> [B, c_out, D', H', W']`.

    As `torch.nn.ConvTranspose3d`. Example: `conv_transpose3d(8, 2, stride=2)`.
    """

    dims = 3
    examples = _transposed("[B, 8, D, H, W]")
