"""What specs rely on: the operators' names, attributes, their order and defaults, inputs and outputs."""

from __future__ import annotations

from pathlib import Path

from archc.ops import table

WRITTEN = (Path(__file__).parent / "signatures.txt").read_text(encoding="utf-8").splitlines()


def declared(name: str) -> str:
    op = table.get(name)
    assert op is not None
    if op.title() != name:
        return f"{name} = {op.title()}"
    ports = [("*" if p.variadic else "") + p.name + ("?" if p.optional else "") for p in op.ports()]
    return f"{op.signature()} : {', '.join(ports)} -> {', '.join(op.outputs)}".replace(":  ->", ": ->")


def test_no_signature_changes_unnoticed() -> None:
    """A change here breaks specs: it belongs into the changelog."""
    operators = [declared(name) for name in table.names()]
    initialisers = [table.initialiser(name).signature() for name in table.INITIALISERS]  # type: ignore[union-attr]
    assert operators + initialisers == WRITTEN


def test_every_name_is_the_one_that_errors_tell() -> None:
    assert [table.get(n).title() for n in table.names() if n != "swish"] == [  # type: ignore[union-attr]
        n for n in table.names() if n != "swish"
    ]
    assert [table.initialiser(n).title() for n in table.INITIALISERS] == list(table.INITIALISERS)  # type: ignore[union-attr]
