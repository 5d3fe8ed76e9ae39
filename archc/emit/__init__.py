"""A checked Graph as Python source of a PyTorch module."""

from archc.emit.module import Emitted, emit

__all__ = ["Emitted", "emit"]
