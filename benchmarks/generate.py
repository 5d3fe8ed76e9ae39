"""Write the networks of the zoo that benchmarks run where archc cannot: `generated/`.

python benchmarks/generate.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from measure import ROOT

FOLDER = ROOT / "benchmarks" / "generated"

SOURCES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gpt2.py": ("text/gpt2.yaml@medium", {"dropout": 0.0}),
    "resnet.py": ("vision/resnet.yaml@resnet50", {}),
    "vit.py": ("vision/vit.yaml@base", {"dropout": 0.0}),
    "vq_decoder.py": (
        "vq/nets.yaml#Decoder",
        {
            **{"ch": 128, "ch_mult": [1, 1, 2, 2, 4], "num_res_blocks": 2, "z_channels": 256},
            **{"resolution": 256, "attn_resolutions": [16]},
        },
    ),
}
"""What each module is built from: a spec, and the params that its preset does not give."""


def source(name: str) -> str:
    """A module as archc builds it now."""
    import archc

    address, settings = SOURCES[name]
    return archc.source(f"{ROOT}/specs/{address}", **settings)


if __name__ == "__main__":
    for name in SOURCES:
        (FOLDER / name).write_text(source(name), encoding="utf-8")
