"""The files that ship with archc: the pages of its errors and its specs."""

from __future__ import annotations

from pathlib import Path

from archc.source.catalogue import CODES
from archc.source.diagnostic import did_you_mean

_PACKAGE = Path(__file__).resolve().parent.parent
_IN_CHECKOUT = {"errors": Path("docs") / "errors", "specs": Path("specs")}


def data_folder(name: str) -> Path:
    """The folder `errors` or `specs`: in the installed package, else in the checkout.

    Raises FileNotFoundError where neither has it.
    """
    packaged = _PACKAGE / "data" / name
    checkout = _PACKAGE.parent / _IN_CHECKOUT[name]
    for folder in (packaged, checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"archc is not installed whole: neither {packaged} nor {checkout} is there")


def explain(code: str) -> str:
    """The page of an error code, in Markdown. Raises LookupError where there is no such code.

    >>> explain("a013").splitlines()[0]
    '# A013: key given twice'
    """
    name = code.strip().upper()
    if name not in CODES:
        close = did_you_mean(name, CODES)
        raise LookupError(f"there is no code `{code}`" + (f"; did you mean `{close}`?" if close else ""))
    return (data_folder("errors") / f"{name}.md").read_text(encoding="utf-8")
