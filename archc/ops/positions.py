"""Where a token stands, or when a step happens: rotations, embeddings and biases."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import Bool, Choice, Float, Positive, PositiveFloat, Wrong
from archc.ops.base import Example, Op, ShapeError, Weight
from archc.ops.python import Code, call, py, unless
from archc.ops.rules import at_least_rank, enough, equal, floating, integral, multiple, numeric, ranked, sizes
from archc.shapes import Size, Tensor

_ROPE = '''def rope(
    x: torch.Tensor, positions: torch.Tensor, frequencies: torch.Tensor, scale: float = 1.0
) -> torch.Tensor:
    """Turn the pairs of features (i, i + d / 2) by angles that grow with the position."""
    cos, sin = rope_angles(x, positions, frequencies, scale)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
'''

_ROPE_INTERLEAVED = '''def rope_interleaved(
    x: torch.Tensor, positions: torch.Tensor, frequencies: torch.Tensor, scale: float = 1.0
) -> torch.Tensor:
    """Turn the pairs of features (2 i, 2 i + 1) by angles that grow with the position."""
    cos, sin = rope_angles(x, positions, frequencies, scale)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
'''

_ROPE_ANGLES = '''def rope_angles(
    x: torch.Tensor, positions: torch.Tensor, frequencies: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The cosines and sines for each position and pair. The positions of a sample hold for all its heads."""
    angles = positions[..., None].float() * frequencies
    while 2 < angles.ndim < x.ndim:
        angles = angles.unsqueeze(-3)
    return (angles.cos() * scale).to(x.dtype), (angles.sin() * scale).to(x.dtype)
'''

_ROPE_FREQUENCIES = '''def rope_frequencies(
    dim: int, theta: float | torch.Tensor, device: torch.device
) -> torch.Tensor:
    """The angle by which each pair turns from one position to the next."""
    return 1.0 / theta ** (torch.arange(0, dim, 2, device=device).float() / dim)
'''

_DYNAMIC = '''def dynamic_theta(
    dim: int, theta: float, factor: float, max_positions: int, positions: torch.Tensor
) -> torch.Tensor:
    """The base of the frequencies, larger for sequences beyond those of training."""
    length = (positions.max() + 1).clamp(min=max_positions)
    return theta * (factor * length / max_positions - (factor - 1)) ** (dim / (dim - 2))
'''

_YARN = '''def yarn_frequencies(
    frequencies: torch.Tensor, theta: float, factor: float, max_positions: int, fast: float, slow: float
) -> torch.Tensor:
    """Slow frequencies divided by the factor, fast ones kept, those between blended."""
    dim = 2 * len(frequencies)

    def pair(turns: float) -> float:
        return dim * math.log(max_positions / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = max(math.floor(pair(fast)), 0), min(math.ceil(pair(slow)), dim - 1)
    ramp = torch.arange(dim // 2, device=frequencies.device).float() - low
    kept = 1 - (ramp / (high - low if high != low else 0.001)).clamp(0, 1)
    return frequencies / factor * (1 - kept) + frequencies * kept
'''

_LLAMA3 = '''def llama3_frequencies(
    frequencies: torch.Tensor, factor: float, low: float, high: float, max_positions: int
) -> torch.Tensor:
    """Slow frequencies divided by the factor, fast ones kept, those between blended."""
    turns = max_positions * frequencies / (2 * math.pi)
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - kept) * frequencies / factor + kept * frequencies
'''

NUMBERS = {
    "none": ((), ()),
    "linear": (("factor",), ()),
    "dynamic": (("factor", "max_positions"), ()),
    "yarn": (("factor", "max_positions"), ("beta_fast", "beta_slow", "attention_factor")),
    "llama3": (("factor", "low_freq_factor", "high_freq_factor", "max_positions"), ()),
}
"""The numbers that each scaling of `rope` needs, and those that it may be given."""


class Rope(Op):
    """Rotary position embedding: `x[..., T, d] -> same`; `positions` int[T] or int[B, T], else 0 to T - 1.

    Pair i of the features is turned by position * theta^(-2i / d). Pairs are (i, i + d / 2), or
    (2 i, 2 i + 1) where `interleaved`; only the first `dim` features are turned where it is given.
    `scaling` stretches the positions of a model trained on `max_positions` by `factor`: `linear`
    (Chen et al. 2023), `dynamic` (NTK-aware), `yarn` (Peng et al. 2023; beta_fast, beta_slow,
    attention_factor), `llama3` (low_freq_factor, high_freq_factor). Su et al. 2021.
    Example: `q -> rope(theta=500000.0)`.
    """

    kind: ClassVar[str] = "attention"
    examples = (
        Example(("[B, H, T, 8]",), {"dim": (None, 4, 8, 6, 3, 10), "interleaved": (False, True)}, meta=False),
        Example(("[B, H, T, 8]", "int64[B, T]"), {"scaling": ("linear",), "factor": (2, None)}, meta=False),
        Example(
            ("[B, T, 8]", "int64[T]"),
            {"scaling": ("dynamic", "yarn"), "factor": (2.0,), "max_positions": (4,)},
            meta=False,
        ),
        Example(
            ("[T, 6]",),
            {
                "scaling": ("llama3",),
                "factor": (8.0,),
                "low_freq_factor": (1.0,),
                "high_freq_factor": (4.0,),
                "max_positions": (16,),
            },
            meta=False,
        ),
        Example(("float16[T, 6]", "int32[T]"), {}, meta=False),
    )

    theta: PositiveFloat = 10000.0
    dim: Positive | None = None
    interleaved: Bool = False
    scaling: Annotated[Literal["none", "linear", "dynamic", "yarn", "llama3"], Choice()] = "none"
    factor: PositiveFloat | None = None
    max_positions: Positive | None = None
    beta_fast: PositiveFloat | None = None
    beta_slow: PositiveFloat | None = None
    attention_factor: PositiveFloat | None = None
    low_freq_factor: PositiveFloat | None = None
    high_freq_factor: PositiveFloat | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        needed, allowed = NUMBERS[self.scaling]
        for name in {n: None for row in NUMBERS.values() for n in (*row[0], *row[1])}:
            given = getattr(self, name) is not None
            if given and name not in needed + allowed:
                of = f"{self.scaling} scaling" if self.scaling != "none" else "no scaling"
                raise Wrong(f"has no meaning for {of}", about=(name,))
            if not given and name in needed:
                raise Wrong(f"{self.scaling} scaling needs `{name}`", about=("scaling",), whole=True)
        if self.dim is not None and self.dim % 2:
            raise Wrong(f"must be even, not {int(self.dim)}", about=("dim",))
        if self.scaling == "dynamic" and self.dim == 2:
            raise Wrong("must be more than 2 for dynamic scaling", about=("dim",))
        if self.scaling == "llama3" and self.high_freq_factor <= self.low_freq_factor:  # type: ignore[operator]
            raise Wrong("must be greater than `low_freq_factor`", about=("high_freq_factor",))
        return self

    @property
    def helpers(self):
        found = {"rope_angles": _ROPE_ANGLES}
        found |= {"rope_interleaved": _ROPE_INTERLEAVED} if self.interleaved else {"rope": _ROPE}
        if self.scaling == "dynamic":
            found["dynamic_theta"] = _DYNAMIC
        found["rope_frequencies"] = _ROPE_FREQUENCIES
        if self.scaling == "yarn":
            found["yarn_frequencies"] = _YARN
        if self.scaling == "llama3":
            found["llama3_frequencies"] = _LLAMA3
        return found

    def shape(self, x: Tensor, positions: Tensor | None = None) -> Tensor:
        floating(x)
        shape = at_least_rank(x, 2)
        *lead, count, width = shape
        if self.dim is None:
            multiple(width, 2, f"the {width} features of `x` must be an even number", "x")
            if self.scaling == "dynamic":
                enough(width, 4, f"dynamic scaling takes at least 4 features, not {width}", "x", "scaling")
        else:
            message = f"`x` has only {width} features, of which {self.dim} shall turn"
            enough(width, self.dim, message, "dim", "x")
        if positions is not None:
            integral(positions, port="positions")
            given = at_least_rank(positions, 1, "positions")
            if len(given) >= len(shape):
                message = f"`positions` has too many axes for `x`: {positions} and {x}"
                raise ShapeError(message, about=("positions", "x"))
            for size, wanted in zip(given, (*lead[: len(given) - 1], count), strict=True):
                equal(size, wanted, f"`positions` {positions} do not fit `x` {x}", "positions", "x")
        return x

    def call(self, x: str, positions: str | None = None, *, self_: str | None = None) -> str:
        positions = positions or f"torch.arange({x}.shape[-2], device={x}.device)"
        turned = x if self.dim is None else f"{x}[..., :{py(self.dim)}]"
        name = "rope_interleaved" if self.interleaved else "rope"
        scale = unless(self._scale(), 1.0)
        turn = call(name, turned, positions, self._frequencies(x, positions), scale=scale)
        return turn if self.dim is None else f"torch.cat([{turn}, {x}[..., {py(self.dim)}:]], -1)"

    def _frequencies(self, x: str, positions: str) -> str:
        dim = f"{x}.shape[-1]" if self.dim is None else py(self.dim)
        theta = py(self.theta)
        if self.scaling == "dynamic":
            theta = call("dynamic_theta", dim, theta, py(self.factor), py(self.max_positions), positions)
        plain = call("rope_frequencies", dim, theta, f"{x}.device")
        if self.scaling == "linear":
            return f"{plain} / {py(self.factor)}"
        if self.scaling == "yarn":
            betas = (py(self.beta_fast or 32.0), py(self.beta_slow or 1.0))
            return call("yarn_frequencies", plain, theta, py(self.factor), py(self.max_positions), *betas)
        if self.scaling == "llama3":
            numbers = (self.factor, self.low_freq_factor, self.high_freq_factor, self.max_positions)
            return call("llama3_frequencies", plain, *map(py, numbers))
        return plain

    def _scale(self) -> float | Code:
        """The factor of sines and cosines: YaRN's attention temperature."""
        if self.scaling != "yarn":
            return 1.0
        if self.attention_factor is not None:
            return self.attention_factor
        return Code(f"0.1 * math.log({py(self.factor)}) + 1.0") if (self.factor or 1) > 1 else 1.0

    def label(self, x: Tensor, positions: Tensor | None = None) -> str:
        return f"θ = {self.theta:g}" + f", {self.scaling}" * (self.scaling != "none")


class SinusoidalEmbedding(Op):
    """Sines and cosines of a number at `dim / 2` frequencies: `t[...] -> [..., dim]`.

    Frequency i is max_period^(-i / (dim / 2 - shift)), times `scale`. Sines come first, cosines where
    `flip`; an odd dim ends with a zero. Computed in float32 and given in the default dtype. Ho et
    al. 2020, Vaswani et al. 2017. Example: `t -> sinusoidal_embedding(128)`.
    """

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
