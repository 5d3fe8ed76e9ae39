"""Class names: the block's own, and for its variants what tells them apart."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from archc.emit.classes import Class
from archc.emit.names import Namespace, pascal
from archc.graph.ir import Graph

LONGEST = 60  # characters of a class name that is put together


def name_classes(found: list[Class], reserved: Iterable[str]) -> None:
    """Name all classes, and note in each variant what it is."""
    space = Namespace(reserved)
    by_block: dict[int, list[Class]] = {}
    for cls in found:
        by_block.setdefault(id(cls.first.graph.block), []).append(cls)
    for variants in by_block.values():
        _name(variants, space)


def _name(variants: list[Class], space: Namespace) -> None:
    """The variant that has the fewest parts is the block itself; the others say what they have
    besides or instead."""
    block = variants[0].first.graph.name
    if len(variants) == 1:
        variants[0].name = space.give(block, f"{block}Block")
        return
    features = [_features(cls) for cls in variants]
    order = sorted(range(len(variants)), key=lambda i: (sum(features[i].values()), len(features[i]), i))
    plain = features[order[0]]
    for index in order:
        wishes = _wishes(features[index], plain) if features[index] is not plain else [""]
        names = [block + w for w in wishes if len(block + w) <= LONGEST]
        variants[index].name = space.give(*names, separator="", last=block)
        rest = [f for i in order if i != index for f in features[i]]
        there = _told(features[index], set.intersection(*map(set, features)))
        missing = _told(dict.fromkeys(f for f in rest if f.part), features[index])
        variants[index].note = _note(block, there, missing)


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that a variant has: for its name and in words. `part`: a member or an input, else
    what sort of one `of` is; `usual`: a block's plain sort; `ending`: how the name of its class goes on
    behind the block's."""

    name: str
    words: str
    part: bool = True
    of: str = ""
    usual: bool = False
    ending: str = ""


def _wishes(features: Mapping[_Feature, bool], plain: Container[_Feature]) -> list[str]:
    """Endings of a variant's name, the best first: all that it has besides, then less of it, then
    with the sort of each new part."""
    own = _told(features, plain)
    names = [f.name for f in own if not f.usual] or [f.name for f in own]
    sorts = {f.of: f.name for f in features if not f.part and f not in plain}
    further = [sorts.get(name, name) for name in names]
    shorter = ["".join(names[:count]) for count in range(min(len(names), 3), 0, -1)]
    return [*shorter, *("".join(further[:count]) for count in range(1, min(len(names), 3) + 1))]


def _told(features: Iterable[_Feature], known: Container[_Feature]) -> list[_Feature]:
    """The features that are not known; of a part that is new, it is enough to say that it is there, and
    of an input, without the members that have it too."""
    own = [f for f in features if f not in known]
    new = {f.name for f in own if f.part}
    return [f for f in own if f.part or not {f.of, f.ending} & new]


def _note(block: str, there: list[_Feature], missing: list[_Feature]) -> str:
    said = []
    if there:
        said.append("with " + ", ".join(f.words for f in there[:4]))
    if missing:
        said.append("without " + ", ".join(f.words for f in missing[:4]))
    return f"Variant of `{block}` {', '.join(said)}." if said else f"Variant of `{block}`."


def _features(cls: Class) -> dict[_Feature, bool]:
    """What an instance has that others of its block may not have, and whether it is a part."""
    graph = cls.first.graph
    parts: dict[_Feature, bool] = {}
    sorts: dict[_Feature, bool] = {}
    for port in graph.inputs:
        optional = "optional " if port in graph.open else ""
        parts[_Feature(f"With{pascal(optional.strip())}{pascal(port)}", f"{optional}input `{port}`")] = True
    for name, member in graph.members.items():
        parts[_Feature(pascal(name), f"`{name}`")] = True
        targets = {id(c): c.target for c in member.copies if c.target is not None}
        for target in targets.values():
            title = _title(cls, target)
            short = title.removeprefix(target.name) if isinstance(target, Graph) else title
            words = f"`{name}` of {title}"
            usual = isinstance(target, Graph) and not short
            ending = short if isinstance(target, Graph) else ""
            feature = _Feature(pascal(name) + (short or title), words, False, pascal(name), usual, ending)
            sorts[feature] = False
    return parts | sorts


def _title(cls: Class, target: object) -> str:
    if not isinstance(target, Graph):
        return type(target).__name__
    return next(c.name for c in cls.first.children if target in c.of)
