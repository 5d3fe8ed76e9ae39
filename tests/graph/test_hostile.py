"""Specs written to hurt, the whole way: each is refused, or done, at once and in little memory.

Every case runs in a process of its own, whose memory and time the system bounds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 2.0
"""Of the processor, for a check, the source of the model and what is shown of it."""
MEGABYTES = 500

# Of memory the kernel's own peak: ru_maxrss outlives fork and exec, and would be that of the tests.
CHECK = """
import json, sys, time
from pathlib import Path
import archc
from archc.emit import emit
from archc.graph.compile import check
from archc.source.diagnostic import SpecError
from archc.source.render import render

start = time.process_time()
result = check(sys.argv[1], sys.argv[2:])
codes = [d.code for d in result.diagnostics if d.severity == "error"]
shown = render(result.diagnostics, color=False)
if result.graph is not None:
    try:
        emit(result.graph)
    except SpecError as wrong:
        codes += [d.code for d in wrong.diagnostics]
print(json.dumps({
    "codes": sorted(set(codes)),
    "count": len(codes),
    "shown": len(shown),
    "seconds": time.process_time() - start,
    "megabytes": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024,
}))
"""


def bounded() -> None:
    """What the child may use at all, should it run wild."""
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


def told(path: Path, *settings: str, seconds: float = SECONDS) -> list[str]:
    """The codes of what a check tells, after its time and memory have been judged."""
    ended = subprocess.run(
        [sys.executable, "-c", CHECK, str(path), *settings],
        capture_output=True,
        text=True,
        preexec_fn=bounded,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout)
    assert found["seconds"] < seconds, found
    assert found["megabytes"] < MEGABYTES, found
    assert found["count"] <= 10, found
    assert found["shown"] < 20_000, found
    return found["codes"]


def net(
    *,
    inputs: str = "{x: [B, C]}",
    nodes: str = "{act: relu}",
    flow: str = "{out: x -> act}",
    head: str = "",
    more: str = "",
) -> str:
    """A file of one block with these parts."""
    return (
        f"archc: 1\n{head}blocks:\n  Net:\n    inputs: {inputs}\n    nodes: {nodes}\n    flow: {flow}\n{more}"
    )


def expression(text: str) -> str:
    """A block with a `let` of this text."""
    return net(more=f"    let: {{a: {json.dumps(text)}}}\n")


def repeated(count: str) -> str:
    return net(nodes=f"{{act: {{call: relu, repeat: {count}}}}}")


def fan_out(levels: int) -> str:
    """Blocks of which each uses the one before twice: 2 ** levels copies of the first."""
    head = "inputs: {x: [B, 8]}"
    parts = [f"archc: 1\nblocks:\n  B0: {{{head}, nodes: {{p: linear(8)}}, flow: {{out: x -> p}}}}\n"]
    parts += [
        f"  B{i}: {{{head}, nodes: {{a: B{i - 1}, b: B{i - 1}}}, flow: {{out: x -> a -> b}}}}\n"
        for i in range(1, levels + 1)
    ]
    return "".join(parts)


def widening(levels: int) -> str:
    """As above, but no two uses have the same numbers: 2 ** levels distinct instances."""
    parts = [
        "archc: 1\nblocks:\n  B0:\n    params: {n: int = 0}\n    inputs: {x: [B, 8]}\n"
        "    nodes: {d: dropout(1 / (2 + n))}\n    flow: {out: x -> d}\n"
    ]
    parts += [
        f"  B{i}:\n    params: {{n: int = 0}}\n    inputs: {{x: [B, 8]}}\n"
        f"    nodes: {{a: B{i - 1}(2 * n), b: B{i - 1}(2 * n + 1)}}\n    flow: {{out: x -> a -> b}}\n"
        for i in range(1, levels + 1)
    ]
    return "".join(parts)


def aliases() -> str:
    lines = ["archc: 1", "a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]
    return "\n".join(lines)


def circle_of_files(count: int) -> dict[str, str]:
    return {
        f"f{i}.yaml": net(head=f"use: [./f{(i + 1) % count}.yaml]\n").replace("  Net:", f"  N{i}:")
        for i in range(count)
    }


REFUSED: dict[str, tuple[str, str]] = {
    "aliases of aliases": (aliases(), "A018"),
    "100,000 brackets": ("archc: 1\nblocks: " + "[" * 100_000, "A012"),
    "100,000 brackets in an expression": (expression("(" * 100_000 + "1" + ")" * 100_000), "A214"),
    "9,000 brackets in an expression": (expression("(" * 4_500 + "1" + ")" * 4_500), "A214"),
    "a long sum": (expression("+".join(["1"] * 4_000)), "A214"),
    "a tower of unary signs": (expression("-" * 9_000 + "1"), "A214"),
    "a number of a million digits": (net(more=f"    let: {{a: {'9' * 1_000_000}}}\n"), "A019"),
    "a huge power": (expression("9 ** 9 ** 9 ** 9"), "A224"),
    "a power of a size": (expression("(B + C + 1) ** 1000"), "A224"),
    "a product of sums of sizes": (expression(" * ".join(["(B + C + 1)"] * 90)), "A224"),
    "a shift of a text": (expression("'a' * 10 ** 12"), "A224"),
    "a list of lists": (expression("[[0] * 1000] * 1000000"), "A224"),
    "a range": (expression("range(10 ** 12)"), "A224"),
    "a sum of a range": (expression("sum(range(10 ** 12))"), "A224"),
    "nested comprehensions": (
        expression("[a for a in range(999) for b in range(999) for c in range(999) for d in range(999)]"),
        "A224",
    ),
    "comprehensions in comprehensions": (
        expression("[[[[0 for d in range(99)] for c in range(99)] for b in range(99)] for a in range(99)]"),
        "A224",
    ),
    "a doubling list": (
        net(
            more="    let:\n      a0: [1]\n"
            + "".join(f"      a{i}: a{i - 1} + a{i - 1}\n" for i in range(1, 60))
        ),
        "A224",
    ),
    "a doubling text": (
        net(
            more="    let:\n      a0: '\"x\"'\n"
            + "".join(f"      a{i}: a{i - 1} + a{i - 1}\n" for i in range(1, 60))
        ),
        "A224",
    ),
    "a squaring number": (
        net(
            more="    let:\n      a0: 3\n"
            + "".join(f"      a{i}: a{i - 1} * a{i - 1}\n" for i in range(1, 60))
        ),
        "A224",
    ),
    "a squaring size": (
        net(
            more="    let:\n      a0: B + C\n"
            + "".join(f"      a{i}: a{i - 1} * a{i - 1}\n" for i in range(1, 60))
        ),
        "A224",
    ),
    "repeat: 1e12": (repeated("1e12"), "A410"),
    "repeat: 1000000000000": (repeated("1000000000000"), "A410"),
    "repeat: 10 ** 4000": (repeated("10 ** 4000"), "A224"),
    "a name that is Python": (
        net(nodes='{"__import__(1).system(2)": relu}', flow="{out: x -> relu}"),
        "A104",
    ),
    "a value's name that is Python": (net(flow='{"x=1;import os": x -> act}'), "A208"),
    "a pattern that is Python": (
        net(flow="""{out: 'x -> rearrange("b {__import__(1)} -> b")'}"""),
        "A403",
    ),
    "dunder names": (net(flow="{__class__: x -> act}"), "A104"),
    "an attribute of a number": (expression("(1).__class__.__bases__"), "A209"),
    "an absolute file": (net(head="use: [/etc/passwd]\n"), "A121"),
    "a file above the root": (net(head="use: [../../../../etc/passwd]\n"), "A121"),
    "a file above the root, hidden": (net(head="use: [./a/../../../etc/passwd]\n"), "A121"),
    "a tag": (net(more="    doc: !!python/name:os.system id\n"), "A015"),
    "a tag of our own": (net(more="    doc: !include /etc/passwd\n"), "A015"),
    "a module of operators": (net(head="ops: [os]\n"), "A118"),
    "a NUL byte": (net(more="    doc: a\0b\n"), "A005"),
    "characters that turn the text": (net(more="    doc: a\u202eb\n"), "A005"),
    "blocks 65 deep": (
        "archc: 1\nblocks:\n  B0: {inputs: {x: [B]}, flow: {y: x -> relu}}\n"
        + "".join(
            f"  B{i}: {{inputs: {{x: [B]}}, nodes: {{b: B{i - 1}}}, flow: {{y: x -> b}}}}\n"
            for i in range(1, 66)
        ),
        "A414",
    ),
    "blocks 5,000 deep": (
        "archc: 1\nblocks:\n  B0: {inputs: {x: [B]}, flow: {y: x -> relu}}\n"
        + "".join(
            f"  B{i}: {{inputs: {{x: [B]}}, nodes: {{b: B{i - 1}}}, flow: {{y: x -> b}}}}\n"
            for i in range(1, 5_000)
        ),
        "A414",
    ),
    "a convolution of 10**30 channels": (
        net(inputs="{x: [B, 3, H, W]}", nodes='{act: "conv2d(10**30, 3)"}'),
        "A403",
    ),
    "a padding of 10**30": (
        net(inputs="{x: [B, 3, H, W]}", nodes='{act: "conv2d(8, 3, padding=10**30)"}'),
        "A403",
    ),
    "splits without number": (net(inputs="{x: [B, 10**9]}", flow="{out: x -> split(10**9) -> act}"), "A302"),
    "a chain of 10,000 steps": (net(flow="{out: " + "x" + " -> relu" * 10_000 + "}"), "A214"),
    "one error in 10,000 nodes": (
        net(
            nodes="{" + ", ".join(f"n{i}: linear(0)" for i in range(10_000)) + "}",
            flow="{" + ", ".join(f"v{i}: {f'v{i - 1}' if i else 'x'} -> n{i}" for i in range(10_000)) + "}",
        ),
        "A403",
    ),
    "a bundle indexed by what is huge": (net(flow='{out: "bundle(x, x)[10 ** 30]"}'), "A412"),
    "an index that is huge": (net(inputs="{x: [B, 3]}", flow='{out: "x[:, 10 ** 30]"}'), "A403"),
    "a dtype that is Python": (net(inputs='{x: "__import__[B]"}'), "A107"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    text, code = REFUSED[name]
    path = tmp_path / "spec.yaml"
    path.write_bytes(text.encode())
    assert told(path) == [code]


DONE: dict[str, str] = {
    "blocks 64 deep": "archc: 1\nblocks:\n  B0: {inputs: {x: [B]}, flow: {y: x -> relu}}\n"
    + "".join(
        f"  B{i}: {{inputs: {{x: [B]}}, nodes: {{b: B{i - 1}}}, flow: {{y: x -> b}}}}\n" for i in range(1, 65)
    ),
    "each block uses the one before twice": fan_out(40),
    "10,000 copies": net(inputs="{x: [B, 8]}", nodes="{act: {call: linear(8), repeat: 10000}}"),
    "a shape of 1,000 dimensions": net(inputs=f"{{x: [{', '.join(f'D{i}' for i in range(1_000))}]}}"),
    "texts of megabytes": net(more=f"    doc: {'word ' * 1_000_000}\n"),
    "1,000 lines": net(
        flow="{" + ", ".join(f"v{i}: {f'v{i - 1}' if i else 'x'} -> act" for i in range(1_000)) + "}"
    ),
    "a weight of 10**36 numbers": net(
        inputs="{x: [B, 3]}", nodes="{act: linear(10**18), b: linear(10**18)}", flow="{out: x -> act -> b}"
    ),
    "10**30 as an axis": net(inputs="{x: [B, 10**30]}"),
    "1,000 blocks that nobody uses": "archc: 1\nblocks:\n"
    + "".join(f"  B{i}: {{inputs: {{x: [B]}}, flow: {{y: x -> relu}}}}\n" for i in range(1_000)),
}


@pytest.mark.parametrize("name", DONE)
def test_done(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(DONE[name], encoding="utf-8")
    assert told(path) == []


def test_more_instances_than_any_model_has(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(widening(40), encoding="utf-8")
    assert told(path, seconds=6.0) == ["A415"]


def test_a_shape_of_100_000_dimensions(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(net(inputs=f"{{x: [{', '.join(['B'] * 100_000)}]}}"), encoding="utf-8")
    assert told(path) == ["A214"]


def test_a_file_of_100_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"archc: 1 # " + b"a" * 100_000_000)
    assert told(path) == ["A003"]


def test_invalid_utf8(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(net().encode() + b"    doc: \xff\xfe\xc3\x28\n")
    assert told(path) == ["A004"]


def test_a_device_without_end(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.symlink_to("/dev/zero")
    assert told(path) == ["A003"]


def test_a_link_out_of_the_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "other.yaml").write_text(net(), encoding="utf-8")
    (tmp_path / "root" / "link.yaml").symlink_to(tmp_path / "other.yaml")
    path = tmp_path / "root" / "spec.yaml"
    path.write_text(net(head="use: [./link.yaml#Net]\n").replace("  Net:", "  Main:"), encoding="utf-8")
    assert told(path) == ["A121"]


def test_a_long_circle_of_files(tmp_path: Path) -> None:
    for name, text in circle_of_files(200).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert told(tmp_path / "f0.yaml") == []


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("C=10**10**10", "A224"),
        ("C=" + "9" * 100_000, "A214"),
        ("C=" + "(" * 4_000 + "1" + ")" * 4_000, "A214"),
        ("C=__import__('os').system('id')", "A209"),
        ("C=[0] * 10 ** 9", "A224"),
    ],
    ids=lambda value: value[:16],
)
def test_settings(setting: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(net(), encoding="utf-8")
    assert told(path, setting) == [code]
