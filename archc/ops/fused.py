"""What stands for several layers in a Graph for inference: `graph.inference` puts it there, no spec can."""

from typing import ClassVar, Literal

from archc.ops.base import Op
from archc.ops.python import call, py, unless
from archc.shapes import Tensor


class Fused(Op):
    """Layers of a block that are applied as one; they keep their weights and their names.

    `form` is a class of `archc.runtime.fused`: a `Chain` is a layer with the batch norm and the activation
    behind it, `[...] -> [...]`; `Siblings` are layers of one input, with an output each. `members` are the
    nodes of the block that own weights, in their order; `activation` is a name in
    `archc.runtime.fused.ACTIVATIONS`.
    """

    imports = ("archc.runtime.fused",)
    weighted: ClassVar[bool] = True

    form: Literal["Chain", "Siblings"]
    members: tuple[str, ...]
    activation: str = ""

    def shape(self, x: Tensor) -> Tensor:
        raise NotImplementedError("its outputs are those of the nodes that it stands for")

    def module(self, x: Tensor) -> str:
        return call(
            f"archc.runtime.fused.{self.form}",
            "self",
            *map(py, self.members),
            activation=unless(self.activation, ""),
        )
