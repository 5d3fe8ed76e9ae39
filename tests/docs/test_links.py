"""Links from page to page lead to a file and a heading that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"(?:\]\(|src=\")(?!\w+:)([^)\s\"]*)")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub writes them in an address."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("linking", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(linking: Path) -> None:
    for link in LINK.findall(FENCE.sub("", linking.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = (linking.parent / path).resolve() if path else linking
        assert target.is_relative_to(ROOT) and target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_all_pages_are_reached_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in text, page.name
