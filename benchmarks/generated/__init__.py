"""Networks of the zoo as archc builds them: `python benchmarks/generate.py`."""
