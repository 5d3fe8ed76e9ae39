"""The pages of the errors' codes, which travel with the package."""

from __future__ import annotations

from pathlib import Path

from archc.source.catalogue import CODES


def page(code: str) -> str:
    """The page of a code; its title alone where it has none yet.

    >>> print(page("A001").splitlines()[0])
    # A001: file not found
    """
    for folder in folders():
        file = folder / f"{code}.md"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return f"# {code}: {CODES[code].title}\n"


def folders() -> list[Path]:
    """Where the pages may lie: inside an installed package, or beside a source tree's."""
    package = Path(__file__).parent.parent
    return [package / "data" / "errors", package.parent / "docs" / "errors"]
