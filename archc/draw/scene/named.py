"""What `expand` and `collapse` name must be there: a mistyped path would quietly change nothing."""

from __future__ import annotations

from collections.abc import Iterable

from archc.draw.options import DrawError, Options
from archc.draw.scene.opening import Path, Step, path_of
from archc.graph.ir import Graph, Member, graphs
from archc.source.diagnostic import did_you_mean


def check_names(graph: Graph, options: Options) -> None:
    """Raise DrawError for a path, or the name of a block or group, that the model does not have."""
    if not options.expand and not options.collapse:
        return
    inside = graphs(graph)
    groups = dict.fromkeys(name for each in inside for name in each.block.groups)
    blocks = dict.fromkeys(each.name for each in inside[1:])
    for text in options.expand:
        path = path_of(text)
        if _is_one(path, blocks) and text not in {name for each in inside for name in each.members}:
            raise DrawError(f"`{text}` is a block", "name a node that is one, by its path")
        if not _is_one(path, groups) and not _opens(graph, path):
            raise DrawError(f"there is nothing to open in `{text}`", "it is an operator, not a block")
    for text in options.collapse:
        path = path_of(text)
        if _is_one(path, groups) or _is_one(path, blocks):
            continue
        if len(path) == 1 and text[:1].isupper() and text not in graph.members:
            raise DrawError(f"there is no block `{text}` in {graph.name}", _those("blocks", text, blocks))
        if not _opens(graph, path):
            raise DrawError(f"there is nothing to close in `{text}`", "it is an operator, not a block")


def _is_one(path: Path, names: Iterable[str]) -> bool:
    """Is a path the mere name of one of these?"""
    return len(path) == 1 and path[0].copies is None and path[0].name in names


def _opens(graph: Graph, path: Path) -> bool:
    """Leads a path to a block or a group? Raises DrawError where it leads nowhere."""
    here = [graph]
    for number, step in enumerate(path):
        before = ".".join(map(_text, path[:number]))
        if not here:
            raise DrawError(
                f"there is no `{'.'.join(map(_text, path))}`", f"`{before}` is an operator, not a block"
            )
        if number + 1 == len(path) and any(step.name in block.block.groups for block in here):
            return True
        members = [block.members[step.name] for block in here if step.name in block.members]
        if not members:
            whole = f"`{before}`" if before else graph.name
            names = [name for block in here for name, member in block.members.items() if not member.hidden]
            raise DrawError(f"there is no node `{step.name}` in {whole}", _those("nodes", step.name, names))
        here = list(dict.fromkeys(block for member in members for block in _blocks(member, step)))
    return bool(here)


def _blocks(member: Member, step: Step) -> Iterable[Graph]:
    """The blocks that the copies of a member are which a step names."""
    if step.copies is not None:
        name, most = member.name, len(member.copies) - 1
        if not member.arranged:
            raise DrawError(f"there is no `{_text(step)}`", f"`{name}` is not repeated")
        if not step.copies:
            raise DrawError(
                f"there are no such copies of `{name}`", f"the lower number stands first: `{name}[0..{most}]`"
            )
        if max(step.copies) > most and member.count is None:
            raise DrawError(f"there is no `{_text(step)}`", f"the copies of `{name}` are 0 to {most}")
    for number, copy in enumerate(member.copies):
        if step.copies is None or number in step.copies:
            yield from (block for block in copy.targets if isinstance(block, Graph))


def _text(step: Step) -> str:
    if not step.copies:
        return step.name
    first, last = min(step.copies), max(step.copies)
    return f"{step.name}[{first}..{last}]" if last > first else f"{step.name}.{first}"


def _those(what: str, word: str, names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    close = did_you_mean(word, known)
    if close:
        return f"did you mean `{close}`?"
    shown = ", ".join(f"`{name}`" for name in known[:12])
    return f"its {what} are {shown}{', ...' * (len(known) > 12)}" if known else f"it has no {what}"
