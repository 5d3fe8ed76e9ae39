"""Class names: the block's own, and for its variants what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable

from archc.emit.classes import Class
from archc.emit.names import Namespace, pascal
from archc.graph.ir import Graph


def name_classes(found: list[Class], reserved: Iterable[str]) -> None:
    """Name all classes, and note in each variant what it is."""
    space = Namespace(reserved)
    by_block: dict[int, list[Class]] = {}
    for cls in found:
        by_block.setdefault(id(cls.first.graph.block), []).append(cls)
    for variants in by_block.values():
        _name(variants, space)


def _name(variants: list[Class], space: Namespace) -> None:
    block = variants[0].first.graph.name
    if len(variants) == 1:
        variants[0].name = space.give(block, f"{block}Block")
        return
    features = [_features(cls) for cls in variants]
    common = set.intersection(*(set(f) for f in features))
    every = {name: words for f in features for name, words in f.items()}
    order = sorted(range(len(variants)), key=lambda i: (len(features[i]), i))
    for rank, index in enumerate(order):
        own = _telling(features[index], common)
        suffixes = ["".join(own[:1]), "".join(own[:2]), "".join(own)] if rank else [""]
        wishes = [f"{block}{suffix}" for suffix in suffixes if suffix or not rank]
        variants[index].name = space.give(*(w for w in wishes if len(w) <= 60), separator="", last=block)
        missing = [f for f in _telling(every, features[index].keys() | common)]
        variants[index].note = _note(block, [features[index][f] for f in own], [every[f] for f in missing])


def _telling(features: dict[str, str], known: Iterable[str]) -> list[str]:
    """The features that are not known, without those that a further one of them implies."""
    own = [f for f in features if f not in known]
    return [f for f in own if not any(g != f and features[f].startswith(features[g] + " ") for g in own)]


def _note(block: str, there: list[str], missing: list[str]) -> str:
    said = []
    if there:
        said.append("with " + ", ".join(there[:4]))
    if missing:
        said.append("without " + ", ".join(missing[:4]))
    return f"Variant of `{block}` {'; '.join(said)}." if said else f"Variant of `{block}`."


def _features(cls: Class) -> dict[str, str]:
    """What an instance has that others of its block may not have: name part -> words."""
    graph = cls.first.graph
    found: dict[str, str] = {}
    for port in graph.inputs:
        found[f"With{pascal(port)}"] = f"input `{port}`"
        if port in graph.open:
            found[f"Optional{pascal(port)}"] = f"input `{port}` as an option"
    for name, member in graph.members.items():
        found[pascal(name)] = f"`{name}`"
        targets = [c.target for c in member.copies if c.target is not None]
        for title in dict.fromkeys(_title(cls, t) for t in targets):
            found[f"{pascal(name)}{_short(title, targets)}"] = f"`{name}` of {title}"
    return found


def _short(title: str, targets: list) -> str:
    """A variant of a block by what is its own: `Shortcut` of `ResnetBlockShortcut`."""
    for target in targets:
        if isinstance(target, Graph) and title.startswith(target.name):
            return title.removeprefix(target.name) or title
    return title


def _title(cls: Class, target: object) -> str:
    if not isinstance(target, Graph):
        return type(target).__name__
    return next(c.name for c in cls.first.children if any(i.graph is target for i in c.instances))
