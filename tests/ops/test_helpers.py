"""The functions that operators bring along stand in the generated file as they are."""

import ast
import subprocess
import sys
from itertools import product

import pytest
from pydantic import ValidationError

from archc.ops import table


def sources(operator: str) -> dict[str, str]:
    """The helpers of an operator, with any of the attributes of its examples."""
    op, found = table.get(operator), {}
    for example in op.examples:
        for values in product(*example.attributes.values()):
            try:
                found |= op(**dict(zip(example.attributes, values, strict=True))).helpers
            except ValidationError:
                continue
    return found


HELPERS = {name: source for operator in table.TABLE for name, source in sources(operator).items()}


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_is_one_documented_definition(name):
    [definition] = ast.parse(HELPERS[name]).body
    assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
    assert definition.name == name and ast.get_docstring(definition)


def test_helpers_are_formatted_as_the_file_around_them():
    text = "\n\n".join(HELPERS[name] for name in sorted(HELPERS))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "88", "--diff", "-"]
    found = subprocess.run(command, input=text, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    assert max(map(len, text.splitlines())) <= 88
