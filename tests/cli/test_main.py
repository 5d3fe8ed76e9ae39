"""The command line itself: help, exit codes, errors in one line, clean ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archc.cli.main import COMMANDS, main


def test_help_names_every_command(run) -> None:
    ended = run("--help")
    assert ended.status == 0
    for name, command in COMMANDS.items():
        assert f"  {name}" in ended.out and command.summary in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(run, name: str) -> None:
    ended = run(name, "--help")
    assert ended.status == 0
    assert f"example:\n  archc {name} " in ended.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "a command is needed: run, bench"),
        (["chek", "net.yaml"], "unknown command 'chek'; did you mean 'check'?"),
        (["--verison"], "unknown option '--verison'; did you mean '--version'?"),
        (["check"], "ADDRESS"),
        (["draw", "net.yaml", "--lvel", "2"], "unknown option '--lvel'; did you mean '--level'?"),
        (["draw", "net.yaml", "--level", "two"], "'two' is no number from 0 on"),
        (
            ["draw", "net.yaml", "-o", "net.bmp"],
            "no format ends in '.bmp': use .svg, .png, .pdf",
        ),
        (["draw", "net.yaml", "-o", "nowhere/net.svg"], "there is no folder nowhere"),
        (["draw", "net.yaml", "-o", "."], "is a folder"),
        (["build", "net.yaml", "--check"], "name it with -o FILE"),
        (["explain", "A30l"], "unknown code 'A30L'; did you mean 'A"),
        (["run", "net.yaml", "--size", "B=0"], "--size 'B=0' is not NAME=SIZE"),
        (["run", "net.yaml", "--weights", "none.safetensors"], "there is no file none.safetensors"),
        (["run", "net.yaml", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["new", "9lives"], "makes no name of a block"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_told_in_one_line(run, words: list[str], told: str) -> None:
    ended = run(*words)
    assert ended.status == 2
    assert told in ended.err and ended.err.count("\n") == 1
    assert not ended.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", "net.yaml#Nett"], "A705"),
        (["check", "net.yaml@wider"], "A706"),
        (["check", "net.yaml", "-p", "chh=4"], "A707"),
        (["check", "net.yaml", "-p", "ch"], "A702"),
        (["check", "#Net"], "A701"),
        (["check", "none.yaml"], "A001"),
        (["check", "net.yaml", "--absent", "x"], "A423"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_address_or_setting_ends_with_2(run, words: list[str], code: str) -> None:
    ended = run(*words)
    assert ended.status == 2
    assert f"error[{code}]" in ended.out + ended.err


def test_a_wrong_spec_ends_with_1(run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "archc: 1\nblocks:\n  A:\n    inputs: {x: '[B, 4]'}\n    flow: {y: x -> nope}\n"
    )
    for command in ("check", "draw", "build", "summary", "run"):
        ended = run(command, "bad.yaml")
        assert ended.status == 1, command
        assert "bad.yaml:5:" in ended.out + ended.err


def test_standard_input(monkeypatch, run, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "archc", "check", "-"],
        input=(tmp_path / "net.yaml").read_text(),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("-: ok, 4 blocks")


def test_interrupt_ends_clean(monkeypatch, run) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("archc.cli.check.execute", interrupted)
    ended = run("check", "net.yaml")
    assert ended.status == 130
    assert ended.err == "archc: interrupted\n"


def test_a_closed_pipe_ends_clean(run, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "archc", "summary", "net.yaml"]
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=tmp_path)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141


@pytest.mark.skipif(sys.platform == "win32", reason="streams of POSIX")
@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (
            "draw net.yaml >/dev/full",
            1,
            "archc: standard output cannot be written: No space left on device\n",
        ),
        ("draw net.yaml >&-", 1, "archc: standard output cannot be written: it is closed\n"),
        ("draw net.yaml -o net.svg >&-", 0, ""),
        ("draw net.yaml -o net.bmp 2>&-", 2, ""),
    ],
)
def test_streams_that_take_nothing(run, tmp_path: Path, words: str, status: int, told: str) -> None:
    if "/dev/full" in words and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    line = ["sh", "-c", f"{sys.executable} -m archc {words}"]
    ended = subprocess.run(line, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)
    assert (ended.returncode, ended.stderr, ended.stdout) == (status, told, "")
    assert (tmp_path / "net.svg").exists() == (words == "draw net.yaml -o net.svg >&-")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_real_interrupt(run, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-m", "archc", "check", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=tmp_path,
    )
    assert process.stdin is not None
    # More than a pipe holds: that it is gone says that the command reads, and now waits for the rest.
    process.stdin.write(b"#" + b" " * 2**18)
    process.stdin.flush()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors


def test_no_colours_outside_a_terminal(run) -> None:
    assert "\033" not in run("check", "net.yaml", "-p", "ch=x").out


def test_main_takes_the_process_arguments(monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["archc", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("archc 0.")
