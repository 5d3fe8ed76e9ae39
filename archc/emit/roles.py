"""What the numbers of an instance's code are there: arguments of torch's layers, or of classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from archc.emit.coded import expression
from archc.emit.instance import Instance

# Names of positional arguments of torch's layers, for numbers that have none in the spec.
_POSITIONAL = {
    "Linear": ("in_features", "out_features"),
    "Bilinear": ("in1_features", "in2_features", "out_features"),
    "Embedding": ("num_embeddings", "embedding_dim"),
    "GroupNorm": ("num_groups", "num_channels"),
    "LayerNorm": ("normalized_shape",),
    "RMSNorm": ("normalized_shape",),
    "Dropout": ("p",),
    "range": ("count",),
    **dict.fromkeys(
        ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"),
        ("in_channels", "out_channels", "kernel_size", "stride"),
    ),
    **dict.fromkeys(
        ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d"), ("num_features",)
    ),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell"), ("input_size", "hidden_size")),
}

# Arguments that say how wide a layer is, or how it learns: no size of a result on other axes comes of them.
_WIDTHS = frozenset(
    {"in_features", "out_features", "in1_features", "in2_features", "num_embeddings", "embedding_dim"}
    | {"num_groups", "num_channels", "normalized_shape", "num_features", "in_channels", "out_channels"}
    | {"input_size", "hidden_size", "p", "eps", "momentum", "std", "mean"}
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a coded number is in the code that builds: an argument of a layer, or of a class."""

    member: str = ""
    name: str | None = None
    shaping: bool = False
    """Run-time sizes may come of it."""

    def wishes(self) -> tuple[str, ...]:
        """Names for a number that has none: of the argument, with the member's before."""
        return (self.name, f"{self.member}_{self.name}") if self.name else ("size",)


def roles_of(instance: Instance) -> dict[int, list[Role]]:
    """The roles of an instance's coded numbers, one for each place."""
    found: dict[int, list[Role]] = {}
    lines = len(instance.builds)
    for number, (text, step) in enumerate(instance.texts()):
        known: dict[str, Role] = {}
        if number < lines:
            target, _, source = text.partition(" = ")
            member = target.removeprefix("self.")
            for call in ast.walk(expression(source)):
                if isinstance(call, ast.Call):
                    known.update(_arguments_of(call, member, instance))
            unnamed = Role(member, shaping=member in instance.shaping)
        else:
            unnamed = Role()
        for match in re.finditer(r"ν(\d+)", text):
            index = int(match[1])
            role = known.get(match[0], unnamed)
            if step is not None:
                whole = isinstance(instance.coder.slots[index].value, int)
                role = Role(shaping=step.shaping if whole else step.scaling)
            found.setdefault(index, []).append(role)
    return found


def _arguments_of(call: ast.Call, member: str, instance: Instance) -> Iterator[tuple[str, Role]]:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function.startswith("κ"):
        cls = instance.children[int(function[1:])]
        for argument, value in zip(
            cls.arguments, [*call.args, *(k.value for k in call.keywords)], strict=True
        ):
            if isinstance(value, ast.Name):
                yield value.id, Role(member, argument.name, argument.name in cls.shaping)
        return
    shaping = member in instance.shaping
    names = _POSITIONAL.get(function, ())
    for position, value in enumerate(call.args):
        if isinstance(value, ast.Name):
            name = names[position] if position < len(names) else None
            yield value.id, Role(member, name, shaping=shaping and name not in _WIDTHS)
    for keyword in call.keywords:
        if isinstance(keyword.value, ast.Name):
            yield keyword.value.id, Role(member, keyword.arg, shaping=shaping and keyword.arg not in _WIDTHS)
