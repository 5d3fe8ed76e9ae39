"""The links of a spec: addresses that a browser opens, never ones that it would run."""

from __future__ import annotations

import re

_PAGE = re.compile(r"(https?|mailto):|[^:]*$|[^:/?#]*[/?#]", re.IGNORECASE)
"""A scheme that runs nothing, or none at all: what stands before a `:` is one unless it holds `/?#`."""


def page(link: str | None) -> str:
    """The address that a link leads to: a page, a mail or a place beside; nothing where it would run.

    >>> page("https://arxiv.org/abs/1505.04597"), page(" notes.md#fc"), page("javascript:alert(1)")
    ('https://arxiv.org/abs/1505.04597', 'notes.md#fc', '')
    """
    address = (link or "").strip()
    return address if _PAGE.match(address) else ""
