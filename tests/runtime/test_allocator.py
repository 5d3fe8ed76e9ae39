"""Memory that is kept: in a process of its own, since it cannot be undone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from archc.runtime import allocator

CODE = """
import resource, sys, torch
from archc.runtime.allocator import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if "keep" in sys.argv:
    assert keep_freed_memory()
for _ in range(10):
    torch.ones(10 << 20)  # glibc puts a few aside before it takes one again
before = faults()
for _ in range(4):
    torch.ones(10 << 20)
print(faults() - before)
"""
PAGES = 4 * 10240
"""Of four tensors of 40 MiB, where pages are of 4 KiB."""


def faults(*words: str) -> int:
    """How many pages a process asked the system for, in calls that it had made before."""
    ended = subprocess.run([sys.executable, "-c", CODE, *words], capture_output=True, text=True, check=True)
    return int(ended.stdout)


def test_no_pages_are_asked_for_again() -> None:
    if not allocator.can_keep():
        pytest.skip("the C library is not glibc")
    assert faults("keep") < PAGES // 100


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_glibc", lambda: None)
    assert not allocator.can_keep() and not allocator.keep_freed_memory()
