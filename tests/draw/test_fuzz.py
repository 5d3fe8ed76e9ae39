"""Drawings of specs at random keep what a layout promises, and show what their Graphs say."""

from __future__ import annotations

import json

from hypothesis import event, given, note, settings
from hypothesis import strategies as st

import archc
from archc.api import to_draw
from archc.draw.draw import draw
from archc.draw.options import Options
from archc.report.cost import Costs
from tests.draw.faithful import differences, parameters
from tests.draw.geometry import violations
from tests.draw.random_specs import specs
from tests.emit.test_random import specs as other_specs

OPTIONS = st.builds(
    Options,
    level=st.sampled_from([None, 0, 1, 2, 9]),
    direction=st.sampled_from(["TB", "BT", "LR", "RL"]),
    compact=st.booleans(),
    insets=st.booleans(),
)


SPECS = st.one_of(specs(), specs(), other_specs())


@settings(max_examples=400, report_multiple_bugs=False)
@given(
    text=SPECS,
    unbound=st.booleans(),
    options=OPTIONS,
    format=st.sampled_from(["svg", "html", "dot", "mermaid"]),
)
def test_drawings_of_specs_at_random(text: str, unbound: bool, options: Options, format: str) -> None:
    """What the json says is right, and any other text can be made of it."""
    note(text)
    result = to_draw(archc.text(text), (), unbound=unbound)
    event("drawn" if result.graph is not None else "wrong")
    if result.graph is None:
        return
    drawing = json.loads(draw(result.graph, "json", options))
    assert not violations(drawing)
    panel = drawing["panels"][0]
    assert not differences(panel, result.graph)
    if not result.graph.outline:
        assert parameters(panel) == Costs().graph(result.graph).parameters
    assert draw(result.graph, format, options)


def test_most_specs_at_random_are_right() -> None:
    """Else the test above would look at nothing."""
    found: list[bool] = []

    @settings(max_examples=60, derandomize=True, database=None)
    @given(specs())
    def check(text: str) -> None:
        found.append(archc.check(archc.text(text)).ok)

    check()
    assert sum(found) > 0.6 * len(found)
