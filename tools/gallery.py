"""Write docs/gallery.md: what archc draws of every spec that comes with it.

python tools/gallery.py            # write it and its pictures
python tools/gallery.py --check    # exit 1 where a file is not what would be written
"""

from __future__ import annotations

import sys
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

import archc
from archc.cli.check import expand
from archc.document.markdown import code, first_sentence, link, prose, slug
from archc.lang.project import Project
from archc.lang.schema import File
from archc.source.written import write_all

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "gallery.md"
FOLDER = ROOT / "docs" / "gallery"

DOCUMENTS = {"vq": "vq_nets.md"}
"""Folders of specs whose blocks a document shows with nothing bound."""
LIBRARIES = ("std", *DOCUMENTS)
"""Folders of which every block is shown; of a published architecture it is the whole."""

HEAD = """\
<!-- Written by archc: tools/gallery.py. Do not edit. -->

# Gallery

What archc draws of the specs that come with it, nothing placed by hand. A block with its numbers bound shows
sizes and counts; a block with nothing bound shows names, and what nobody has decided yet is dotted.
"""


@dataclass(slots=True)
class Gallery:
    """The page and the pictures that it shows, by their paths."""

    lines: list[str] = field(default_factory=list)
    pictures: dict[Path, str] = field(default_factory=dict)

    def draw(self, address: str, path: Path, unbound: bool) -> None:
        """A picture, under the command that draws it."""
        picture = archc.draw(address, unbound=unbound)
        assert isinstance(picture, str)
        self.pictures[path] = picture
        name, shown = address.rpartition("#")[2], path.relative_to(PAGE.parent).as_posix()
        self.lines.append(code(f"archc draw '{address}'" + " --bound" * (not unbound and "@" not in address)))
        self.lines.append(link(f"![{name}, drawn by archc]({shown})", shown))


def gallery() -> dict[Path, str]:
    """The files of the gallery, the page last."""
    made = Gallery()
    with chdir(ROOT):  # pictures name the files that they are of
        for path in expand("specs"):
            _file(Path(path), made)
    return {**made.pictures, PAGE: HEAD + "\n" + "\n\n".join(made.lines) + "\n"}


def _file(path: Path, made: Gallery) -> None:
    file = Project(path).entry
    assert file is not None
    made.lines += [f"## {path.as_posix()}", prose(file.doc or "")]
    if path.parent.name not in LIBRARIES:
        _whole(path, file, made)
        return
    for block in file.blocks.values():
        made.lines += [f"### {block.name}", first_sentence(block.doc)]
        for name in [f"{block.name}@{preset}" for preset in block.presets] or [block.name]:
            address = f"{path.as_posix()}#{name}"
            if archc.check(address).ok:  # it can be built as it is
                made.draw(address, FOLDER / f"{name.replace('@', '-')}.svg", unbound=False)
        document = DOCUMENTS.get(path.parent.name)
        if document is None:
            made.draw(f"{path.as_posix()}#{block.name}", FOLDER / f"{block.name}.svg", unbound=True)
        else:
            made.lines.append(f"With nothing bound: [{block.name}]({document}#{slug(block.name)})")


def _whole(path: Path, file: File, made: Gallery) -> None:
    """The main block of a published architecture with the numbers of its best known size."""
    block = file.entry
    assert block is not None
    made.lines.append(first_sentence(block.doc))
    made.draw(
        f"{path.as_posix()}#{block.name}", FOLDER / f"{path.parent.name}-{path.stem}.svg", unbound=False
    )


def main(arguments: list[str]) -> int:
    files = gallery()
    if arguments == ["--check"]:
        stale = [p for p, text in files.items() if not p.is_file() or p.read_text(encoding="utf-8") != text]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale; write it: python tools/gallery.py", file=sys.stderr)
        return 1 if stale else 0
    write_all(files)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
