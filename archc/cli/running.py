"""What the commands that run a model have in common: `run`, `bench` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archc.cli.main import Parser, UsageError
from archc.cli.spec import add_arguments

DTYPES = ("float32", "float64", "bfloat16", "float16")


def add_running(parser: Parser) -> None:
    """The spec, and how it is run."""
    add_model(parser, device="auto", sizes="in this run")
    parser.add_argument(
        "--keep-memory",
        action="store_true",
        help="keep the memory that tensors free for the next call: faster on a CPU, with glibc only",
    )


def add_model(parser: Parser, device: str, sizes: str) -> None:
    """The spec, and what is loaded of it: on which `device` by default, and where `--size` counts."""
    add_arguments(parser)
    parser.add_argument(
        "--size",
        metavar="NAME=SIZE",
        action="append",
        default=[],
        help=f"the size of a free dimension {sizes} (-p sets it in the model); may be given again",
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default=device, help=f"default: {device}"
    )
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="default: float32")
    parser.add_argument("--weights", metavar="FILE", type=Path, help="a safetensors file (default: random)")
    parser.add_argument(
        "--names", metavar="NAME", help="the checkpoint map by which the file names its tensors"
    )


def run_sizes(pairs: list[str]) -> dict[str, int]:
    """The sizes of `--size NAME=SIZE`."""
    found: dict[str, int] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if not name.isidentifier() or not value.isdecimal() or int(value) < 1:
            raise UsageError(f"--size {pair!r} is not NAME=SIZE, as in --size B=2")
        found[name] = int(value)
    return found


def there(*paths: Path | None) -> None:
    """Raise UsageError where a file that is to be read is missing."""
    for path in paths:
        if path and not path.is_file():
            raise UsageError(f"there is no file {path}")


def weights_there(path: Path | None, names: str | None) -> None:
    """Raise UsageError where the file of weights is missing, or `--names` stands without one."""
    there(path)
    if names and not path:
        raise UsageError("--names tells how the tensors of --weights are named, and there is no --weights")


def told_shape(shape: Any) -> str:
    """The shape of an input or output, as a person reads it."""
    if shape is None:
        return "absent"
    if shape and isinstance(shape[0], list):
        return f"{len(shape)} tensors"
    return str(shape) if shape else "a number"
