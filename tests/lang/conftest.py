"""Parsing and evaluating texts in tests."""

from types import SimpleNamespace

import pytest

from archc.lang import parser
from archc.lang.evaluate import evaluate
from archc.lang.syntax import Name
from archc.lang.values import Scope
from archc.source.diagnostic import Report
from archc.source.text import Source, Span

RULES = {
    "expression": parser.parse_expression,
    "call": parser.parse_call,
    "line": lambda place, report: parser.parse_line((), place, report),
    "names": parser.parse_names,
    "shape": parser.parse_shape,
    "type": parser.parse_type,
    "param": parser.parse_param,
    "repeat": parser.parse_repeat,
}


def _parse(text: str, rule: str = "expression"):
    """The tree of a text that has no mistake."""
    report = Report()
    found = RULES[rule](parser.SpanPlace(_span(text)), report)
    assert report.ok, [(d.code, d.message, d.span) for d in report.diagnostics]
    return found


def _mistake(text: str, rule: str = "expression"):
    """What is wrong with a text: the code, the words blamed, and the whole diagnostic."""
    report = Report()
    found = RULES[rule](parser.SpanPlace(_span(text)), report)
    assert found is None or found == (None, None)
    (diagnostic,) = report.diagnostics
    assert diagnostic.span.source.text == text
    return SimpleNamespace(code=diagnostic.code, words=diagnostic.span.text, start=diagnostic.span.start,
                           message=diagnostic.message, help=diagnostic.help or "")  # fmt: skip


def _span(text: str) -> Span:
    return Span(Source("test.yaml", text), 0, len(text))


def _shape(node):
    """A tree without its places, to compare two."""
    if type(node) is tuple:
        return tuple(map(_shape, node))
    if isinstance(node, tuple):
        return (type(node).__name__, *(_shape(part) for part in node if not isinstance(part, Span)))
    return (type(node).__name__, repr(node))


def _value(text: str, want=None, **scope):
    """The value of an expression; keyword arguments are the scope's."""
    return evaluate(_parse(text), Scope(**scope), want)


@pytest.fixture(scope="session")
def parse():
    return _parse


@pytest.fixture(scope="session")
def mistake():
    return _mistake


@pytest.fixture(scope="session")
def bare():
    return _shape


@pytest.fixture(scope="session")
def value():
    return _value


@pytest.fixture(scope="session")
def name():
    return lambda word: Name(word, _span(word))
