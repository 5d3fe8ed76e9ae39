"""Specs as a Markdown document: each block with its charts, tables, formula and links."""
