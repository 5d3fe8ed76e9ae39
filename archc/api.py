"""The functions of `import archc`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archc.graph import compile as compiler
from archc.graph.compile import Result, Text
from archc.graph.ir import Graph
from archc.graph.sharing import may_differ
from archc.lang.address import Address
from archc.lang.project import Project
from archc.ops.asked import Probed, Question
from archc.ops.base import Port, Weight
from archc.shapes import Tensor
from archc.source import notebook, written
from archc.source.diagnostic import Report, SpecError

if TYPE_CHECKING:
    from archc.report.summary import Summary

Spec = str | Path | Text | Mapping[str, Any] | Project
"""A spec: a path or an address (`vq.yaml#Encoder@iris`), `text("...")`, a dict, or what `read` gave."""

MOST_SHOWN = 2_000
"""As many nodes as the outermost block of what a notebook shows may have."""


def text(spec: str) -> Text:
    """A spec that is given as its YAML text, where a string alone would be an address.

    >>> import archc
    >>> archc.check(archc.text("archc: 1\\nblocks: {A: {inputs: {x: '[B]'}, flow: {y: x -> relu}}}")).ok
    True
    """
    return Text(spec)


def check(
    spec: Spec,
    *,
    given: Iterable[str] = (),
    absent: Iterable[str] = (),
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
    **settings: Any,
) -> Result:
    """What is wrong with a spec, never raised: the result's `diagnostics` tell.

    `settings` are params and free dimensions by name. `given` and `absent` fix optional inputs,
    `root` is the folder that `use` may not leave, `ops` the operator modules that may be loaded, by
    name or as modules. torch is imported only where a spec uses `nn.*` or such modules.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, C]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> print(archc.check(archc.text(spec), C=4).shapes["y"])
    [B, 8]
    """
    return checked(spec, settings, given=given, absent=absent, root=root, ops=ops)


def checked(spec: Spec, settings: Mapping[str, Any] | Iterable[str], **options: Any) -> Result:
    """`archc.graph.compile.check`, with what torch knows of its layers and what the emitter refuses."""
    result = compiler.check(spec, settings, probe=ask_torch, **options)
    if result.graph is None or not may_differ(result.graph):
        return result
    from archc.emit import refusals

    found = refusals(result.graph)
    if not found:
        return result
    return replace(result, ok=False, graph=None, guards=(), diagnostics=(*result.diagnostics, *found))


class _AskTorch:
    """The probe of archc.runtime, imported with torch when something is asked."""

    def __call__(self, question: Question) -> Probed:
        from archc.runtime.probe import probe

        return probe(question)

    def weights(self, question: Question) -> Mapping[str, Weight]:
        from archc.runtime.probe import probe

        return probe.weights(question)

    def ports(self, layer: str) -> tuple[Port, ...]:
        from archc.runtime.probe import probe

        return probe.ports(layer)

    def disagrees(self, question: Question, outputs: tuple[Tensor, ...]) -> str | None:
        from archc.runtime.probe import probe

        return probe.disagrees(question, outputs)


ask_torch = _AskTorch()


def graph(spec: Spec, **options: Any) -> Graph:
    """The checked Graph of a spec; options are those of `check`. Raises SpecError with every diagnostic.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, C]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> list(archc.graph(archc.text(spec), C=4).members)
    ['fc']
    """
    return _checked(check(spec, **options))


def read(spec: Spec, *, root: str | Path | None = None, ops: Iterable[Any] = ()) -> Project:
    """A spec parsed and validated with the files that it uses, nothing bound; raises SpecError."""
    from archc.source.text import Source

    report = Report()
    what: Any = spec
    if isinstance(spec, str | Path):
        address = Address.parse(str(spec), report)
        report.raise_if_wrong()
        assert address is not None
        what = address.path
    elif isinstance(spec, Text):
        what = Source(spec.name, spec.text)
    project = Project(what, root, report, ops)
    report.raise_if_wrong()
    return project


def source(spec: Spec | Graph, *, strict_numerics: bool = False, **options: Any) -> str:
    """The Python module of a spec, as text: it stands alone and imports torch only, and the modules of
    operators that the spec names.

    `strict_numerics` is that of `load`, options are those of `check`. Raises SpecError.
    """
    from archc.emit import source as emit

    return emit(_graph(spec, options), strict=strict_numerics)


def draw(
    spec: Spec | Result | Graph | Any,
    path: str | Path | None = None,
    *,
    format: str | None = None,
    level: int | None = None,
    expand: str | Iterable[str] = (),
    collapse: str | Iterable[str] = (),
    direction: Literal["TB", "BT", "LR", "RL"] | None = None,
    compact: bool = False,
    insets: bool = True,
    unbound: bool | None = None,
    engine: Literal["archc", "graphviz"] = "archc",
    given: Iterable[str] = (),
    absent: Iterable[str] = (),
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
    **settings: Any,
) -> str | bytes:
    """Draw a spec, a Graph or a loaded model; the picture (bytes of png and pdf), also written to `path`.

    The format is svg, png, pdf, html, dot, mermaid or json, as the path's ending tells unless it is
    given. `level` is how many blocks deep to open; None chooses what fits a page. `expand` opens
    members by their paths (`down.2.layer`), `collapse` keeps closed the blocks of these names, or
    members by their paths. `direction` is the way the main path runs, `compact` makes norms and
    activations slim, `insets` shows what is in each closed block. `engine="graphviz"` lets Graphviz
    find the places.

    `unbound=True` draws names in place of the numbers that are not given, `False` takes the defaults.
    None draws unbound what has a number that nothing gives, and a block that is named (`file#Block`)
    with nothing given. `given`, `absent`, `root`, `ops` and `settings` are those of `check`.

    The file is written whole or not at all. Raises SpecError; ValueError where there is no such
    format, engine, direction, block or path (its message says which there are); TypeError where what
    is bound already is given settings; OSError.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, 8]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> "flowchart TB" in archc.draw(archc.text(spec), format="mermaid")
    True
    """
    from archc.draw.draw import FORMATS, draw, format_of
    from archc.draw.options import Options

    name = format or (format_of(Path(path)) if path is not None else "svg")
    if name not in FORMATS:
        raise ValueError(f"no format for {name or path}; there are {', '.join(FORMATS)}")
    options = Options(level, _words(expand), _words(collapse), direction, compact, insets)
    graph = _bound(spec)
    where: dict[str, Any] = {"given": given, "absent": absent, "root": root, "ops": ops}
    if graph is None:
        graph = _checked(to_draw(spec, settings, unbound=unbound, **where))  # type: ignore[arg-type]
    else:
        _refuse([*settings, *["unbound"] * (unbound is not None), *(name for name in where if where[name])])
    picture = draw(graph, name, options, engine=engine)
    if path is not None:
        written.write(Path(path), picture)
    return picture


def to_draw(
    spec: Spec,
    settings: Mapping[str, Any] | Iterable[str],
    *,
    unbound: bool | None = None,
    given: Iterable[str] = (),
    absent: Iterable[str] = (),
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
) -> Result:
    """The check of a spec that is to be drawn: an outline where it is drawn unbound."""
    options: dict[str, Any] = {"given": tuple(given), "absent": tuple(absent), "root": root, "ops": ops}
    alone = not (settings or options["given"] or options["absent"])
    if unbound is None and alone:
        address = Address.parse(str(spec), Report()) if isinstance(spec, str | Path) else None
        unbound = address is not None and address.block is not None and address.preset is None
        if not unbound and (address is None or address.preset is None):
            result = checked(spec, settings, unbound=True, **options)
            if result.graph is not None or not result.ok:
                return result
            # Nothing is wrong but that numbers are missing. What was read is not read again: it may
            # have been standard input.
            spec, unbound = result.project, True
    if unbound:
        return compiler.check(spec, settings, probe=ask_torch, outline=True, **options)
    return checked(spec, settings, **options)


def _words(words: str | Iterable[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def docs(
    specs: str | Path | Iterable[str | Path],
    path: str | Path,
    *,
    title: str | None = None,
    root: str | Path | None = None,
    ops: Iterable[Any] = (),
) -> list[Path]:
    """Write a Markdown document of spec files at `path`, and beside it a picture of each block: those of
    `docs/nets.md` into the folder `docs/nets`. Returns the files written, the document last.

    `title` is its heading, by default the name of the only spec, else that of the document. `root` and
    `ops` are those of `check`. All files appear or none. Raises SpecError, DrawError and OSError.

    >>> import archc, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spec = Path(folder) / "net.yaml"
    ...     _ = spec.write_text("archc: 1\\nblocks: {Net: {inputs: {x: '[B]'}, flow: {y: x -> relu}}}")
    ...     [file.name for file in archc.docs(spec, Path(folder) / "net.md")]
    ['Net.svg', 'net.md']
    """
    from archc.document.document import document

    files = [specs] if isinstance(specs, str | Path) else specs
    made = document(files, path, title=title, root=root, ops=ops, probe=ask_torch)
    written.write_all(made.files)
    return list(made.files)


def summary(spec: Spec | Graph | Any, *, level: int | None = None, **options: Any) -> Summary:
    """Parameters and FLOPs of a spec, a Graph or a loaded model, as a tree; `print` shows the table.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, 8]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> archc.summary(archc.text(spec)).total.parameters
    72
    """
    from archc.report.summary import Summary

    return Summary(_graph(spec, options), level)


def _graph(spec: Any, options: Mapping[str, Any]) -> Graph:
    """The Graph of anything that has one."""
    bound = _bound(spec)
    if bound is None:
        return graph(spec, **options)
    _refuse(options)
    return bound


def _bound(what: Any) -> Graph | None:
    """The Graph of what is bound already: itself, a loaded model's, a result's."""
    if isinstance(what, Result):
        return _checked(what)
    own = getattr(what, "graph", what)
    return own if isinstance(own, Graph) else None


def _checked(result: Result) -> Graph:
    if result.graph is None:
        raise SpecError(result.diagnostics)
    return result.graph


def _refuse(settings: Collection[str]) -> None:
    """Raise TypeError where something that is bound already was given settings."""
    if settings:
        raise TypeError(f"what is bound already takes no settings: {', '.join(settings)}")


def _picture(what: Any) -> str | None:
    """What a notebook shows of a thing; None where it cannot be drawn, or is too large to wait for."""
    import warnings

    try:
        graph = _bound(what)
        if graph is None:
            graph = _checked(to_draw(what, ()))
        if len(graph.nodes) > MOST_SHOWN:
            return None
        picture = draw(graph)
        assert isinstance(picture, str)
        return picture
    except SpecError:
        return None  # it is wrong, which its diagnostics tell
    except Exception as error:  # a picture that fails must not hide the thing itself
        warnings.warn(f"it could not be drawn: {error}", stacklevel=2)
        return None


notebook.draw_with(_picture)
