"""Which kinds of files there are. Nothing is imported here, so that a command line is refused at once."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of file: the ending of its name, and what it is."""

    ending: str
    summary: str


KINDS = {
    "program": Kind(".pt2", "a program of torch.export"),
    "aot": Kind(".pt2", "compiled by AOTInductor for machines like this one"),
    "onnx": Kind(".onnx", "an ONNX model"),
    "weights": Kind(".safetensors", "weights alone"),
}
"""By the name that a manifest has for it. To add one: its line here, how it is written in `formats.WRITERS`
and how it is opened in `opened`."""


def kind_of(path: Path, aot: bool) -> str:
    """The kind that the ending of a name asks for; raises ValueError where there is none."""
    endings = list(dict.fromkeys(kind.ending for kind in KINDS.values()))
    if path.suffix not in endings:
        raise ValueError(f"`{path.name}` should end in {', '.join(endings[:-1])} or {endings[-1]}")
    if aot and path.suffix != ".pt2":
        raise ValueError(f"what AOTInductor compiles ends in .pt2: `{path.with_suffix('.pt2').name}`")
    return "aot" if aot else next(name for name, kind in KINDS.items() if kind.ending == path.suffix)
