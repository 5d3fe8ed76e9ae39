"""Normalisation."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import model_validator

from archc.ops.attributes import Axes, Axis, Bool, Float, NonNegativeFloat, Positive, Wrong
from archc.ops.base import Example, Op, Weight
from archc.ops.python import Code, call, py, unless
from archc.ops.rules import (
    at_least_rank,
    axes_of,
    axis_of,
    default_float,
    enough,
    floating,
    multiple,
    product,
    ranked,
    sizes,
    static,
)
from archc.shapes import Size, Tensor


class _OverAxes(Op):
    """Normalisation over axes, with a weight for each of their elements.

    Those that are not the last are moved there and back. Without weights it needs no node.
    """

    kind: ClassVar[str] = "norm"
    weighted: ClassVar[bool] = True
    function: ClassVar[str]

    axis: Axes = -1
    eps: NonNegativeFloat = 1e-5
    affine: Bool = True

    def shape(self, x: Tensor) -> Tensor:
        shape = at_least_rank(x, 1)
        axes = axes_of(self.axis, len(shape), x=x)
        if self.affine:
            default_float(x)
            for axis in axes:
                static(shape[axis], "a normalised size")
        floating(x)
        return x

    @property
    def owns_weights(self) -> bool:
        return self.affine

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if isinstance(self.axis, tuple) and len({a < 0 for a in self.axis}) > 1:
            raise Wrong("must count all axes from one end", about=("axis",))
        return self

    def _normalised(self, x: Tensor) -> tuple[Size, ...]:
        return tuple(sizes(x)[a] for a in sorted(axes_of(self.axis, len(sizes(x)))))

    def call(self, x: str, *, self_: str | None = None) -> str:
        axes = sorted(self.axis) if isinstance(self.axis, tuple) else [self.axis]
        return self._source(x, axes, self_)

    def lower(
        self, inputs: Sequence[str | None], types: Sequence[Tensor | None], self_: str | None = None
    ) -> str:
        [x], [tensor] = inputs, types
        if x is None or tensor is None or tensor.shape is None:
            return super().lower(inputs, types, self_)
        rank = len(tensor.shape)
        axes = sorted(axes_of(self.axis, rank))
        if axes == list(range(rank - len(axes), rank)):
            axes = [a - rank for a in axes]
        return self._source(x, axes, self_)

    def _source(self, x: str, axes: Sequence[int], self_: str | None) -> str:
        """The source over axes in order; they are moved unless they are seen to be the last ones."""
        count = len(axes)
        behind = tuple(range(-count, 0))
        last = tuple(axes) == behind
        here, there = (py(axes[0]), "-1") if count == 1 else (py(axes), py(behind))
        inner = x if last else f"{x}.movedim({here}, {there})"
        if self.affine:
            normalised = f"{self_}({inner})"
        else:
            shape = f"{x}.shape[-{count}:]" if last else py(tuple(Code(f"{x}.shape[{a}]") for a in axes))
            normalised = call(self.function, inner, shape, eps=self._eps())
        return normalised if last else f"{normalised}.movedim({there}, {here})"

    def _eps(self) -> Any:
        """`eps`, or what leaves it out."""
        return unless(self.eps, 1e-5)


class LayerNorm(_OverAxes):
    """Mean 0 and variance 1 over `axis`, then a weight and a bias: `x -> x`.

    `axis` is one axis or a list; 1 on `[B, C, H, W]` is ConvNeXt's, over channels.
    As `torch.nn.LayerNorm`; Ba et al. 2016. Example: `layer_norm(eps=1e-6)`.
    """

    formula: ClassVar[str] = (
        r"y = \frac{x - \mathrm{E}[x]}{\sqrt{\mathrm{Var}[x] + \epsilon}} \cdot \gamma + \beta"
    )
    function = "F.layer_norm"
    examples = (
        Example(
            ("[B, T, 8]",),
            {"axis": (-1, 2), "eps": (1e-5, 1e-6), "affine": (True, False), "bias": (True, False)},
        ),
        Example(("[B, 6, H, W]",), {"axis": (1, -3), "affine": (True, False)}),
        Example(("[B, 3, 4, 5]",), {"axis": ((-2, -1), (1, 2), (3, 1), (2, 3), -1), "affine": (True, False)}),
        Example(("[B, T, D]",), {"affine": (False,), "axis": (-1, 1)}),
    )

    bias: Bool = True

    def weights(self, x: Tensor) -> dict[str, Weight]:
        weight = Weight(self._normalised(x))
        return ({"weight": weight} | ({"bias": weight} if self.bias else {})) if self.affine else {}

    def module(self, x: Tensor) -> str | None:
        shape = self._normalised(x)
        size = py(shape[0] if len(shape) == 1 else shape)
        bias = unless(self.bias, True)
        return call("nn.LayerNorm", size, eps=self._eps(), bias=bias) if self.affine else None


class RmsNorm(_OverAxes):
    """Division by the root mean square over `axis`, then a weight: `x -> x`.

    As `torch.nn.RMSNorm`; Zhang and Sennrich 2019. Example: `rms_norm(eps=1e-6)`.
    """

    formula: ClassVar[str] = r"y = \frac{x}{\sqrt{\mathrm{E}[x^2] + \epsilon}} \cdot \gamma"
    function = "F.rms_norm"
    examples = (
        Example(("[B, T, 8]",), {"axis": (-1, 2), "eps": (1e-5, 1e-6), "affine": (True, False)}),
        Example(
            ("[B, 6, H, W]",),
            {"axis": (1, (1, 2), (2, 3), -2), "affine": (True, False)},
            {"H": (4, 4), "W": (3, 3)},
        ),
        Example(("[B, T, D]",), {"affine": (False,)}),
    )

    eps: NonNegativeFloat = 1e-6

    def weights(self, x: Tensor) -> dict[str, Weight]:
        return {"weight": Weight(self._normalised(x))} if self.affine else {}

    def module(self, x: Tensor) -> str | None:
        shape = self._normalised(x)
        size = py(shape[0] if len(shape) == 1 else shape)
        return call("nn.RMSNorm", size, eps=self._eps()) if self.affine else None

    def _eps(self) -> Any:
        return self.eps  # torch's own default depends on the dtype


def _each_channel(x: Tensor, affine: bool) -> dict[str, Weight]:
    """A weight and a bias for each channel of `[B, C, ...]`."""
    channels = Weight((sizes(x)[1],))
    return {"weight": channels, "bias": channels} if affine else {}


class GroupNorm(Op):
    """Mean 0 and variance 1 over space and groups of channels: `[B, C, ...] -> same`.

    C must be divisible by `groups`. As `torch.nn.GroupNorm`; Wu and He 2018.
    Example: `group_norm(32, eps=1e-6)`.
    """

    formula: ClassVar[str] = (
        r"y = \frac{x - \mathrm{E}_g[x]}{\sqrt{\mathrm{Var}_g[x] + \epsilon}} \cdot \gamma_c + \beta_c"
    )
    kind: ClassVar[str] = "norm"
    weighted: ClassVar[bool] = True
    examples = (
        Example(
            ("[B, 12, H, W]",), {"groups": (1, 2, 3, 12, 5), "eps": (1e-5, 1e-6), "affine": (True, False)}
        ),
        Example(("[B, 8, T]",), {"groups": (4,)}),
        Example(("[B, 8]",), {"groups": (2,)}),
        Example(("[B, C, T]",), {"groups": (1, 2), "affine": (False,)}),
    )

    groups: Positive
    eps: NonNegativeFloat = 1e-5
    affine: Bool = True

    def weights(self, x: Tensor) -> dict[str, Weight]:
        return _each_channel(x, self.affine)

    @property
    def owns_weights(self) -> bool:
        return self.affine

    def shape(self, x: Tensor) -> Tensor:
        batch, channels, *space = at_least_rank(x, 2)
        if self.affine:
            default_float(x)
            static(channels, "the number of channels")
        floating(x)
        message = f"channels must be divisible by groups, and {channels} is not by {self.groups}"
        multiple(channels, self.groups, message, "groups", "x")
        count = batch * (channels // self.groups) * product(space)
        enough(count, 2, "a single value in all cannot be normalised", "x")
        return x

    def module(self, x: Tensor) -> str | None:
        if not self.affine:
            return None
        return call("nn.GroupNorm", py(self.groups), py(sizes(x)[1]), eps=unless(self.eps, 1e-5))

    def call(self, x: str, *, self_: str | None = None) -> str:
        if self.affine:
            return f"{self_}({x})"
        return call("F.group_norm", x, py(self.groups), eps=unless(self.eps, 1e-5))

    def label(self, x: Tensor) -> str:
        return f"{self.groups} groups" if self.groups > 1 else "1 group"


class BatchNorm(Op):
    """Mean 0 and variance 1 over batch and space in training, with running statistics after it.

    `[B, C, ...] -> same`, of 2 to 5 axes. In training it needs more than one value a channel.
    `track=false` uses the batch's own statistics always. `momentum=null` averages all batches.
    As `torch.nn.BatchNorm1d`, `2d` and `3d`; Ioffe and Szegedy 2015. Example: `batch_norm(eps=1e-3)`.
    """

    formula: ClassVar[str] = (
        r"y = \frac{x - \mathrm{E}_c[x]}{\sqrt{\mathrm{Var}_c[x] + \epsilon}} \cdot \gamma_c + \beta_c"
    )
    kind: ClassVar[str] = "norm"
    weighted: ClassVar[bool] = True
    examples = tuple(
        Example(
            (x,),
            {
                "eps": (1e-5, 1e-3),
                "momentum": (0.1, 0.01),
                "affine": (True, False),
                "track": (True, False),
            },
            {"B": (2, 5)},
        )
        for x in ("[B, 6]", "[B, 6, T]", "[B, 6, H, W]", "[B, 3, D, H, W]")
    ) + (Example(("[B, 6, H, W]",), {"momentum": (None,)}, {"B": (2, 5)}, meta=False),)

    eps: NonNegativeFloat = 1e-5
    momentum: Float | None = 0.1
    affine: Bool = True
    track: Bool = True

    def shape(self, x: Tensor) -> Tensor:
        shape = ranked(x, 2, 3, 4, 5)
        default_float(x)
        static(shape[1], "the number of channels")
        return x

    def weights(self, x: Tensor) -> dict[str, Weight]:
        found = _each_channel(x, self.affine)
        if self.track:
            channels = Weight((sizes(x)[1],), buffer=True, trainable=False)
            count = Weight((), "int64", buffer=True, trainable=False, optional=True)
            found |= {"running_mean": channels, "running_var": channels, "num_batches_tracked": count}
        return found

    @property
    def owns_weights(self) -> bool:
        return self.affine or self.track

    def module(self, x: Tensor) -> str | None:
        if not self.owns_weights:
            return None
        return call(
            f"nn.BatchNorm{max(1, len(sizes(x)) - 2)}d",
            py(sizes(x)[1]),
            eps=unless(self.eps, 1e-5),
            momentum=unless(self.momentum, 0.1),
            affine=unless(self.affine, True),
            track_running_stats=unless(self.track, True),
        )

    def call(self, x: str, *, self_: str | None = None) -> str:
        if self.owns_weights:
            return f"{self_}({x})"
        return call("F.batch_norm", x, "None", "None", training=True, eps=unless(self.eps, 1e-5))


class InstanceNorm(Op):
    """Mean 0 and variance 1 over space, for each sample and channel: `[B, C, ...] -> same`.

    3 to 5 axes with more than one value in space. As `torch.nn.InstanceNorm1d`, `2d` and `3d`;
    Ulyanov et al. 2016. Example: `instance_norm(affine=true)`.
    """

    kind: ClassVar[str] = "norm"
    weighted: ClassVar[bool] = True
    examples = tuple(
        Example((x,), {"eps": (1e-5, 1e-3), "affine": (True, False)})
        for x in ("[B, 6, T]", "[B, 6, H, W]", "[B, 3, D, H, W]")
    ) + (Example(("[B, C, T]",)),)

    eps: NonNegativeFloat = 1e-5
    affine: Bool = False

    def weights(self, x: Tensor) -> dict[str, Weight]:
        return _each_channel(x, self.affine)

    @property
    def owns_weights(self) -> bool:
        return self.affine

    def shape(self, x: Tensor) -> Tensor:
        _, channels, *space = ranked(x, 3, 4, 5)
        if self.affine:
            default_float(x)
            static(channels, "the number of channels")
        floating(x)
        enough(product(space), 2, "a single value in space cannot be normalised", "x")
        return x

    def module(self, x: Tensor) -> str | None:
        if not self.affine:
            return None
        name = f"nn.InstanceNorm{len(sizes(x)) - 2}d"
        return call(name, py(sizes(x)[1]), eps=unless(self.eps, 1e-5), affine=True)

    def call(self, x: str, *, self_: str | None = None) -> str:
        return f"{self_}({x})" if self.affine else call("F.instance_norm", x, eps=unless(self.eps, 1e-5))


class L2Normalize(Op):
    """Division by the Euclidean length over `axis`, at least `eps`: `x -> x`.

    As `torch.nn.functional.normalize`. Example: `l2_normalize(axis=1)`.
    """

    formula: ClassVar[str] = r"y = \frac{x}{\max(\lVert x \rVert_2, \epsilon)}"
    kind: ClassVar[str] = "norm"
    examples = (Example(("[B, T, D]",), {"axis": (-1, 1, 0, -3), "eps": (1e-12, 1e-6)}),)

    axis: Axis = -1
    eps: NonNegativeFloat = 1e-12

    def shape(self, x: Tensor) -> Tensor:
        axis_of(self.axis, len(at_least_rank(x, 1)), x=x)
        floating(x)
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call("F.normalize", x, dim=self.axis, eps=unless(self.eps, 1e-12))


class LocalResponseNorm(Op):
    """Division by (k + alpha · mean square of `size` neighbouring channels)^beta: `[B, C, ...] -> same`.

    3 axes or more. As `torch.nn.functional.local_response_norm`; Krizhevsky et al. 2012.
    Example: `local_response_norm(5)`.
    """

    kind: ClassVar[str] = "norm"
    examples = (
        Example(
            ("[B, C, H, W]",), {"size": (1, 2, 5), "alpha": (1e-4, 1e-3), "beta": (0.75,), "k": (1.0, 2.0)}
        ),
        Example(("[B, C, T]",), {"size": (3,)}),
    )

    size: Positive
    alpha: Float = 1e-4
    beta: Float = 0.75
    k: Float = 1.0

    def shape(self, x: Tensor) -> Tensor:
        at_least_rank(x, 3)
        floating(x)
        return x

    def call(self, x: str, *, self_: str | None = None) -> str:
        return call(
            "F.local_response_norm",
            x,
            py(self.size),
            alpha=unless(self.alpha, 1e-4),
            beta=unless(self.beta, 0.75),
            k=unless(self.k, 1.0),
        )
