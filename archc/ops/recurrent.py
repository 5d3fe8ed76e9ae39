"""Recurrent layers and their cells, with PyTorch's weights."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import model_validator

from archc.ops.attributes import Bool, Choice, Positive, Probability, Wrong
from archc.ops.base import Example, Op, ShapeError, Weight
from archc.ops.python import call, py, unless
from archc.ops.rules import default_float, equal, ranked, sizes, static
from archc.shapes import Size, Tensor

Nonlinearity = Annotated[Literal["tanh", "relu"], Choice()]


def _state(x: Tensor, port: str, state: Tensor) -> None:
    """Refuse a state of another shape."""
    default_float(x, port)
    wanted = sizes(state)
    for own, size in zip(ranked(x, len(wanted), port=port), wanted, strict=True):
        equal(own, size, f"`{port}` {x} must have the shape {state}", port, "x")


def _cell_weights(gates: int, hidden: int, width: Size, bias: bool, suffix: str = "") -> dict[str, Weight]:
    found = {
        f"weight_ih{suffix}": Weight((gates * hidden, width)),
        f"weight_hh{suffix}": Weight((gates * hidden, hidden)),
    }
    if bias:
        found |= {f"bias_{part}{suffix}": Weight((gates * hidden,)) for part in ("ih", "hh")}
    return found


class _Recurrent(Op):
    """What the layers over a whole sequence share."""

    weighted: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("out", "h")
    gates: ClassVar[int]
    cls_name: ClassVar[str]

    hidden: Positive
    layers: Positive = 1
    bias: Bool = True
    batch_first: Bool = True
    dropout: Probability = 0.0
    bidirectional: Bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.dropout and self.layers == 1:
            raise Wrong("falls between layers, and there is only one", about=("dropout",))
        return self

    @property
    def random(self) -> bool:  # type: ignore[override]
        return self.dropout > 0

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _types(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The types of the sequence that comes out, and of a state."""
        layout = "[B, T, D]" if self.batch_first else "[T, B, D]"
        first, second, width = ranked(x, 3, layout=layout)
        default_float(x)
        static(width, "the last size")
        batch = first if self.batch_first else second
        out = Tensor((first, second, self._directions * self.hidden), x.dtype)
        return out, Tensor((self.layers * self._directions, batch, self.hidden), x.dtype)

    def shape(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, ...]:
        out, state = self._types(x)
        if h is not None:
            _state(h, "h", state)
        return out, state

    def weights(self, x: Tensor, *states: Tensor) -> dict[str, Weight]:
        found: dict[str, Weight] = {}
        width = sizes(x)[-1]
        for layer in range(self.layers):
            for direction in ("", "_reverse")[: self._directions]:
                suffix = f"_l{layer}{direction}"
                found |= _cell_weights(self.gates, self.hidden, width, self.bias, suffix)
            width = self._directions * self.hidden
        return found

    def module(self, x: Tensor, *states: Tensor) -> str:
        return self._module(x)

    def call(self, x: str, h: str | None = None, *, self_: str | None = None) -> str:
        # cuDNN wants a state in one piece, which an expanded one is not
        return call(str(self_), x, None if h is None else f"{h}.contiguous()")

    def _module(self, x: Tensor, **further) -> str:
        return call(
            f"nn.{self.cls_name}",
            py(sizes(x)[-1]),
            py(self.hidden),
            num_layers=unless(self.layers, 1),
            **further,
            bias=unless(self.bias, True),
            batch_first=unless(self.batch_first, False),
            dropout=unless(self.dropout, 0.0),
            bidirectional=unless(self.bidirectional, False),
        )

    def flops(self, x: Tensor, *states: Tensor) -> Size:
        first, second, width = sizes(x)
        total: Size = 0
        for _ in range(self.layers):
            total += 2 * self.gates * self._directions * self.hidden * (width + self.hidden)
            width = self._directions * self.hidden
        return first * second * total

    def label(self, x: Tensor, *states: Tensor) -> str:
        parts = [f"{sizes(x)[-1]} → {self.hidden}"]
        parts += [f"{self.layers} layers"] * (self.layers > 1) + ["both ways"] * self.bidirectional
        return ", ".join(parts)


_TRIED = {
    "hidden": (1, 4),
    "layers": (1, 3),
    "bias": (True, False),
    "batch_first": (True, False),
    "bidirectional": (False, True),
}
_STATE = {"hidden": (4,), "layers": (2,), "dropout": (0.0, 0.1)}


class Lstm(_Recurrent):
    """Long short-term memory: `x[B, T, D], h, c -> out[B, T, dirs * hidden], h, c`.

    `h` and `c` are `[layers * dirs, B, hidden]`, dirs is 2 where `bidirectional`; both start as zeros
    where they are not wired. `batch_first=false` takes `[T, B, D]`. As `torch.nn.LSTM`; Hochreiter and
    Schmidhuber 1997. Example: `lstm(256, layers=2)`.
    """

    outputs: ClassVar[tuple[str, ...]] = ("out", "h", "c")
    gates = 4
    cls_name = "LSTM"
    helpers = {
        "lstm": '''def lstm(
    layer: nn.LSTM,
    x: torch.Tensor,
    h: torch.Tensor | None = None,
    c: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The results of an LSTM side by side."""
    state = None if h is None or c is None else (h.contiguous(), c.contiguous())
    out, (hidden, cell) = layer(x, state)
    return out, hidden, cell
'''
    }
    examples = (
        Example(("[B, T, 3]",), _TRIED),
        Example(("[B, T, 3]", "[2, B, 4]", "[2, B, 4]"), _STATE),
    )

    def shape(self, x: Tensor, h: Tensor | None = None, c: Tensor | None = None) -> tuple[Tensor, ...]:
        out, state = self._types(x)
        if (h is None) != (c is None):
            given, missing = ("c", "h") if h is None else ("h", "c")
            raise ShapeError(f"`{given}` goes with `{missing}`, which is not wired", about=(given,))
        for port, given_state in (("h", h), ("c", c)):
            if given_state is not None:
                _state(given_state, port, state)
        return out, state, state

    def call(self, x: str, h: str | None = None, c: str | None = None, *, self_: str | None = None) -> str:
        return call("lstm", str(self_), x, h, c)  # type: ignore[arg-type]


class Gru(_Recurrent):
    """Gated recurrent units: `x[B, T, D], h -> out[B, T, dirs * hidden], h`; `h` as of `lstm`.

    As `torch.nn.GRU`; Cho et al. 2014. Example: `gru(256)`.
    """

    gates = 3
    cls_name = "GRU"
    examples = (Example(("[B, T, 3]",), _TRIED), Example(("[B, T, 3]", "[2, B, 4]"), _STATE))


class Rnn(_Recurrent):
    """A plain recurrent network: `x[B, T, D], h -> out[B, T, dirs * hidden], h`; `h` as of `lstm`.

    As `torch.nn.RNN`; Elman 1990. Example: `rnn(64, nonlinearity=relu)`.
    """

    gates = 1
    cls_name = "RNN"
    examples = (
        Example(("[B, T, 3]",), _TRIED),
        Example(("[B, T, 3]", "[2, B, 4]"), _STATE | {"nonlinearity": ("tanh", "relu")}),
    )

    nonlinearity: Nonlinearity = "tanh"

    def module(self, x: Tensor, *states: Tensor) -> str:
        return self._module(x, nonlinearity=unless(self.nonlinearity, "tanh"))


class _Cell(Op):
    """What one step of a recurrent layer shares."""

    weighted: ClassVar[bool] = True
    outputs: ClassVar[tuple[str, ...]] = ("h",)
    gates: ClassVar[int]
    cls_name: ClassVar[str]

    hidden: Positive
    bias: Bool = True

    def _state_of(self, x: Tensor) -> Tensor:
        batch, width = ranked(x, 2, layout="[B, D]")
        default_float(x)
        static(width, "the last size")
        return Tensor((batch, self.hidden), x.dtype)

    def shape(self, x: Tensor, h: Tensor) -> Tensor | tuple[Tensor, ...]:
        state = self._state_of(x)
        _state(h, "h", state)
        return state

    def weights(self, x: Tensor, *states: Tensor) -> dict[str, Weight]:
        return _cell_weights(self.gates, self.hidden, sizes(x)[-1], self.bias)

    def module(self, x: Tensor, *states: Tensor) -> str:
        return self._module(x)

    def _module(self, x: Tensor, **further) -> str:
        width = py(sizes(x)[-1])
        bias = unless(self.bias, True)
        return call(f"nn.{self.cls_name}", width, py(self.hidden), bias=bias, **further)

    def flops(self, x: Tensor, *states: Tensor) -> Size:
        batch, width = sizes(x)
        return 2 * batch * self.gates * self.hidden * (width + self.hidden)

    def label(self, x: Tensor, *states: Tensor) -> str:
        return f"{sizes(x)[-1]} → {self.hidden}"


_CELL = {"hidden": (4,), "bias": (True, False)}


class LstmCell(_Cell):
    """One step of an `lstm`: `x[B, D], h[B, hidden], c[B, hidden] -> h, c`.

    As `torch.nn.LSTMCell`. Example: `h1, c1: x, h, c -> cell`, of `cell: lstm_cell(64)`.
    """

    outputs: ClassVar[tuple[str, ...]] = ("h", "c")
    gates = 4
    cls_name = "LSTMCell"
    examples = (Example(("[B, 3]", "[B, 4]", "[B, 4]"), _CELL),)

    def shape(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        state = self._state_of(x)
        _state(h, "h", state)
        _state(c, "c", state)
        return state, state

    def call(self, x: str, h: str, c: str, *, self_: str | None = None) -> str:
        return f"{self_}({x}, ({h}, {c}))"


class GruCell(_Cell):
    """One step of a `gru`: `x[B, D], h[B, hidden] -> h`.

    As `torch.nn.GRUCell`. Example: `gru_cell(64)`, in a flow `x, h -> cell`.
    """

    gates = 3
    cls_name = "GRUCell"
    examples = (Example(("[B, 3]", "[B, 4]"), _CELL),)


class RnnCell(_Cell):
    """One step of an `rnn`: `x[B, D], h[B, hidden] -> h`.

    As `torch.nn.RNNCell`. Example: `rnn_cell(64)`, in a flow `x, h -> cell`.
    """

    gates = 1
    cls_name = "RNNCell"
    examples = (Example(("[B, 3]", "[B, 4]"), _CELL | {"nonlinearity": ("tanh", "relu")}),)

    nonlinearity: Nonlinearity = "tanh"

    def module(self, x: Tensor, *states: Tensor) -> str:
        return self._module(x, nonlinearity=unless(self.nonlinearity, "tanh"))
