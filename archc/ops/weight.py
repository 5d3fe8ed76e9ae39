"""Tensors that a block owns by themselves."""

from typing import ClassVar

from pydantic import Field

from archc.ops import initialisers
from archc.ops.attributes import Bool, Init, Shape
from archc.ops.base import Example, Op, Weight
from archc.ops.python import call
from archc.shapes import Tensor

_TRIED = {"shape": ((3,), (1, 4, 2), ()), "init": (initialisers.Zeros(), initialisers.Normal(std=0.5))}


class _Owned(Op):
    weighted: ClassVar[bool] = True

    sizes: Shape = Field(alias="shape")
    init: Init = initialisers.Zeros()

    def shape(self) -> Tensor:
        self.init.check(self.sizes)
        return Tensor(self.sizes)

    def call(self, *, self_: str | None = None) -> str:
        return str(self_)

    def label(self) -> str:
        return str(Tensor(self.sizes))

    @property
    def helpers(self):
        return self.init.helpers


class Param(_Owned):
    """A learned tensor: `-> shape`. Its weight is named as the node.

    `trainable=false` keeps it fixed. As `torch.nn.Parameter`.
    Example: `param([1, n, d], init=normal(0.02))`.
    """

    examples = (Example((), _TRIED | {"trainable": (True, False)}),)

    trainable: Bool = True

    def weights(self) -> dict[str, Weight]:
        return {"": Weight(self.sizes, trainable=self.trainable)}

    def module(self) -> str:
        fixed = {} if self.trainable else {"requires_grad": False}
        return call("nn.Parameter", self.init.tensor(self.sizes), **fixed)


class Buffer(_Owned):
    """A tensor that is not learned but moves and is saved with the model: `-> shape`.

    `persistent=false` leaves it out of checkpoints. Its name is the node's. As `torch.nn.Buffer`.
    Example: `buffer([n], init=zeros, persistent=false)`.
    """

    copied = False
    examples = (Example((), _TRIED | {"persistent": (True, False)}),)

    persistent: Bool = True

    def weights(self) -> dict[str, Weight]:
        return {"": Weight(self.sizes, buffer=True, trainable=False, persistent=self.persistent)}

    def module(self) -> str:
        short = {} if self.persistent else {"persistent": False}
        return call("nn.Buffer", self.init.tensor(self.sizes), **short)
