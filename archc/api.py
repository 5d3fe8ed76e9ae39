"""The functions of `import archc`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archc.graph import compile as compiler
from archc.graph.compile import Result, Text
from archc.graph.ir import Graph, applied_twice
from archc.lang.project import Project
from archc.ops.layer import Probed
from archc.shapes import Tensor

if TYPE_CHECKING:
    from archc.report.summary import Summary

Spec = str | Path | Text | Mapping[str, Any]
"""A spec: a path or an address (`vq.yaml#Encoder@iris`), `text("...")`, or a dict."""


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
    `root` is the folder that `use` may not leave, `ops` the operator modules that may be loaded.
    torch is imported only where a spec uses `nn.*`.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, C]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> print(archc.check(archc.text(spec), C=4).shapes["y"])
    [B, 8]
    """
    return checked(spec, settings, given=given, absent=absent, root=root, ops=ops)


def checked(spec: Spec, settings: Mapping[str, Any] | Iterable[str], **options: Any) -> Result:
    """`archc.graph.compile.check`, with what torch knows of its layers and what the emitter refuses."""
    result = compiler.check(spec, settings, probe=ask_torch, **options)
    if result.graph is None or not applied_twice(result.graph):
        return result
    from archc.emit import refusals

    found = refusals(result.graph)
    if not found:
        return result
    return replace(result, ok=False, graph=None, guards=(), diagnostics=(*result.diagnostics, *found))


def ask_torch(layer: str, args: Sequence[Any], kwargs: Mapping[str, Any], inputs: Sequence[Tensor]) -> Probed:
    """What `nn.LAYER(*args, **kwargs)` makes of inputs of these types. Imports torch."""
    from archc.runtime.probe import probe

    return probe(layer, args, kwargs, inputs)


def graph(spec: Spec, **options: Any) -> Graph:
    """The checked Graph of a spec; options are those of `check`. Raises SpecError with every diagnostic.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, C]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> list(archc.graph(archc.text(spec), C=4).members)
    ['fc']
    """
    result = check(spec, **options)
    if result.graph is None:
        from archc.source.diagnostic import SpecError

        raise SpecError(result.diagnostics)
    return result.graph


def read(spec: Spec, *, root: str | Path | None = None, ops: Iterable[Any] = ()) -> Project:
    """A spec parsed and validated with the files that it uses, nothing bound; raises SpecError."""
    from archc.lang.address import Address
    from archc.source.diagnostic import Report
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


def source(spec: Spec | Graph, **options: Any) -> str:
    """The Python module of a spec, as text: it stands alone and imports torch only.

    Options are those of `check`. Raises SpecError.
    """
    from archc.emit import source as emit

    return emit(_graph(spec, options))


def draw(
    spec: Spec | Graph | Any,
    path: str | Path | None = None,
    *,
    level: int | None = None,
    format: str | None = None,
    **options: Any,
) -> str:
    """Draw a spec, a Graph or a loaded model; the text of the picture, also written to `path`.

    The format is svg, dot or mermaid, as the path's ending tells unless it is given. `level` is how
    many blocks deep to open; None chooses what fits a page.

    >>> import archc
    >>> spec = "archc: 1\\nblocks: {A: {inputs: {x: '[B, 8]'}, nodes: {fc: linear(8)}, flow: {y: x -> fc}}}"
    >>> print(archc.draw(archc.text(spec), format="mermaid").splitlines()[1])
    flowchart TB
    """
    from archc.draw.formats import FORMATS, draw, format_of
    from archc.draw.options import Options

    name = format or (format_of(Path(path)) if path is not None else "svg")
    if name not in FORMATS:
        raise ValueError(f"no format for {name or path}; there are {', '.join(FORMATS)}")
    picture = draw(_graph(spec, options), name, Options(level=level))
    if path is not None:
        Path(path).write_text(picture, encoding="utf-8")
    return picture


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
    own = getattr(spec, "graph", spec)  # a loaded model's
    if isinstance(own, Graph):
        if options:
            raise TypeError(f"what is bound already takes no settings: {', '.join(options)}")
        return own
    return graph(spec, **options)
