"""Operators that change the spatial size of images."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import (
    Bool,
    Choice,
    Positive,
    RuntimeScalar,
    RuntimeSizes,
    Valid,
    Wrong,
    integer,
    real,
    sequence,
    shown,
)
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import call, py, unless
from archc.ops.rules import (
    at_least_rank,
    enough,
    floating,
    multiple,
    ranked,
)
from archc.shapes import Dim, Size, Tensor, floor

Mode = Annotated[
    Literal["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area"], Choice()
]
RANKS = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
ALIGNED = frozenset({"linear", "bilinear", "bicubic", "trilinear"})


def _space(x: Tensor, mode: str) -> tuple[Size, ...]:
    """The sizes of an image that can be interpolated in this mode."""
    if x.dtype != "uint8" or mode not in ("nearest", "nearest-exact", "bilinear"):
        floating(x)
    shape = ranked(x, 3, 4, 5, layout="[B, C, ...]")
    if len(shape) not in RANKS.get(mode, (3, 4, 5)):
        message = f"`{mode}` takes {RANKS[mode][0]} axes, and `x` has {len(shape)}: {x}"
        matching = {3: "linear", 4: "bilinear or bicubic", 5: "trilinear"}[len(shape)]
        raise ShapeError(message, about=("mode", "x"), help=f"write {matching}, or nearest")
    return shape


class _Interpolated(Op):
    kind: ClassVar[str] = "resampling"

    def _check_alignment(self, mode: str, align_corners: bool) -> None:
        if align_corners and mode not in ALIGNED:
            message = f"has a meaning for {', '.join(sorted(ALIGNED))} only, not for {mode}"
            raise Wrong(message, about=("align_corners",))


def _factor(value: Any) -> Any:
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and value > 0
        else real(above=0)(value)
    )


class Upsample(_Interpolated):
    """Images `scale` times as large: `[B, C, n...] -> [B, C, n * scale...]`, rounded down.

    `scale` is one number or one an axis. As `torch.nn.Upsample`. Example: `upsample(2)`.
    """

    examples = (
        Example(
            ("[B, C, H, W]",),
            {"scale": (2, 1.5, 0.5, 1.3, (2, 3)), "mode": ("nearest", "area")},
            {"H": (2, 9), "W": (2, 9)},
        ),
        Example(
            ("[B, C, H, W]",),
            {"scale": (2, 0.75), "mode": ("bilinear", "bicubic", "linear"), "align_corners": (False, True)},
            {"H": (2, 9), "W": (2, 9)},
        ),
        Example(("[B, C, L]",), {"scale": (2,), "mode": ("nearest-exact", "linear", "bilinear")}),
        Example(("[B, C, D, H, W]",), {"scale": (2, (1, 2, 3)), "mode": ("nearest", "trilinear")}),
    )

    scale: Annotated[float | tuple[float, ...], Valid(sequence(_factor))]
    mode: Mode = "nearest"
    align_corners: Bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_alignment(self.mode, self.align_corners)
        return self

    def _scales(self, dims: int) -> tuple[float, ...]:
        if not isinstance(self.scale, tuple):
            return (self.scale,) * dims
        if len(self.scale) != dims:
            message = f"`scale` has {len(self.scale)} numbers, and `x` has {dims} axes to scale"
            raise ShapeError(message, about=("scale", "x"))
        return self.scale

    def shape(self, x: Tensor) -> Tensor:
        shape = _space(x, self.mode)
        space = [scaled(n, scale) for n, scale in zip(shape[2:], self._scales(len(shape) - 2), strict=True)]
        for n, size in zip(shape[2:], space, strict=True):
            enough(size, 1, f"the scale leaves nothing of a size of {n}", "scale", "x")
        return Tensor((*shape[:2], *space), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(
            "F.interpolate",
            x,
            scale_factor=self.scale,
            mode=unless(self.mode, "nearest"),
            align_corners=True if self.align_corners else unless(False, False),
        )

    def label(self, x: Tensor) -> str:
        scales = self.scale if isinstance(self.scale, tuple) else (self.scale,)
        return f"×{'x'.join(f'{s:g}' for s in scales)} {self.mode}"


def scaled(n: Size, scale: float) -> Size:
    """`n * scale` as PyTorch rounds it: a product of doubles, cut off."""
    if isinstance(scale, int):
        return n * scale
    if not isinstance(n, Dim):
        return int(float(n) * float(scale))
    exact = Fraction(float(scale))
    if exact.denominator <= 2**10 and exact.numerator <= 2**10:
        return n * exact.numerator // exact.denominator
    return floor(n * scale)


class Resize(_Interpolated):
    """Images of a given size: `[B, C, n...] -> [B, C, *size]`; the size may be known at run time only.

    As `torch.nn.functional.interpolate`. Example: `resize([H, W], mode=bilinear)`.
    """

    examples = (
        Example(("[B, C, H, W]",), {"size": ((3, 5), 4, (2, 2, 2)), "mode": ("nearest", "bilinear", "area")}),
        Example(
            ("[B, C, H, W]",), {"size": ((3, 5),), "mode": ("bicubic", "bilinear"), "align_corners": (True,)}
        ),
        Example(("[B, C, L]",), {"size": (7,), "mode": ("nearest", "linear")}),
    )

    size: RuntimeSizes
    mode: Mode = "nearest"
    align_corners: Bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_alignment(self.mode, self.align_corners)
        if not self.size:
            raise Wrong("must not be empty", about=("size",))
        return self

    def shape(self, x: Tensor) -> Tensor:
        shape = _space(x, self.mode)
        dims = len(shape) - 2
        if len(self.size) not in (1, dims):
            message = f"`size` has {len(self.size)} numbers, and `x` has {dims} axes to resize"
            raise ShapeError(message, about=("size", "x"))
        return Tensor((*shape[:2], *(self.size if len(self.size) == dims else self.size * dims)), x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(
            "F.interpolate",
            x,
            size=self.size if len(self.size) > 1 else next(iter(self.size)),
            mode=unless(self.mode, "nearest"),
            align_corners=True if self.align_corners else unless(False, False),
        )

    def label(self, x: Tensor) -> str:
        return f"→ {'x'.join(map(str, self.size))} {self.mode}"


class PixelShuffle(Op):
    """Channels become space: `[..., C * r * r, H, W] -> [..., C, H * r, W * r]`.

    As `torch.nn.PixelShuffle`. Example: `pixel_shuffle(2)`.
    """

    kind: ClassVar[str] = "resampling"
    examples = (Example(("[B, 36, H, W]",), {"r": (1, 2, 3, 4)}), Example(("[4, H, W]",), {"r": (2,)}))

    r: Positive

    def shape(self, x: Tensor) -> Tensor:
        *lead, channels, height, width = at_least_rank(x, 3)
        message = f"the {channels} channels of `x` must be divisible by r * r = {self.r * self.r}"
        multiple(channels, self.r * self.r, message, "r", "x")
        shape = (*lead, channels // (self.r * self.r), height * self.r, width * self.r)
        return Tensor(shape, x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.pixel_shuffle", x, py(self.r))

    def label(self, x: Tensor) -> str:
        return f"×{self.r}"


class PixelUnshuffle(Op):
    """Space becomes channels: `[..., C, H * r, W * r] -> [..., C * r * r, H, W]`.

    As `torch.nn.PixelUnshuffle`. Example: `pixel_unshuffle(2)`.
    """

    kind: ClassVar[str] = "resampling"
    examples = (Example(("[B, C, H, W]",), {"r": (1, 2, 3)}), Example(("[C, 4, 2]",), {"r": (2,)}))

    r: Positive

    def shape(self, x: Tensor) -> Tensor:
        *lead, channels, height, width = at_least_rank(x, 3)
        for size in (height, width):
            multiple(size, self.r, f"height and width of `x` must be divisible by {self.r}: {x}", "r", "x")
        shape = (*lead, channels * self.r * self.r, height // self.r, width // self.r)
        return Tensor(shape, x.dtype)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.pixel_unshuffle", x, py(self.r))

    def label(self, x: Tensor) -> str:
        return f"÷{self.r}"


class Pad(Op):
    """More values around: `pads` are the numbers before and behind the last axis, then the one before it.

    Negative numbers cut off. They may be known at run time only. `reflect`, `replicate` and
    `circular` take the last one, two or three axes of a batch. As `torch.nn.functional.pad`.
    Example: `pad([0, 1, 0, 1])` adds a column on the right and a row below.
    """

    examples = (
        Example(
            ("[B, C, H, W]",),
            {"pads": ((1, 2), (0, 1, 0, 1), (-1, 2, 1, -1), (0, 0, 0, 0, 1, 0)), "value": (0, 1.5)},
        ),
        Example(
            ("[B, C, H, W]",),
            {"pads": ((1, 2, 0, 3), (2, 0, 1, 1), (1, 1)), "mode": ("reflect", "replicate", "circular")},
        ),
        Example(("[B, C, L]",), {"pads": ((2, 1),), "mode": ("reflect", "replicate", "circular")}),
        Example(("bool[B, L]",), {"pads": ((2, 1),), "value": (True,)}),
    )

    pads: Annotated[tuple[int | Dim, ...], Valid(sequence(integer(runtime=True), single=False))]
    mode: Annotated[Literal["constant", "reflect", "replicate", "circular"], Choice()] = "constant"
    value: RuntimeScalar = 0

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.pads) % 2:
            message = f"must have two numbers an axis, before and behind, not {len(self.pads)}"
            raise Wrong(message, "the last axis comes first: [left, right, above, below]", about=("pads",))
        if self.mode != "constant":
            if negative := [p for p in self.pads if isinstance(p, int) and p < 0]:
                raise Wrong(
                    f"must not be negative for {self.mode}, not {shown(negative[0])}", about=("pads",)
                )
            if self.value != 0:
                raise Wrong(f"has no meaning for {self.mode}", about=("value",))
        return self

    def shape(self, x: Tensor) -> Tensor:
        shape = list(at_least_rank(x, 1))
        axes = len(self.pads) // 2
        if axes > len(shape):
            message = f"`pads` are for {axes} axes, and `x` has {len(shape)}: {x}"
            raise ShapeError(message, about=("pads", "x"))
        if self.mode != "constant":
            floating(x, complex=True)
            if len(shape) not in (axes + 1, axes + 2) or axes > 3:
                message = f"{self.mode} padding of {axes} axes takes a batch of images, and `x` is {x}"
                help = "pads are for all axes behind the channels: two numbers each"
                raise ShapeError(message, about=("pads", "x"), help=help)
        for i in range(axes):
            axis = len(shape) - 1 - i
            n, (before, behind) = shape[axis], self.pads[2 * i : 2 * i + 2]
            self._check_axis(n, (before, behind))
            shape[axis] = n + before + behind
        return Tensor(tuple(shape), x.dtype)

    def _check_axis(self, n: Size, pads: Sequence[Size]) -> None:
        least: Size = 0 if self.mode == "constant" else 1
        enough(n + pads[0] + pads[1], least, f"the pads cut off more than the {n} there are", "pads", "x")
        for pad in pads if self.mode in ("reflect", "circular") else ():
            message = f"{self.mode} padding of {pad} needs a larger axis than {n}"
            enough(n - pad, 1 if self.mode == "reflect" else 0, message, "pads", "x")

    def call(self, x: str, *, self_: str | None = None) -> str:
        mode, value = unless(self.mode, "constant"), unless(self.value, 0)
        return call("F.pad", x, py(self.pads), mode=mode, value=value)

    def label(self, x: Tensor) -> str:
        return f"{', '.join(map(str, self.pads))}{f' {self.mode}' * (self.mode != 'constant')}"


def _like(x: Tensor, like: Tensor) -> tuple[tuple[Size, ...], tuple[Size, ...]]:
    own = at_least_rank(x, 3)
    other = ranked(like, len(own), port="like")
    return own, other


class PadLike(Op):
    """Zeros around `x` until its space is that of `like`, `x` in the middle: `[B, C, n...] -> [B, C, m...]`.

    Of an odd number of new values, the greater part comes behind. As `torch.nn.functional.pad`.
    Example: `up, skip -> pad_like`.
    """

    kind: ClassVar[str] = "resampling"
    examples = (
        Example(("[B, C, H, W]", "[2, 3, H2, W2]"), {}, {"H2": (9, 12), "W2": (9, 12)}),
        Example(("[B, C, H]", "[D, E, L]"), {}, stricter=True),  # negative padding would cut off
    )
    helpers = {
        "pad_like": '''def pad_like(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Zeros around `x` until its space is that of `like`."""
    pads: list[int] = []
    for axis in range(x.ndim - 1, 1, -1):
        missing = like.shape[axis] - x.shape[axis]
        pads += [missing // 2, missing - missing // 2]
    return F.pad(x, pads)
'''
    }

    def shape(self, x: Tensor, like: Tensor) -> Tensor:
        own, other = _like(x, like)
        for n, m in zip(own[2:], other[2:], strict=True):
            enough(m - n, 0, f"`x` is larger than `like`: {n} and {m}", "x", "like")
        return Tensor((*own[:2], *other[2:]), x.dtype)

    def call(self, x: str, like: str, *, self_: str | None = None) -> str:
        return call("pad_like", x, like)


class CropLike(Op):
    """The middle of `x`, in the space of `like`: `[B, C, n...] -> [B, C, m...]`.

    Of an odd number of values too many, the greater part goes behind. Example: `skip, up -> crop_like`.
    """

    kind: ClassVar[str] = "resampling"
    examples = (
        Example(("[B, C, H, W]", "[2, 3, H2, W2]"), {}, {"H": (5, 12), "W": (5, 12)}),
        Example(("[B, C, H]", "[D, E, L]"), {}),
    )
    helpers = {
        "crop_like": '''def crop_like(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The middle of `x`, in the space of `like`."""
    for axis in range(2, x.ndim):
        size = like.shape[axis]
        x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
    return x
'''
    }

    def shape(self, x: Tensor, like: Tensor) -> Tensor:
        own, other = _like(x, like)
        for n, m in zip(own[2:], other[2:], strict=True):
            enough(n - m, 0, f"`x` is smaller than `like`: {n} and {m}", "x", "like")
        return Tensor((*own[:2], *other[2:]), x.dtype)

    def call(self, x: str, like: str, *, self_: str | None = None) -> str:
        return call("crop_like", x, like)
