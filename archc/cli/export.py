"""Write a model as a file that runs without its spec: torch.export, AOTInductor, ONNX, or weights alone.

Free dimensions stay free. Inputs that may be left out are left out unless --given names them. The file is
opened and compared with the model before it appears.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.cli.files import check_target
from archc.cli.main import FINE, WRONG, Parser, UsageError
from archc.cli.running import add_model, run_sizes, weights_there
from archc.cli.spec import add_output, as_json, checked, file, show, status, told
from archc.cli.terminal import bold, working
from archc.report.text import size, table
from archc.source.diagnostic import SpecError

if TYPE_CHECKING:
    from archc.runtime.exporting.export import Exported

EXAMPLE = "  archc export 'specs/vq/nets.yaml#Encoder@iris' -o encoder.onnx"


def arguments(parser: Parser) -> None:
    add_model(parser, device="cpu", sizes="in the inputs to trace with")
    parser.add_argument(
        "-o",
        "--output",
        type=file,
        metavar="FILE",
        required=True,
        help="the file to write: .pt2 (torch.export), .onnx, or .safetensors (weights alone)",
    )
    parser.add_argument(
        "--aot", action="store_true", help="compile the .pt2 by AOTInductor, for machines like this one"
    )
    parser.add_argument(
        "--write-names",
        metavar="NAME",
        help="the checkpoint map by which x.safetensors shall name its tensors",
    )
    parser.add_argument(
        "--optimize", choices=("inference",), help="fuse and fold what gives the same up to rounding"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_output(parser)


def execute(options: argparse.Namespace) -> int:
    path = Path(options.output)
    _refuse(path, options)
    sizes = run_sizes(options.size)
    check_target(path, options.force)
    weights_there(options.weights, options.names)
    result = checked(options)
    if not told(result):
        return status(result)
    with working("starting torch"):
        from archc.runtime.exporting.export import export
        from archc.runtime.exporting.trace import ExportError
        from archc.runtime.session import CannotRun, choose_device
    import torch

    gc.enable()  # what torch makes is large, and hangs together in circles
    try:
        made = export(
            result.graph,
            path,
            aot=options.aot,
            sizes=sizes,
            write_names=options.write_names,
            stage=working,
            device=choose_device(options.device),
            dtype=getattr(torch, options.dtype),
            weights=options.weights,
            names=options.names,
            optimize=options.optimize,
        )
    except (ExportError, CannotRun) as error:
        print(f"archc export: {error}", file=sys.stderr)
        return WRONG
    except SpecError as error:  # weights that do not fit
        show(error.diagnostics, sys.stderr)
        return WRONG
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    assert result.graph is not None
    print(as_json(facts(made)) if options.json else told_facts(result.graph.name, made))
    return FINE


def _refuse(path: Path, options: argparse.Namespace) -> None:
    """Raise UsageError where no such file is written, or the options do not go with it."""
    if options.output == "-":
        raise UsageError("a model is written into a file: name one instead of -")
    from archc.runtime.exporting.kinds import kind_of

    try:
        kind = kind_of(path, options.aot)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if options.write_names and kind != "weights":
        raise UsageError("--write-names is for .safetensors: other files have no names of weights to choose")


def facts(made: Exported) -> dict[str, Any]:
    """What was written, as JSON holds it."""
    manifest = made.manifest
    found: dict[str, Any] = {"file": str(made.path), "kind": made.kind, "bytes": made.bytes}
    if manifest is None:
        return found
    return found | {
        "inputs": {port.name: port.described for port in manifest.inputs},
        "left_out": [name for name in manifest.arguments if name not in {p.name for p in manifest.inputs}],
        "outputs": {name: None if port is None else port.described for name, port in manifest.outputs},
        "sizes": list(manifest.sizes),
        "guards": list(manifest.guards),
        "difference": made.difference,
        "tried": list(made.tried),
    }


def told_facts(name: str, made: Exported) -> str:
    """The short table that a person reads."""
    from archc.runtime.exporting.kinds import KINDS

    rows = [["file", str(made.path), f"{size(made.bytes)}, {KINDS[made.kind].summary}"]]
    manifest = made.manifest
    if manifest is not None:
        taken = {port.name: port for port in manifest.inputs}
        rows += [
            [name, taken[name].described, "input"] if name in taken else [name, "left out", f"--given {name}"]
            for name in manifest.arguments
        ]
        rows += [
            [name, "absent" if port is None else port.described, "output"] for name, port in manifest.outputs
        ]
        rows += [["asks", text, ""] for text in manifest.guards if text in made.asked]
        assert made.difference is not None
        equal = f"equal to {made.difference:.0e}" if made.difference else "equal to the last bit"
        tried = "; ".join(
            ", ".join(f"{name} = {n}" for name, n in sizes.items()) for sizes in made.tried if sizes
        )
        rows.append(["tried", equal, tried])
    return f"{bold(name, sys.stdout)}\n{table(rows, indent='  ')}"
