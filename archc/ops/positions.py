"""When a step happens and how far tokens are apart: embeddings, buckets and biases."""

from typing import ClassVar, Self

from pydantic import model_validator

from archc.ops.attributes import Bool, Float, Positive, PositiveFloat, Wrong
from archc.ops.base import Example, Op, ShapeError, Weight
from archc.ops.python import call, py, unless
from archc.ops.rules import floating, integral, numeric, ranked, sizes
from archc.shapes import Size, Tensor


class SinusoidalEmbedding(Op):
    """Sines and cosines of a number at `dim / 2` frequencies: `t[...] -> [..., dim]`.

    Frequency i is max_period^(-i / (dim / 2 - shift)), times `scale`. Sines come first, cosines where
    `flip`; an odd dim ends with a zero. Computed in float32 and given in the default dtype. Ho et
    al. 2020, Vaswani et al. 2017. Example: `t -> sinusoidal_embedding(128)`.
    """

    formula: ClassVar[str] = (
        r"y_i = \sin(\omega_i t), \quad y_{i + d/2} = \cos(\omega_i t), \qquad \omega_i = "
        r"\mathit{scale} \cdot \mathit{period}^{-i / (d/2 - \mathit{shift})}"
    )
    examples = (
        Example(
            ("[B]",),
            {"dim": (2, 5, 8), "flip": (False, True), "shift": (0, 1.0, 2), "scale": (1.0, 1000)},
        ),
        Example(("int64[B, T]",), {"dim": (8,), "max_period": (100,)}),
    )
    helpers = {
        "sinusoidal_embedding": '''def sinusoidal_embedding(
    t: torch.Tensor,
    dim: int,
    flip: bool = False,
    shift: float = 1.0,
    scale: float = 1.0,
    max_period: float = 10000,
) -> torch.Tensor:
    """Sines and cosines of `t` at dim / 2 frequencies."""
    steps = torch.arange(dim // 2, device=t.device).float()
    frequencies = torch.exp(-math.log(max_period) * steps / (dim // 2 - shift))
    angles = scale * (t[..., None].float() * frequencies)
    waves = [angles.cos(), angles.sin()] if flip else [angles.sin(), angles.cos()]
    return F.pad(torch.cat(waves, -1), (0, dim % 2))
'''
    }

    dim: Positive
    flip: Bool = False
    shift: Float = 1.0
    scale: Float = 1.0
    max_period: PositiveFloat = 10000

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.dim < 2:
            raise Wrong("must be at least 2", about=("dim",))
        if self.dim // 2 <= self.shift:
            raise Wrong(f"must be less than dim / 2 = {self.dim // 2}", about=("shift",))
        return self

    def shape(self, t: Tensor) -> Tensor:
        numeric(t, "t")
        return Tensor((*sizes(t, "t"), self.dim))

    def call(self, t: str, *, self_: str | None = None) -> str:
        embedded = call(
            "sinusoidal_embedding",
            t,
            py(self.dim),
            flip=unless(self.flip, False),
            shift=unless(self.shift, 1.0),
            scale=unless(self.scale, 1.0),
            max_period=unless(self.max_period, 10000),
        )
        return f"{embedded}.to(DTYPE)"

    def label(self, t: Tensor) -> str:
        return str(self.dim)


class GaussianFourier(Op):
    """Sines and cosines of a number at random frequencies: `t[...] -> [..., 2 * dim]`.

    The frequencies are drawn once, normal with standard deviation `scale`, and kept in the buffer
    `weight`; `log` takes log t in place of t. Song et al. 2021. Example: `gaussian_fourier(128, scale=16)`.
    """

    weighted: ClassVar[bool] = True
    examples = (
        Example(("[B]",), {"dim": (1, 4), "scale": (1.0, 16), "log": (True, False)}),
        Example(("[B, T]",), {"dim": (3,)}),
        Example(("int64[B]",), {"dim": (3,)}, stricter=True),  # torch would take the logarithm of 0
    )
    helpers = {
        "GaussianFourier": '''class GaussianFourier(nn.Module):
    """Sines and cosines at random frequencies."""

    weight: torch.Tensor

    def __init__(self, dim: int, scale: float) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(dim) * scale)

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        angles = t[..., None] * self.weight * 2 * math.pi
        return torch.cat([angles.sin(), angles.cos()], -1)
'''
    }

    dim: Positive
    scale: PositiveFloat = 1.0
    log: Bool = True

    def shape(self, t: Tensor) -> Tensor:
        floating(t, "t")
        if t.dtype != "float":
            message = f"`t` must be of the default dtype, as the frequencies are, and is {t.dtype}"
            raise ShapeError(message, about=("t",), help="cast it first: `t -> cast(float)`")
        return Tensor((*sizes(t, "t"), 2 * self.dim))

    def weights(self, t: Tensor) -> dict[str, Weight]:
        return {"weight": Weight((self.dim,), buffer=True, trainable=False)}

    def module(self, t: Tensor) -> str:
        return call("GaussianFourier", py(self.dim), py(self.scale))

    def call(self, t: str, *, self_: str | None = None) -> str:
        return f"{self_}(torch.log({t}))" if self.log else f"{self_}({t})"

    def label(self, t: Tensor) -> str:
        return str(2 * self.dim)


class _Pairwise(Op):
    """What is told of each query and key by their positions."""

    kind: ClassVar[str] = "attention"

    def _pairs(self, q: Tensor, k: Tensor) -> tuple[Size, Size]:
        integral(q, port="q")
        integral(k, port="k")
        return ranked(q, 1, port="q", layout="[T]")[0], ranked(k, 1, port="k", layout="[S]")[0]


class T5Bucket(_Pairwise):
    """The bucket of the distance from each query to each key: `q int[T], k int[S] -> int64[T, S]`.

    Half of the buckets hold a distance each, the others ever more of them up to `distance`, beyond
    which all share the last. `bidirectional` keeps one half of all for keys behind the query; if not,
    those count as distance 0. Raffel et al. 2020. Example: `arange(T), arange(S) -> t5_bucket`.
    """

    examples = (
        Example(
            ("int64[T]", "int64[S]"),
            {"buckets": (32, 8, 4, 2, 7), "distance": (128, 16, 3), "bidirectional": (True, False)},
        ),
        Example(("int32[T]", "int64[S]"), {}),
    )
    helpers = {
        "t5_bucket": '''def t5_bucket(
    q: torch.Tensor, k: torch.Tensor, buckets: int, distance: int, bidirectional: bool
) -> torch.Tensor:
    """The bucket of the distance from each query to each key."""
    away = k[None, :].long() - q[:, None].long()
    start = torch.zeros_like(away)
    if bidirectional:
        buckets //= 2
        start = (away > 0).long() * buckets
        away = away.abs()
    else:
        away = (-away).clamp(min=0)
    exact = buckets // 2
    octaves = torch.log(away.clamp(min=1).float() / exact) / math.log(distance / exact)
    coarse = exact + (octaves * (buckets - exact)).long()
    return start + torch.where(away < exact, away, coarse.clamp(max=buckets - 1))
'''
    }

    buckets: Positive = 32
    distance: Positive = 128
    bidirectional: Bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        least = 4 if self.bidirectional else 2
        if self.buckets < least or (self.bidirectional and self.buckets % 2):
            even = "even and " if self.bidirectional else ""
            raise Wrong(f"must be {even}at least {least}, not {int(self.buckets)}", about=("buckets",))
        exact = self.buckets // least
        if self.distance <= exact:
            message = f"must be more than the {exact} distances with a bucket each, not {int(self.distance)}"
            raise Wrong(message, about=("distance",))
        return self

    def shape(self, q: Tensor, k: Tensor) -> Tensor:
        return Tensor(self._pairs(q, k), "int64")

    def call(self, q: str, k: str, *, self_: str | None = None) -> str:
        return call("t5_bucket", q, k, py(self.buckets), py(self.distance), py(self.bidirectional))

    def label(self, q: Tensor, k: Tensor) -> str:
        return f"{self.buckets} buckets"


class Alibi(_Pairwise):
    """A bias that falls with the distance, for each head more or less: `q int[T], k int[S] -> [heads, T, S]`.

    -slope * |q - k|, the slopes being 2^(-8 i / heads) for a power of two heads, else those of the
    power below and every other one of the power above. Press et al. 2022.
    Example: `arange(T), arange(S) -> alibi(heads)`.
    """

    examples = (
        Example(("int64[T]", "int64[S]"), {"heads": (1, 8, 12)}),
        Example(("[T]", "int64[S]"), {"heads": (2,)}, stricter=True),
    )
    helpers = {
        "alibi": '''def alibi(q: torch.Tensor, k: torch.Tensor, heads: int) -> torch.Tensor:
    """A bias for each head that falls with the distance."""
    n = 2 ** math.floor(math.log2(heads))
    slopes = [2.0 ** (-8 * (i + 1) / n) for i in range(n)]
    slopes += [2.0 ** (-4 * (2 * i + 1) / n) for i in range(heads - n)]
    distances = (q[:, None] - k).abs()
    return -torch.tensor(slopes, device=q.device)[:, None, None] * distances
'''
    }

    heads: Positive

    def shape(self, q: Tensor, k: Tensor) -> Tensor:
        return Tensor((self.heads, *self._pairs(q, k)))

    def call(self, q: str, k: str, *, self_: str | None = None) -> str:
        return f"{call('alibi', q, k, py(self.heads))}.to(DTYPE)"

    def label(self, q: Tensor, k: Tensor) -> str:
        return f"{self.heads} heads"
