"""The home of torch: generated source as a module, ready to run, with its weights."""

from archc.runtime.build import build_module
from archc.runtime.load import load
from archc.runtime.saving import save_weights
from archc.runtime.weights import load_weights

__all__ = ["build_module", "load", "load_weights", "save_weights"]
