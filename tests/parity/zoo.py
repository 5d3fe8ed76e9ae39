"""The table of docs/zoo.md: what the tests of parity measured, and what is counted in the specs.

A test leaves a `Compared` or a `Size` among its `user_properties`, which come back from pytest-xdist's
workers; `pytest -m parity --zoo` puts them into the page. The page is read first: specs of which a run
measured nothing keep their lines.
"""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
PAGE = ROOT / "docs" / "zoo.md"

PROPERTY = "zoo"

HEAD = """\
# Zoo

<!-- Written by `pytest -m parity --zoo`. Do not edit. -->

Published architectures as specs, each held against its original: the network of the package that people use
for it, built beside the spec's with the same weights, drawn at random (or real ones, where a package brings
them). Outputs and the gradients of all weights and inputs are compared, in several shapes, with and
without optional inputs. In float64 they have to be equal to 1e-9, in float32 to ten times what rounding
alone does to the original. The weights go through the spec's map of
[checkpoint names](language.md#checkpoints), and nothing may be missing or left over on either side.

[Contributing](../CONTRIBUTING.md#parity) tells how to run all this, and [own operators](own_operators.md)
what a spec cannot say.

## Specs

`lines` are those of the file. The differences are the largest ones: of any output, in parts of its largest
value, or of any gradient, in parts of the largest of all; rounded up to a power of ten. `0` is no
difference at all: the same to the last bit.
"""

SIZES = """\
## Sizes

The sizes that were published, without memory for their weights: all `names` of the spec's weights and
buffers are mapped to the original's, with the same shapes, and the `parameters` are as many as were
published.
"""

LINK = re.compile(r"^\[(.*)\]\(.*\)$")

Record = tuple[str, ...]


class Compared(NamedTuple):
    """The largest differences between a spec's model and an original."""

    spec: str
    package: str  # with its version
    float64: float
    float32: float

    def record(self) -> Record:
        return ("compared", self.spec, self.package, repr(self.float64), repr(self.float32))


class Size(NamedTuple):
    """A size of a spec that was published: an address below specs/ with settings as on the command line."""

    address: str
    package: str
    parameters: int
    names: int

    @property
    def spec(self) -> str:
        return re.split("[#@ ]", self.address, maxsplit=1)[0]

    def record(self) -> Record:
        return ("size", self.address, self.package, str(self.parameters), str(self.names))


class Zoo(NamedTuple):
    """All that is in the page, by spec or address and by the name of the package."""

    compared: dict[tuple[str, str], Compared]
    sizes: dict[tuple[str, str], Size]

    @classmethod
    def read(cls, page: str) -> Zoo:
        """What stands in a page."""
        zoo = cls({}, {})
        for line in page.splitlines():
            cells = [LINK.sub(r"\1", cell).strip("` ") for cell in line.strip("| ").split(" | ")]
            if len(cells) == 5 and cells[2].isdigit():
                zoo.add(Compared(cells[0], cells[1], float(cells[3]), float(cells[4])))
            elif len(cells) == 4 and cells[3].isdigit():
                zoo.add(Size(cells[0], cells[1], int(cells[2].replace(",", "")), int(cells[3])))
        return zoo

    def add(self, found: Compared | Size) -> None:
        """Take in a measurement; of several comparisons the largest differences stay."""
        package = found.package.partition(" ")[0]
        if isinstance(found, Size):
            self.sizes[found.address, package] = found
            return
        key = (found.spec, package)
        other = self.compared.get(key, found)
        self.compared[key] = found._replace(
            float64=max(found.float64, other.float64), float32=max(found.float32, other.float32)
        )

    def updated(self, measured: Zoo) -> Zoo:
        """With what was measured in place of all that stood here of the same specs; those that are gone are
        left out."""
        anew = {row.spec for row in (*measured.compared.values(), *measured.sizes.values())}
        compared = [row for row in self.compared.values() if row.spec not in anew]
        sizes = [row for row in self.sizes.values() if row.spec not in anew]
        compared += measured.compared.values()
        sizes += measured.sizes.values()
        kept = [value for value in compared if (SPECS / value.spec).is_file()]
        known = [value for value in sizes if (SPECS / value.spec).is_file()]
        zoo = Zoo({}, {})
        for value in (*sorted(kept), *sorted(known, key=lambda s: (s.spec, s.package, s.parameters, s))):
            zoo.add(value)
        return zoo

    def page(self) -> str:
        """The page that shows it."""
        specs = ["| spec | original | lines | float64 | float32 |", "| --- | --- | ---: | ---: | ---: |"]
        for spec, package, float64, float32 in self.compared.values():
            link = f"[`{spec}`](../specs/{spec})"
            specs.append(f"| {link} | {package} | {lines(spec)} | {rounded(float64)} | {rounded(float32)} |")
        sizes = ["| size | original | parameters | names |", "| --- | --- | ---: | ---: |"]
        for address, package, parameters, names in self.sizes.values():
            sizes.append(f"| `{address}` | {package} | {parameters:,} | {names} |")
        return "\n".join([HEAD, *specs, "", SIZES, *sizes, ""])


def gather(records: Iterable[Record]) -> Zoo:
    """What tests have recorded."""
    zoo = Zoo({}, {})
    for kind, what, package, first, second in records:
        if kind == "size":
            zoo.add(Size(what, package, int(first), int(second)))
        else:
            zoo.add(Compared(what, package, float(first), float(second)))
    return zoo


def lines(spec: str) -> int:
    """The lines of a spec's file."""
    return len((SPECS / spec).read_text(encoding="utf-8").splitlines())


def rounded(difference: float) -> str:
    """A difference rounded up to a power of ten."""
    return f"1e{math.ceil(round(math.log10(difference), 9))}" if difference else "0"


def sized(address: str, settings: Mapping[str, Any]) -> str:
    """An address with its settings as on the command line."""
    words = [address]
    for name, value in settings.items():
        if name in ("given", "absent"):
            words.extend(f"--{name} {each}" for each in value)
        else:
            words.append(
                f"-p {shlex.quote(f'{name}={value if isinstance(value, str) else json.dumps(value)}')}"
            )
    return " ".join(words)


def package_of(network: Any) -> str:
    """The package that a network comes from, with its version: `torchvision 0.28.0`."""
    module = type(network).__module__.partition(".")[0]
    if module == "tests" or type(network).__name__ == "Sequential":
        return "written in the test"
    return versioned(_distributions()[module][0])


def versioned(package: str) -> str:
    """A package, by its normal name, and its version, without that of its build."""
    return f"{re.sub('[-_.]+', '-', package).lower()} {version(package).partition('+')[0]}"


@cache
def _distributions() -> Mapping[str, list[str]]:
    return packages_distributions()
