"""What the tests of operators share."""

import math
from types import SimpleNamespace

import pytest
import torch

from archc.ops.python import plain_text
from archc.shapes import Tensor

DTYPES = {torch.get_default_dtype(): "float"}


def type_of(x: torch.Tensor) -> Tensor:
    return Tensor(tuple(x.shape), DTYPES.get(x.dtype, str(x.dtype).removeprefix("torch.")))


@pytest.fixture
def apply():
    """Runs the source that an operator writes on tensors, in float64 where they are.

    `typed=False`: the source that it writes without knowing the inputs' types."""

    def apply(op, *inputs, typed=True, training=False, module=None):
        scope = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "math": math}
        scope |= {"self": SimpleNamespace(training=training), "owned": module}
        scope |= {"DEVICE": "cpu", "DTYPE": torch.get_default_dtype()}
        for source in op.helpers.values():
            exec(source, scope)
        scope |= {f"x{i}": x for i, x in enumerate(inputs)}
        names = [None if x is None else f"x{i}" for i, x in enumerate(inputs)]
        types = [None if x is None else type_of(x) for x in inputs]
        text = op.lower(names, types, "owned") if typed else op.call(*names, self_="owned")
        return eval(plain_text(text), scope)

    return apply
