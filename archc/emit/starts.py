"""How `reset_parameters` starts weights: in a loop over all layers of a kind, in loops over numbered
copies, or one by one."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from archc.emit.coded import Coder
from archc.graph.attributes import module_source
from archc.graph.initial import initial
from archc.graph.ir import Graph
from archc.graph.weights import of_copy
from archc.ops.initialisers import Initialiser
from archc.source.text import Span

# From this many layers of a kind on, one loop over all modules finds them; and those of other kinds,
# where there is more than one.
KIND = 3

_NUMBERED = re.compile(r"([A-Za-z_][\w.]*?)\.(\d+)\.(.*)")
_CONV = "nn.Conv"
"""What the classes begin with whose `bias` is declared to be a tensor or None."""

_LAYER = re.compile(r"nn\.(?!Parameter\b)\w+")


@dataclass(frozen=True, slots=True)
class Line:
    """A coded statement of `__init__` or `reset_parameters`."""

    span: Span
    text: str


class Layer(NamedTuple):
    """A layer below a block: its path, its class in torch.nn ("" where it has none), the names of what
    it owns."""

    path: str
    kind: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Kind:
    """How all layers of a class in torch.nn start: an initialiser for each name, and the names that some
    of these layers do not have, or may lack as torch declares them."""

    paths: list[str] = field(default_factory=list)
    fills: dict[str, Initialiser] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)


def dotted(path: str) -> bool:
    """Can a path be written as attributes?"""
    return not any(part.isdigit() for part in path.split("."))


def weight(path: str) -> str:
    """The source of a weight: by attributes, or by its name where numbers are on the way."""
    return f"self.{path}" if dotted(path) else f'self.get_parameter("{path}")'


def starts(
    graph: Graph, coder: Coder, helpers: dict[str, str], span: Callable[[str], Span]
) -> Iterator[Line]:
    """How weights begin, in order: layers of a kind together, then numbered copies that begin alike in
    one loop, then what is left. `helpers` takes up the functions that they need; `span` gives the
    place of a path."""
    if not graph.initialisers:
        return
    reduced, turns = _without_copies(graph)
    rules = initial(reduced)
    for initialiser in rules.values():
        helpers.update(initialiser.helpers)
    kinds = _kinds(reduced, rules)
    if kinds:
        yield Line(span(next(iter(kinds.values())).paths[0]), _over_modules(kinds, coder))
    done = {
        f"{path}.{name}": fill
        for kind in kinds.values()
        for path in kind.paths
        for name, fill in kind.fills.items()
    }
    rest = {path: i for path, i in rules.items() if done.get(path) != i}
    maybe = {f"{layer.path}.bias" for layer in _layers(reduced) if layer.kind.startswith(_CONV)}
    yield from _by_path(graph, rest, maybe, turns, coder, span)


# -- layers of a kind --------------------------------------------------------------------------


def _kinds(graph: Graph, rules: Mapping[str, Initialiser]) -> dict[str, Kind]:
    """The classes in torch.nn whose layers start alike, so that one loop can find them: a block inside
    decides none of their weights, and more than half of them have one initialiser."""
    layers = _layers(graph)
    if any("." in name for layer in layers for name in layer.names):
        return {}  # modules inside a layer of torch.nn, which the loop would find too
    if _disputed(_ties(graph), rules):
        return {}  # the last word counts, and a loop would change whose it is
    found: dict[str, Kind] = {}
    for layer in layers:
        if layer.kind:
            found.setdefault(layer.kind, Kind()).paths.append(layer.path)
    names = {layer.path: layer.names for layer in layers}
    for kind_name, kind in found.items():
        for name in dict.fromkeys(name for path in kind.paths for name in names[path]):
            there = [path for path in kind.paths if name in names[path]]
            wanted = [rules.get(f"{path}.{name}") for path in there]
            if any(i is None for i in wanted):
                continue
            most, count = Counter(map(repr, wanted)).most_common(1)[0]
            if 2 * count > len(there):
                kind.fills[name] = next(i for i in wanted if i is not None and repr(i) == most)
                if len(there) < len(kind.paths) or (kind_name.startswith(_CONV) and name == "bias"):
                    kind.partial.add(name)
    found = {name: kind for name, kind in found.items() if kind.fills and len(kind.paths) > 1}
    return found if any(len(kind.paths) >= KIND for kind in found.values()) else {}


def _over_modules(kinds: Mapping[str, Kind], coder: Coder) -> str:
    """A loop over all modules that starts those of some classes."""
    module = coder.local("module")
    together: dict[str, list[str]] = {}  # what is done with a module -> the classes
    for name, kind in kinds.items():
        lines = []
        for at, fill in kind.fills.items():
            line = fill.fill("TARGET").replace("TARGET", f"{module}.{at}")
            lines += [f"if {module}.{at} is not None:", f"    {line}"] if at in kind.partial else [line]
        together.setdefault("\n".join(f"        {line}" for line in lines), []).append(name)
    text = f"for {module} in self.modules():"
    for position, (body, names) in enumerate(together.items()):
        which = names[0] if len(names) == 1 else f"({', '.join(names)})"
        body = coder.text(body, building=True)
        text += f"\n    {'elif' if position else 'if'} isinstance({module}, {which}):\n{body}"
    return text


@lru_cache(maxsize=1024)
def _layers(graph: Graph) -> tuple[Layer, ...]:
    """The operators below a block that own weights."""
    found: list[Layer] = []
    for member in graph.members.values():
        for path, one in member.owned:
            if isinstance(one.target, Graph):
                found += (layer._replace(path=f"{path}.{layer.path}") for layer in _layers(one.target))
            elif names := tuple(name for name in of_copy(one) if name):
                source = _LAYER.match(module_source(one) or "")
                found.append(Layer(path, source[0] if source else "", names))
    return tuple(found)


@lru_cache(maxsize=1024)
def _ties(graph: Graph) -> tuple[tuple[str, str], ...]:
    """What is tied in a block and below it."""
    below = (
        (f"{path}.{a}", f"{path}.{b}")
        for member in graph.members.values()
        for path, one in member.owned
        if isinstance(one.target, Graph)
        for a, b in _ties(one.target)
    )
    return (*graph.ties, *below)


def _disputed(ties: tuple[tuple[str, str], ...], rules: Mapping[str, Initialiser]) -> bool:
    """Is there one tensor that is to start in two ways?"""
    same: dict[str, str] = {}
    wanted: dict[str, Initialiser] = {}
    for a, b in ties:
        same[a] = same.get(b, b)
        for name in (a, b):
            if name in rules and wanted.setdefault(same[a], rules[name]) != rules[name]:
                return True
    return False


# -- path by path ------------------------------------------------------------------------------


def _by_path(
    graph: Graph,
    rules: Mapping[str, Initialiser],
    maybe: Container[str],
    turns: Mapping[str, int],
    coder: Coder,
    span: Callable[[str], Span],
) -> list[Line]:
    """`maybe` are the weights that torch declares to be a tensor or None, which no attribute can give."""
    loops: dict[tuple[str, str], list[int]] = {}  # path around a number -> the numbers
    for path in rules:
        numbered = _NUMBERED.fullmatch(path)
        if numbered:
            loops.setdefault((numbered[1], numbered[3]), []).append(int(numbered[2]))
    counts = {key: turns.get(key[0]) or _alike(key, numbers, rules) for key, numbers in loops.items()}
    found: list[Line] = []
    done: set[tuple[str, str]] = set()
    over: tuple[str, int] | None = None  # what the last line is a loop over, and how often
    for path, initialiser in rules.items():
        numbered = _NUMBERED.fullmatch(path)
        key = (numbered[1], numbered[3]) if numbered else None
        count = counts[key] if key is not None else 0
        if key is None or count < 2:
            over = None
            source = weight(path) if path not in maybe else f'self.get_parameter("{path}")'
            fill = coder.text(initialiser.fill(source), building=True)
            found.append(Line(span(path), fill))
        elif key not in done:
            done.add(key)
            owner, rest = key
            fill = coder.text(initialiser.fill("TARGET"), building=True)
            whole = _whole(graph, owner, count)
            if over != (owner, count):
                head = f"λblock_0 in self.{owner}" if whole else f"λi_0 in range({coder.number(count)})"
                found.append(Line(span(owner), f"for {head}:"))
                over = owner, count
            target = f'λblock_0.get_parameter("{rest}")'
            if not whole:
                target = f'self.get_parameter(f"{owner}.{{λi_0}}.{rest}")'
            found[-1] = Line(found[-1].span, f"{found[-1].text}\n    {fill.replace('TARGET', target)}")
    return found


def _without_copies(graph: Graph) -> tuple[Graph, dict[str, int]]:
    """The Graph with one copy for all where no rule can tell them apart, and their numbers."""
    if any(re.search(r"\d", at) for r in graph.initialisers for at in r.at):
        return graph, {}
    members = dict(graph.members)
    turns = {}
    for name, member in members.items():
        copies = member.copies
        if member.arranged and not member.share and len(copies) > 1 and all(c is copies[0] for c in copies):
            members[name] = replace(member, uses=[copies[:1]])
            turns[name] = len(copies)
    reduced = copy.copy(graph)
    reduced.members = members
    return reduced, turns


def _alike(key: tuple[str, str], numbers: list[int], rules: Mapping[str, Initialiser]) -> int:
    """How many copies begin alike; 0 where some do not."""
    owner, rest = key
    if numbers != list(range(len(numbers))):
        return 0
    first = rules[f"{owner}.0.{rest}"]
    return len(numbers) if all(rules[f"{owner}.{n}.{rest}"] == first for n in numbers) else 0


def _whole(graph: Graph, owner: str, count: int) -> bool:
    """Are these all copies of a member?"""
    member = graph.members.get(owner)
    return member is not None and len(member.copies) == count
