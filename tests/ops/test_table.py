"""Operators are found by name and imported only when asked for."""

import subprocess
import sys

import pytest

from archc.ops import table
from archc.ops.activation import Silu
from archc.ops.base import Op
from archc.ops.table import TABLE, Operators


@pytest.mark.parametrize("name", TABLE)
def test_every_operator_is_there(name):
    cls = table.get(name)
    assert issubclass(cls, Op)
    assert cls.title() == name or name in table._ALIASES


def test_unknown_names_are_none():
    assert table.get("conv4d") is None


def test_swish_is_silu():
    assert table.get("swish") is Silu


def test_looking_up_imports_one_family():
    script = (
        "import sys, archc.ops.table as t; t.names(); assert 'pydantic' not in sys.modules; t.get('conv2d');"
    )
    script += "assert 'archc.ops.norm' not in sys.modules and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


class Mine(Op):
    """An operator of a user."""

    def shape(self, x):
        return x


def test_further_operators():
    operators = Operators({"mine": Mine})
    assert operators.get("mine") is Mine and "mine" in operators and "conv2d" in operators
    assert "mine" in operators.names() and table.get("mine") is None
