"""What each command does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archc.source.catalogue import CODES

DIAGNOSTIC = {
    "code": str,
    "severity": str,
    "message": str,
    "file": str,
    "line": int,
    "column": int,
    "end_line": int,
    "end_column": int,
    "help": (str, type(None)),
    "related": list,
    "trace": list,
}


def test_check_tells_blocks_parameters_and_guards(run) -> None:
    ended = run("check", "net.yaml@wide")
    assert ended.status == 0
    first, *rest = ended.out.splitlines()
    assert first == "net.yaml@wide: ok, 4 blocks, 8,448 parameters"
    assert rest == ["    H and W must be divisible by 2"]


def test_check_shapes_aligns_every_line(run) -> None:
    lines = run("check", "net.yaml", "--shapes").out.splitlines()
    shapes = [line for line in lines if "[B, 8, 2 * (H // 2)" in line]
    assert len(shapes) == 1 and shapes[0].strip().startswith("h ")
    net = lines[lines.index("  Net (ch=8)") + 1 :][:4]
    assert len({line.index("[") for line in net}) == 1
    assert any("Res (C=8, c_out=8)" in line for line in lines)


def test_check_json(run, tmp_path: Path) -> None:
    ended = run("check", "net.yaml", "--json")
    assert json.loads(ended.out) == {
        "ok": True,
        "diagnostics": [],
        "guards": ["H and W must be divisible by 2"],
    }
    (tmp_path / "bad.yaml").write_text((tmp_path / "net.yaml").read_text().replace("-> body", "-> boddy"))
    ended = run("check", "bad.yaml", "--json")
    assert ended.status == 1
    told = json.loads(ended.out)
    assert told["ok"] is False and told["guards"] == []
    first = next(item for item in told["diagnostics"] if item["severity"] == "error")
    assert first.keys() == DIAGNOSTIC.keys()
    for key, kind in DIAGNOSTIC.items():
        assert isinstance(first[key], kind), key
    assert (first["file"], first["line"], first["column"]) == ("bad.yaml", 22, 33)
    assert first["end_column"] == first["column"] + len("boddy")


def test_check_tells_of_a_name_that_no_file_can_have(run) -> None:
    done = run("check", "a" * 300)
    assert done.status == 1 and "error[A002]" in done.out


def test_check_takes_folders_and_globs(run, tmp_path: Path) -> None:
    (tmp_path / "more" / "deep").mkdir(parents=True)
    (tmp_path / "more" / "deep" / "other.yml").write_text((tmp_path / "net.yaml").read_text())
    (tmp_path / "more" / "config.yaml").write_text("name: no spec\n")
    assert run("check", ".").out.count(": ok, ") == 2
    assert run("check", "*.yaml#Net@wide").out.startswith("net.yaml#Net@wide: ok")
    assert run("check", "more/**/*.yml").out.startswith("more/deep/other.yml: ok")
    assert run("check", "*.json").status == 2
    (tmp_path / "empty").mkdir()
    assert "there is no spec in the folder empty" in run("check", "empty").err


def test_check_fails_where_one_of_many_is_wrong(run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("archc: 1\n")
    ended = run("check", "net.yaml", "bad.yaml")
    assert ended.status == 1
    assert "net.yaml: ok" in ended.out


NAMED = """\
archc: 1
blocks:
  Net:
    inputs: {x: "[B, 8]"}
    nodes: {fc: {call: Layer, repeat: 2}}
    flow: {y: x -> fc}
    checkpoints:
      theirs: {"fc.<i>.*": "layers.<i + 1>.*"}
  Layer:
    inputs: {x: "[B, C]"}
    nodes: {proj: linear(C)}
    flow: {y: x -> proj}
  Tied:
    inputs: {x: "[B, 8]"}
    nodes: {a: linear(8), b: linear(8)}
    flow: {y: x -> a -> b}
    tie: {b.weight: a.weight}
    checkpoints:
      theirs: {a.weight: wte.T, b.weight: head, ignore: ["*.mask", junk]}
main: Net
"""


def test_check_names_prints_the_resolved_table(run, tmp_path: Path) -> None:
    (tmp_path / "named.yaml").write_text(NAMED)
    ended = run("check", "named.yaml", "--names", "theirs")
    assert ended.status == 0
    assert ["fc.1.proj.weight", "[8,", "8]", "layers.2.proj.weight"] in map(str.split, ended.out.splitlines())
    told = json.loads(run("check", "named.yaml", "--names", "theirs", "--json").out)
    assert told["names"]["fc.0.proj.bias"] == "layers.1.proj.bias"
    tied = run("check", "named.yaml#Tied", "--names", "theirs").out
    assert "b.weight  [8, 8]  head  (tied to a.weight)\n" in tied
    assert tied.endswith("\n    passed over: *.mask, junk\n")
    told = json.loads(run("check", "named.yaml#Tied", "--names", "theirs", "--json").out)
    assert (told["names"]["a.weight"], told["ignored"]) == ("wte.T", ["*.mask", "junk"])
    ended = run("check", "named.yaml", "--names", "their")
    assert ended.status == 1 and "error[A610]" in ended.out and "did you mean `theirs`?" in ended.out


def test_given_and_absent_fix_inputs(run) -> None:
    assert "mask: Tensor | None = None" in run("build", "net.yaml").out
    assert "mask: Tensor)" in run("build", "net.yaml", "--given", "mask").out
    assert "mask: Tensor" not in run("build", "net.yaml", "--absent", "mask").out


def test_build_writes_a_module_that_stands_alone(run, tmp_path: Path) -> None:
    assert run("build", "net.yaml", "-o", "net.py").status == 0
    text = (tmp_path / "net.py").read_text()
    assert "class Net(nn.Module)" in text and "import archc" not in text
    assert run("build", "net.yaml", "-o", "net.py", "--check").status == 0
    assert run("build", "net.yaml").out == text


def test_build_check_finds_a_stale_file(run, tmp_path: Path) -> None:
    ended = run("build", "net.yaml", "-o", "net.py", "--check")
    assert (
        ended.status == 1 and "net.py does not exist; write it: archc build 'net.yaml' -o net.py" in ended.err
    )
    run("build", "net.yaml@wide", "-o", "net.py")
    before = (tmp_path / "net.py").read_text()
    ended = run("build", "net.yaml", "-o", "net.py", "--check")
    assert ended.status == 1 and "net.py is stale" in ended.err
    assert (tmp_path / "net.py").read_text() == before


@pytest.mark.parametrize(("name", "start"), [("n.svg", "<svg "), ("n.dot", "//"), ("n.mmd", "%%")])
def test_draw_takes_the_format_from_the_name(run, tmp_path: Path, name: str, start: str) -> None:
    assert run("draw", "net.yaml", "-o", name).status == 0
    assert (tmp_path / name).read_text().startswith(start)
    assert run("draw", "net.yaml", "-o", "as.txt", "--format", "dot").status == 0


def test_draw_level_opens_blocks(run) -> None:
    closed, opened = run("draw", "net.yaml", "--level", "0").out, run("draw", "net.yaml", "--level", "1").out
    assert ">body.0-2.conv" not in closed.split("def-Res")[0]
    assert "body.0-2.conv" in opened


def test_summary_totals(run) -> None:
    out = run("summary", "net.yaml").out
    assert "body.0-2 ×3" in out and out.rstrip().splitlines()[-1].startswith("2,240 parameters")
    rows = json.loads(run("summary", "net.yaml", "--json", "-p", "B=1", "-p", "H=4", "-p", "W=4").out)
    assert rows[0]["parameters"] == 2240 and rows[0]["depth"] == 0
    assert rows[0]["flops"] == sum(row["copies"] * row["flops"] for row in rows if row["depth"] == 1)
    assert len(json.loads(run("summary", "net.yaml", "--json", "--level", "0").out)) == 1


@pytest.mark.parametrize("code", CODES)
def test_explain_prints_a_page_for_every_code(run, code: str) -> None:
    ended = run("explain", code.lower())
    assert ended.status == 0
    assert ended.out.startswith(f"# {code}")


def test_new_writes_a_spec_that_checks(run, tmp_path: Path) -> None:
    ended = run("new", "my_mlp")
    assert ended.status == 0 and "my_mlp.yaml: a spec of the block MyMlp" in ended.out
    assert run("check", "my_mlp.yaml@base").status == 0
    assert run("check", "my_mlp.yaml@base").out.startswith("my_mlp.yaml@base: ok, 5 blocks")
    assert run("new", "my_mlp").status == 2, "a spec is its author's, and is not overwritten"
