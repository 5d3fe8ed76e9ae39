"""Finds the command that is asked for and ends with its exit code.

Nothing heavy is imported here: `archc --help` needs neither pydantic nor networkx nor torch.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple, NoReturn


class Command(NamedTuple):
    """A line of the table of commands: the module that holds it, and what it does."""

    module: str
    summary: str


COMMANDS = {
    "run": Command("archc.cli.run", "check, build, compile and run a spec once"),
    "bench": Command("archc.cli.bench", "eager, by block, whole, optimised: compilation, run, memory"),
    "check": Command("archc.cli.check", "errors, warnings, shapes and guards of specs"),
    "draw": Command("archc.cli.draw", "a diagram: svg, png, pdf, html, mermaid, dot or json"),
    "build": Command("archc.cli.build", "the PyTorch module, as a Python file that stands alone"),
    "export": Command("archc.cli.export", "a file that runs without the spec: pt2, onnx, safetensors"),
    "docs": Command("archc.cli.docs", "a Markdown document of specs, with a chart for every block"),
    "summary": Command("archc.cli.summary", "parameters and FLOPs, as a tree"),
    "explain": Command("archc.cli.explain", "what an error's code means"),
    "new": Command("archc.cli.new", "a starter spec that checks"),
}

HELP = """\
usage: archc COMMAND ...

A compiler for declarative neural network architectures.

commands:
{commands}

`archc COMMAND --help` tells its options and shows an example. An ADDRESS is a spec:
file.yaml, file.yaml#Block, file.yaml@preset, file.yaml#Block@preset, zoo:vision/resnet@resnet50 of
archc's own specs, or - for standard input.

example:
  archc check 'specs/vq/nets.yaml#Encoder@iris' --shapes
"""

FINE, WRONG, MISUSED = 0, 1, 2
"""Exit codes: it went well; the spec is wrong or a check failed; the command line is wrong."""


class UsageError(Exception):
    """The command line is wrong. The message says what is, and what to write instead."""


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are one line, and which takes no shortened options."""

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"example:\n{example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)

    def parse_args(self, args: Any = None, namespace: Any = None) -> argparse.Namespace:
        options, rest = self.parse_known_args(args, namespace)
        if rest:
            known = [name for action in self._actions for name in action.option_strings]
            raise UsageError(unknown("option" if rest[0].startswith("-") else "argument", rest[0], known))
        return options


def unknown(what: str, word: str, known: Sequence[str]) -> str:
    """The sentence for a word that is none of the known ones."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"unknown {what} {word!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        # The process is ours, and what a command makes lives as long as it: nobody looks for garbage.
        gc.disable()
        atexit.register(gc.freeze)
        _open_streams()
    try:
        status = _dispatch(words)
        sys.stdout.flush()
        return status
    except UsageError as error:
        name = f"archc {words[0]}" if words and words[0] in COMMANDS else "archc"
        print(f"{name}: {error} (see `{name} --help`)", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("archc: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_output()  # whoever read it has gone
        return 141
    except OSError as error:
        if error.filename is not None:
            raise
        _drop_output()
        print(
            f"archc: standard output cannot be written: {error.strerror or 'it is closed'}", file=sys.stderr
        )
        return WRONG
    except Exception as error:
        from archc.source.diagnostic import SpecError

        if not isinstance(error, SpecError):
            raise
        from archc.cli.spec import show

        show(error.diagnostics, sys.stderr)  # what only the emitter or the weights can tell
        return WRONG


def _without_plugins() -> None:
    """Our models need none of the plugins that watch pydantic's. It would search all installed distributions
    for them, and imports what it takes to search even where the environment wants none: as much as a
    twentieth of a start."""
    if os.environ.get("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        loader = ModuleType("pydantic.plugin._loader")
        loader.get_plugins = tuple  # type: ignore[attr-defined]
        sys.modules.setdefault(loader.__name__, loader)


def _open_streams() -> None:
    """Python has None for a stream that the process was started without, and `print` takes None for standard
    output. What is told on standard error goes nowhere then, and a result cannot be written."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull)  # noqa: SIM115 - as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def _drop_output() -> None:
    """Give what is left of the output somewhere to go: Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(words: list[str]) -> int:
    first = words[0] if words else None
    if first in ("-h", "--help"):
        print(_help(), end="")
        return FINE
    if first in ("-V", "--version"):
        from archc import __version__

        print(f"archc {__version__}")
        return FINE
    if first is None:
        raise UsageError(f"a command is needed: {', '.join(COMMANDS)}")
    if first not in COMMANDS:
        what = "option" if first.startswith("-") else "command"
        raise UsageError(unknown(what, first, [*COMMANDS, "--help", "--version"]))
    command = COMMANDS[first]
    _without_plugins()
    module = importlib.import_module(command.module)
    parser = Parser(f"archc {first}", module.__doc__ or command.summary, module.EXAMPLE)
    module.arguments(parser)
    try:
        options = parser.parse_args(words[1:])
    except SystemExit as ended:  # --help
        return int(ended.code or 0)
    if getattr(options, "allow_ops", None) and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # behind all else: a module of the user's may lie beside the specs
    return module.execute(options)


def _help() -> str:
    width = max(map(len, COMMANDS))
    return HELP.format(
        commands="\n".join(f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items())
    )
