"""Files that use files: which may be read, and what their blocks are called."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from archc.lang.project import Project
from archc.source.diagnostic import Diagnostic, Report
from archc.source.text import Source

ACT = "{inputs: {x: [B, C]}, flow: {out: x -> relu}}"


def calling(block: str) -> str:
    return f"{{inputs: {{x: [B, C]}}, nodes: {{n: {block}}}, flow: {{out: x -> n}}}}"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yaml").write_text(f"archc: 1\n{text}\n")


def only(project: Project) -> Diagnostic:
    told = project.report.diagnostics
    assert len(told) == 1, [f"{d.code} {d.message}" for d in told]
    return told[0]


def seen(project: Project) -> dict[str, str]:
    """The blocks that the entry sees, and which block each name is."""
    file = project.entry
    assert file is not None
    return {name: project.block(file, name).name for name in project.seen_by(file)}


def test_all_blocks_of_a_file_one_block_and_an_alias(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=f"use: [./b.yaml, './c.yaml#Two', {{Drei: ./c.yaml#Three}}]\nblocks: {{Own: {ACT}}}",
        b=f"blocks: {{One: {ACT}, Other: {ACT}}}",
        c=f"blocks: {{Two: {ACT}, Three: {ACT}, Four: {ACT}}}",
    )
    project = Project(tmp_path / "a.yaml")
    assert project.report.ok
    assert seen(project) == {"Own": "Own", "One": "One", "Other": "Other", "Two": "Two", "Drei": "Three"}
    assert project.block(project.entry, "Four") is None
    assert [file.path.name for file in project.files] == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_file_gives_its_own_blocks_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=f"use: ./b.yaml\nblocks: {{A: {ACT}}}",
        b=f"use: [./c.yaml]\nblocks: {{B: {ACT}}}",
        c=f"blocks: {{C: {ACT}}}",
    )
    project = Project(tmp_path / "a.yaml")
    assert seen(project) == {"A": "A", "B": "B"}
    write(tmp_path, a=f"use: ['./b.yaml#C']\nblocks: {{A: {ACT}}}")
    assert only(Project(tmp_path / "a.yaml")).code == "A122"


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        nets__a=f"use: [./parts/b.yaml]\nblocks: {{A: {ACT}}}",
        nets__parts__b=f"use: [../../shared/c.yaml]\nblocks: {{B: {ACT}}}",
        shared__c=f"blocks: {{C: {ACT}}}",
    )
    (tmp_path / "pyproject.toml").touch()
    project = Project(tmp_path / "nets" / "a.yaml")
    assert project.report.ok
    assert len(project.files) == 3


def test_a_circle_of_files_is_fine_and_each_is_read_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        a=f"use: [./b.yaml]\nblocks: {{A: {ACT}, Top: {calling('B')}}}",
        b=f"use: [./a.yaml, ./b.yaml]\nblocks: {{B: {calling('A')}}}",
    )
    project = Project(tmp_path / "a.yaml")
    assert project.report.ok
    assert len(project.files) == 2
    b = project.block(project.entry, "B")
    assert project.block(b.file, "A") is project.entry.blocks["A"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/etc/blocks.yaml", "A121"),
        ("../outside.yaml", "A121"),
        ("../../../../../../etc/passwd", "A121"),
        ("C:/blocks.yaml", "A121"),
        (r"\\server\blocks.yaml", "A121"),
        ("https://example.org/a.yaml", "A121"),
        ("./link.yaml", "A121"),
        ("./nothing.yaml", "A001"),
        (".", "A002"),
        ("std:nothing_like_it", "A125"),
        ("std:../../pyproject", "A125"),
        ("std:", "A125"),
    ],
)
def test_what_may_not_be_used(tmp_path: Path, path: str, code: str) -> None:
    write(tmp_path, outside=f"blocks: {{B: {ACT}}}", project__a=f"use: ['{path}']\nblocks: {{A: {ACT}}}")
    (tmp_path / "project" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    error = only(Project(tmp_path / "project" / "a.yaml"))
    assert (error.code, error.span.text.strip("'")) == (code, path)
    assert error.help


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git"])
def test_the_project_is_the_nearest_marked_folder(tmp_path: Path, mark: str) -> None:
    write(
        tmp_path, outside=f"blocks: {{B: {ACT}}}", project__nets__a=f"use: [../b.yaml]\nblocks: {{A: {ACT}}}"
    )
    write(tmp_path, project__b=f"blocks: {{B: {ACT}}}")
    assert only(Project(tmp_path / "project" / "nets" / "a.yaml")).code == "A121"
    (tmp_path / "project" / mark).touch()
    project = Project(tmp_path / "project" / "nets" / "a.yaml")
    assert project.report.ok and project.root == tmp_path / "project"


def test_a_root_that_does_not_hold_the_entry(tmp_path: Path) -> None:
    write(tmp_path, nets__a=f"use: [./b.yaml]\nblocks: {{A: {ACT}}}", nets__b=f"blocks: {{B: {ACT}}}")
    assert only(Project(tmp_path / "nets" / "a.yaml", root=tmp_path / "other")).code == "A121"


def test_root_may_be_given(tmp_path: Path) -> None:
    write(tmp_path, b=f"blocks: {{B: {ACT}}}", nets__a=f"use: [../b.yaml]\nblocks: {{A: {ACT}}}")
    assert not Project(tmp_path / "nets" / "a.yaml").report.ok
    assert Project(tmp_path / "nets" / "a.yaml", root=tmp_path).report.ok
    (tmp_path / ".git").touch()
    assert not Project(tmp_path / "nets" / "a.yaml", root=tmp_path / "nets").report.ok


def test_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "library"
    write(
        library, std__vision=f"use: [../base.yaml]\nblocks: {{Patch: {ACT}}}", base=f"blocks: {{Base: {ACT}}}"
    )
    monkeypatch.setattr("archc.lang.shipped.data_folder", lambda name: library)
    write(tmp_path, project__a=f"use: [std:vision]\nblocks: {{A: {ACT}}}")
    project = Project(tmp_path / "project" / "a.yaml")
    assert project.report.ok
    assert seen(project) == {"A": "A", "Patch": "Patch"}
    write(tmp_path, project__a=f"use: [std:vison]\nblocks: {{A: {ACT}}}")
    assert only(Project(tmp_path / "project" / "a.yaml")).help == "did you mean `std:vision`?"


def test_two_blocks_of_one_name(tmp_path: Path) -> None:
    write(tmp_path, b=f"blocks: {{One: {ACT}}}", c=f"blocks: {{One: {ACT}}}")
    write(tmp_path, a=f"use: [./b.yaml, ./c.yaml]\nblocks: {{A: {ACT}}}")
    error = only(Project(tmp_path / "a.yaml"))
    assert error.code == "A123" and error.span.text == "./c.yaml" and error.related[0].span.text == "./b.yaml"
    write(tmp_path, a=f"use: ['./b.yaml#One']\nblocks: {{One: {ACT}}}")
    error = only(Project(tmp_path / "a.yaml"))
    assert error.code == "A123" and "{OtherOne: ./b.yaml#One}" in error.help
    write(tmp_path, a=f"use: [./b.yaml, {{Eins: ./c.yaml#One}}]\nblocks: {{A: {ACT}}}")
    assert Project(tmp_path / "a.yaml").report.ok


def test_the_same_block_twice_is_one_block(tmp_path: Path) -> None:
    write(tmp_path, b=f"blocks: {{One: {ACT}}}")
    write(tmp_path, a=f"use: [./b.yaml, './b.yaml#One', {{Same: ./b.yaml#One}}]\nblocks: {{A: {ACT}}}")
    project = Project(tmp_path / "a.yaml")
    assert project.report.ok
    assert seen(project) == {"A": "A", "One": "One", "Same": "One"}


def test_an_unknown_block_of_a_file(tmp_path: Path) -> None:
    write(
        tmp_path, a=f"use: ['./b.yaml#Ohne']\nblocks: {{A: {calling('Ohne')}}}", b=f"blocks: {{One: {ACT}}}"
    )
    project = Project(tmp_path / "a.yaml")
    error = only(project)
    assert error.code == "A122" and "`One`" in error.help.replace("it has One", "`One`")
    assert project.broken(project.entry, "Ohne"), "the caller is not told again"


def test_mistakes_of_used_files_stand_in_them(tmp_path: Path) -> None:
    write(tmp_path, a=f"use: [./b.yaml]\nblocks: {{A: {ACT}}}", b="blocks: {B: {flwo: {}}}")
    error = only(Project(tmp_path / "a.yaml"))
    assert error.span.source.name.endswith("b.yaml") and error.span.text == "flwo"


@pytest.mark.parametrize(
    "blocks",
    [
        {"A": calling("B"), "B": calling("C"), "C": calling("A")},
        {"A": calling("B"), "B": "{inputs: {x: [B]}, params: {f: op = A}, nodes: {n: f}, flow: {o: x -> n}}"},
        {"A": "{inputs: {x: [B]}, nodes: {n: B(A)}, flow: {o: x -> n}}", "B": ACT},
        {"A": "{inputs: {x: [B]}, flow: {o: x -> A}}"},
        {"A": "{inputs: {x: [B]}, flow: {o: (x -> B) + x}}", "B": calling("A"), "C": calling("A")},
    ],
)
def test_a_circle_of_blocks_is_told_once(blocks: dict[str, str]) -> None:
    text = "archc: 1\nblocks:\n" + "".join(f"  {name}: {body}\n" for name, body in blocks.items())
    error = only(Project(Source("a.yaml", text)))
    assert error.code == "A124"
    assert "itself" in error.message or error.message.endswith("-> A")
    assert error.span.text in blocks


def test_a_long_circle_and_a_deep_one_are_found() -> None:
    count = 2000
    blocks = "".join(f"  N{i}: {calling(f'N{(i + 1) % count}')}\n" for i in range(count))
    error = only(Project(Source("a.yaml", f"archc: 1\nblocks:\n{blocks}")))
    assert error.code == "A124" and error.message.endswith("N3 -> ... -> N1997 -> N1998 -> N1999 -> N0")


def test_a_param_hides_a_block() -> None:
    hidden = "{inputs: {x: [B]}, params: {A: op = relu}, nodes: {n: A}, flow: {o: x -> n}}"
    assert Project(Source("a.yaml", f"archc: 1\nblocks: {{A: {hidden}}}")).report.ok


def test_operators_of_a_module_must_be_allowed() -> None:
    source = Source("a.yaml", f"archc: 1\nops: [mine.ops]\nblocks: {{A: {ACT}}}")
    error = only(Project(source))
    assert error.code == "A118" and "--allow-ops mine.ops" in error.help and error.span.text == "mine.ops"
    assert "mine" not in sys.modules
    assert Project(source, allow_ops=["mine.ops"]).report.ok
    assert Project(source, allow_ops=[types.ModuleType("mine.ops")]).report.ok


def test_a_spec_as_a_dict() -> None:
    spec = {
        "archc": 1,
        "blocks": {
            "Net": {
                "params": {"ch": {"type": "int[]", "default": [1, 2]}, "eps": "float = 1e-6"},
                "inputs": {"x": ["B", "...", "max(C, 2)"], "y": {"shape": ["B"], "optional": True}},
                "nodes": {"a": {"call": "linear", "with": {"n": 3, "bias": False}}},
                "flow": {"out": "x -> a"},
                "outputs": ("out",),
                "presets": {"small": {"ch": [1], "eps": 1e-9}},
            }
        },
    }
    project = Project(spec)
    assert project.report.ok, project.report.diagnostics
    net = project.entry.blocks["Net"]
    assert len(net.inputs["x"].shape) == 3 and net.inputs["y"].optional
    assert net.presets["small"].values["eps"].value == 1e-9
    spec["blocks"]["Net"]["nodes"]["a"]["with"]["n"] = object()
    error = only(Project(spec))
    assert error.code == "A103" and "object" in error.message


def test_a_text_uses_files_of_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, b=f"blocks: {{One: {ACT}}}")
    monkeypatch.chdir(tmp_path)
    project = Project(Source("<text>", f"archc: 1\nuse: [./b.yaml]\nblocks: {{A: {ACT}}}"))
    assert project.report.ok and seen(project) == {"A": "A", "One": "One"}


def test_a_missing_entry(tmp_path: Path) -> None:
    report = Report()
    project = Project(tmp_path / "none.yaml", report=report)
    assert project.entry is None and not project.files
    assert [d.code for d in report.diagnostics] == ["A001"]
