"""Rotary position embedding and the ways to stretch it."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import Bool, Choice, Positive, PositiveFloat, Wrong
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import Code, call, py, unless
from archc.ops.rules import at_least_rank, enough, equal, floating, integral, multiple
from archc.shapes import Tensor

_ROPE = '''def rope(
    x: torch.Tensor,
    positions: torch.Tensor,
    frequencies: torch.Tensor,
    scale: float = 1.0,
) -> torch.Tensor:
    """Turn the pairs of features (i, i + d / 2) by angles that grow by position."""
    cos, sin = rope_angles(x, positions, frequencies, scale)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
'''

_ROPE_INTERLEAVED = '''def rope_interleaved(
    x: torch.Tensor,
    positions: torch.Tensor,
    frequencies: torch.Tensor,
    scale: float = 1.0,
) -> torch.Tensor:
    """Turn the pairs of features (2 i, 2 i + 1) by angles that grow by position."""
    cos, sin = rope_angles(x, positions, frequencies, scale)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
'''

_ROPE_ANGLES = '''def rope_angles(
    x: torch.Tensor, positions: torch.Tensor, frequencies: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The cosines and sines for each position and pair of features.

    The positions of a sample hold for all its heads.
    """
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
    frequencies: torch.Tensor,
    theta: float,
    factor: float,
    max_positions: int,
    fast: float,
    slow: float,
) -> torch.Tensor:
    """Slow frequencies divided by the factor, fast ones kept, those between blended."""
    dim = 2 * len(frequencies)

    def pair(turns: float) -> float:
        wavelength = max_positions / (2 * math.pi * turns)
        return dim * math.log(wavelength) / (2 * math.log(theta))

    low, high = max(math.floor(pair(fast)), 0), min(math.ceil(pair(slow)), dim - 1)
    ramp = torch.arange(dim // 2, device=frequencies.device).float() - low
    kept = 1 - (ramp / (high - low if high != low else 0.001)).clamp(0, 1)
    return frequencies / factor * (1 - kept) + frequencies * kept
'''

_LLAMA3 = '''def llama3_frequencies(
    frequencies: torch.Tensor,
    factor: float,
    low: float,
    high: float,
    max_positions: int,
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
