"""A page of hand-drawn mermaid charts beside what archc draws of the same blocks, to be judged by eye.

    python tests/draw/gallery.py gallery.html

The charts in `charts/` are how people draw these networks on paper; beside each stands the unbound picture
of the block, as in docs/vq_nets, and what archc says of it in mermaid. mermaid itself is the one in the
wheel `mermaidx`, or a `mermaid.min.js` that is given. The page follows the browser's light or dark colours.
"""

from __future__ import annotations

import argparse
import re
from base64 import b64encode
from html import escape
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "vq_nets"
DOCUMENT = PICTURES.with_suffix(".md")

PAIRS = {
    "encoder": "Encoder",
    "decoder": "Decoder",
    "sampler_block": "SamplerBlock",
    "mid_block": "MidBlock",
    "resnet_block": "ResnetBlock",
    "attention_qkv": "AttentionBlock-1",
    "attention_projection": "AttentionBlock-2",
    "attention": "AttentionBlock",
    "upsample": "Upsample",
    "downsample": "Downsample",
}
"""Each chart that was drawn by hand, and the picture that is its counterpart."""

PAGE = """\
<!doctype html>
<meta charset="utf-8">
<title>Drawn by hand, drawn by archc</title>
<style>
:root {{ color-scheme: light dark; font: 15px system-ui, sans-serif }}
body {{ margin: 2rem }}
section {{ display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 2rem; align-items: start;
  border-top: 1px solid #94a3b8; padding: 1rem 0 }}
h2 {{ grid-column: 1 / -1; margin: 0 }}
img, pre.mermaid > svg {{ max-width: 100%; height: auto }}
figure {{ margin: 0 }}
</style>
<h1>Drawn by hand, drawn by archc</h1>
{sections}
<script>{script}</script>
<script>
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
mermaid.initialize({{ startOnLoad: true, theme: dark ? "dark" : "default", securityLevel: "loose" }});
</script>
"""


def page(mermaid: str) -> str:
    """The page, with mermaid's own script in it."""
    return PAGE.format(
        sections="\n".join(_section(*pair) for pair in PAIRS.items()),
        script=mermaid.replace("</script", "<\\/script"),
    )


def _section(chart: str, picture: str) -> str:
    by_hand = (HERE / "charts" / f"{chart}.mmd").read_text(encoding="utf-8")
    svg = b64encode((PICTURES / f"{picture}.svg").read_bytes()).decode()
    shown = {
        "by hand": f'<pre class="mermaid">{escape(by_hand)}</pre>',
        "archc, svg": f'<img src="data:image/svg+xml;base64,{svg}" alt="{picture}">',
        "archc, mermaid": f'<pre class="mermaid">{escape(_mermaid(picture))}</pre>',
    }
    figures = "".join(
        f"<figure><figcaption>{how}</figcaption>{chart}</figure>" for how, chart in shown.items()
    )
    return f"<section><h2>{picture}</h2>{figures}</section>"


def _mermaid(picture: str) -> str:
    """The mermaid text of a picture in the document: the first that follows it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    after = text[text.index(f"](vq_nets/{picture}.svg)") :]
    found = re.search(r"^```mermaid\n(.*?)^```$", after, re.DOTALL | re.MULTILINE)
    assert found, picture
    return found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("output", type=Path, help="the page to write")
    parser.add_argument("--mermaid", type=Path, help="mermaid.min.js (default: that of the wheel mermaidx)")
    options = parser.parse_args()
    wheel = find_spec("mermaidx")
    if options.mermaid is None and (wheel is None or wheel.origin is None):
        parser.error("there is no mermaid here: pip install mermaidx, or name one with --mermaid")
    script = options.mermaid or Path(wheel.origin).parent / "assets" / "mermaid.js"
    options.output.write_text(page(script.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
