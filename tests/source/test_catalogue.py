"""Every code has its page, every page its code."""

import re

import pytest

from archc.source.catalogue import CODES
from archc.source.data import data_folder, explain


@pytest.mark.parametrize("code", CODES)
def test_page_names_its_code(code: str) -> None:
    assert explain(code).splitlines()[0] == f"# {code}: {CODES[code].title}"


@pytest.mark.parametrize("page", sorted(data_folder("errors").glob("*")), ids=lambda page: page.name)
def test_page_is_for_a_code(page) -> None:
    assert page.name in {f"{code}.md" for code in CODES}


@pytest.mark.parametrize("code", CODES)
def test_code_is_well_formed(code: str) -> None:
    assert re.fullmatch(r"A[0-79]\d\d", code)
    assert (CODES[code].severity == "error") == (code[1] != "9"), "A9xx are warnings, and only they"


def test_explain_forgives_case_and_space() -> None:
    assert explain(" a013 ") == explain("A013")


def test_explain_suggests_a_code() -> None:
    with pytest.raises(LookupError, match="there is no code `A0133`; did you mean `A013`"):
        explain("A0133")
