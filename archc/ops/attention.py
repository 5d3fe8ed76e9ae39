"""Scaled dot-product attention."""

from collections.abc import Sequence
from typing import ClassVar

from archc.ops.attributes import Bool, Probability, RuntimeFloat
from archc.ops.base import Example, Op, ShapeError
from archc.ops.python import OMIT, Code, call, py, unless
from archc.ops.rules import at_least_rank, boolean, enough, equal, floating, multiple, product, ranked, sizes
from archc.shapes import Dim, Mismatch, Size, Tensor, compare, same

_MASK = '''def causal_mask(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """True where a query may look. The last one sees every key."""
    queries, keys = q.shape[-2], k.shape[-2]
    mask = torch.ones(queries, keys, dtype=torch.bool, device=q.device)
    return mask.tril(keys - queries)
'''

_CAUSAL = '''def causal_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    dropout_p: float = 0.0,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Attention of as many queries as keys, or of the last ones."""
    mask = None if q.shape[-2] == k.shape[-2] else causal_mask(q, k)
    return F.scaled_dot_product_attention(
        q, k, v, mask, dropout_p, mask is None, scale=scale, enable_gqa=enable_gqa
    )
'''


class Attention(Op):
    """Scaled dot-product attention: `q[..., h, T, d], k[..., g, S, d], v[..., g, S, e] -> [..., h, T, e]`.

    `softmax(q @ k^T * scale + bias) @ v`, `scale` being 1 / sqrt(d) where it is not given. g divides
    h: each head of `k` and `v` serves h / g heads of `q` (Ainslie et al. 2023).
    `causal`: no query sees the keys behind it. It is aligned to the end, so that the last query sees
    every key, also where T < S because earlier keys were kept. `mask`: bool, broadcast to
    `[..., h, T, S]` from two axes or more, true where a query may look; `bias` likewise, added.
    `dropout` falls on the weights, in training only.
    As `torch.nn.functional.scaled_dot_product_attention`; Vaswani et al. 2017.
    Example: `q, k, v -> attention(causal=true)`.
    """

    formula: ClassVar[str] = (
        r"\mathrm{attention}(q, k, v) = \mathrm{softmax}\bigl(s q k^\top + \mathit{bias}\bigr) v, "
        r"\qquad s = \frac{1}{\sqrt{d}}"
    )
    kind: ClassVar[str] = "attention"
    helpers = {"causal_attention": _CAUSAL, "causal_mask": _MASK}
    examples = (
        Example(
            ("[B, H, T, D]", "[B, H, S, D]", "[B, H, S, E]"),
            {"scale": (None, 0.5), "dropout": (0.0, 0.1)},
        ),
        Example(("[B, H, T, D]", "[B, H, S, D]", "[B, H, S, E]"), {"causal": (True,)}, {"S": (9, 12)}),
        Example(("[T, D]", "[S, D]", "[S, D]"), {"causal": (True,)}, stricter=True),  # torch gives NaN
        Example(("[B, 4, T, D]", "[B, 2, T, D]", "[B, 2, T, D]"), {"causal": (False, True)}),
        Example(("[B, 4, T, D]", "[B, 3, T, D]", "[B, 3, T, D]"), {}),
        Example(
            ("[B, T, D]", "[B, S, D]", "[B, S, D]", "bool[T, S]"), {"causal": (False, True)}, {"S": (9, 12)}
        ),
        Example(("[B, H, T, D]",) * 3 + ("bool[B, 1, 1, T]", "[H, T, T]"), {"causal": (False, True)}),
        Example(("[B, H, T, D]",) * 3 + (None, "[H, T, T]"), {"causal": (False, True)}),
        Example(("[B, H, T, D]",) * 3 + ("bool[B, T]",), {}),
    )

    causal: Bool = False
    scale: RuntimeFloat | None = None
    dropout: Probability = 0.0

    @property
    def random(self) -> bool:  # type: ignore[override]
        return self.dropout > 0

    def shape(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Tensor:
        shape = at_least_rank(q, 2, "q")
        *lead, queries, width = shape
        rank = len(shape)
        keys, width_k = ranked(k, rank, port="k")[-2:]
        values, width_v = ranked(v, rank, port="v")[-2:]
        for port, x in (("q", q), ("k", k), ("v", v)):
            floating(x, port)
            if x.dtype != q.dtype:
                raise ShapeError(f"`q` and `{port}` differ in dtype: {q} and {x}", about=("q", port))
        equal(width, width_k, "`q` and `k` must have one width", "q", "k")
        keys = equal(keys, values, "`k` and `v` must be equally many", "k", "v")
        lead = [self._leading(i - rank, q, k, v) for i in range(rank - 2)]
        if self.causal:
            message = f"causal attention of {queries} queries needs at least as many keys, not {keys}"
            enough(
                keys - queries, 0, message, "causal", "k", help="give `k` and `v` what was kept before, too"
            )
        scores = (*lead, queries, keys)
        if mask is not None:
            boolean(mask, "mask")
            _covers(mask, "mask", scores)
        if bias is not None:
            if bias.dtype != q.dtype:
                raise ShapeError(f"`q` and `bias` differ in dtype: {q} and {bias}", about=("q", "bias"))
            _covers(bias, "bias", scores)
        return Tensor((*lead, queries, width_v), q.dtype)

    def _leading(self, axis: int, q: Tensor, k: Tensor, v: Tensor) -> Size:
        """The size of a leading axis, which is one for all but for the heads."""
        a, b, c = (sizes(x)[axis] for x in (q, k, v))
        about = "heads" if axis == -3 else f"axis {axis}"
        b = equal(b, c, f"`k` and `v` differ in their {about}", "k", "v")
        if axis != -3 or isinstance(a, Dim) or isinstance(b, Dim):
            return equal(a, b, f"`q` and `k` differ in their {about}", "q", "k")
        multiple(a, b, f"{b} heads of `k` cannot serve {a} heads of `q`: {b} must divide {a}", "q", "k")
        return a

    def call(
        self,
        q: str,
        k: str,
        v: str,
        mask: str | None = None,
        bias: str | None = None,
        *,
        self_: str | None = None,
    ) -> str:
        return self.lower((q, k, v, mask, bias), (None,) * 5)

    def lower(
        self, inputs: Sequence[str | None], types: Sequence[Tensor | None], self_: str | None = None
    ) -> str:
        q, k, v, mask, bias = (*inputs, None, None)[:5]
        square = _same(types[0], types[1], -2)
        alone = self.causal and not mask and not bias
        if self.causal and not alone:
            mask = f"{mask} & causal_mask({q}, {k})" if mask else f"causal_mask({q}, {k})"
        if mask and bias:
            mask = f'torch.where({mask}, {bias}, -float("inf"))'
        attn_mask = mask or bias
        return call(
            "causal_attention" if alone and not square else "F.scaled_dot_product_attention",
            *(x for x in (q, k, v) if x),
            attn_mask=Code(attn_mask) if attn_mask else OMIT,
            dropout_p=Code(f"{py(self.dropout)} if self.training else 0.0") if self.dropout else OMIT,
            is_causal=True if alone and square else OMIT,  # PyTorch's is aligned to the start
            scale=unless(self.scale, None),
            enable_gqa=self._grouped(str(q), types),
        )

    def _grouped(self, q: str, types: Sequence[Tensor | None]) -> object:
        """PyTorch's `enable_gqa`, which takes at least three axes."""
        if _same(types[0], types[1], -3):
            return OMIT
        return True if types[0] is not None else Code(f"{q}.ndim > 2")

    def flops(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> Size:
        return 2 * product(sizes(q)[:-1]) * sizes(k)[-2] * (sizes(q)[-1] + sizes(v)[-1])

    def label(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
    ) -> str:
        heads = f"{sizes(q)[-3]} heads" if len(sizes(q)) > 3 and str(sizes(q)[-3]) != "heads" else ""
        return ", ".join(part for part in (heads, "causal" * self.causal) if part)


class PlainAttention(Attention):
    """Attention of `q, k, v` of three axes, written out by the emitter. The scale comes first, so that no
    product is larger than need be."""

    def lower(
        self, inputs: Sequence[str | None], types: Sequence[Tensor | None], self_: str | None = None
    ) -> str:
        (q, k, v), kind = inputs[:3], types[0]
        assert kind is not None
        scale = sizes(kind)[-1] ** -0.5 if self.scale is None else self.scale
        return f"F.softmax({q} * {py(scale)} @ {k}.transpose(1, 2), dim=-1) @ {v}"


def _covers(x: Tensor, port: str, scores: tuple[Size, ...]) -> None:
    """Refuse what does not broadcast to the scores."""
    shape = at_least_rank(x, 2, port)
    try:
        fits = len(shape) <= len(scores)
        for size, score in zip(reversed(shape), reversed(scores), strict=False):
            if size != 1:
                same(size, score)
    except Mismatch as mismatch:
        message = f"`{port}` {x} does not fit the scores {Tensor(scores)}"
        raise ShapeError(message, about=(port,)) from mismatch
    if not fits:
        raise ShapeError(f"`{port}` has more axes than the scores {Tensor(scores)}: {x}", about=(port,))


def _same(a: Tensor | None, b: Tensor | None, axis: int) -> bool:
    """Is this size known to be the same? An axis that is not there is."""
    if a is None or b is None or a.shape is None or b.shape is None:
        return False
    if len(a.shape) < -axis:
        return True
    return compare(a.shape[axis], b.shape[axis]).kind == "equal"
