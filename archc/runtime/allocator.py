"""What the C library does with memory that was freed: give it back, or keep it for the next call.

By default glibc maps each large tensor anew and gives its pages back at once: the system clears the same
pages again in every call. On a CPU that may be a third of a model's time.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_MAPPED_FROM = (1 << 30, 1 << 25)
"""The size from which memory is mapped apart: the largest of these that glibc takes, which in some versions
is half of a thread's heap."""
_LARGEST_INT = 2**31 - 1


def can_keep() -> bool:
    """Is the C library glibc, which can be told so? It is on most Linux systems."""
    return _glibc() is not None


def keep_freed_memory() -> bool:
    """Let this process keep the memory that tensors free, for those that come next; was that possible?

    The process then holds as much as it ever held at once, and a call takes no new pages of the system: on a
    CPU it gets faster, the more so the larger its tensors are. The values of tensors are the same. It holds
    until the process ends, and only with glibc.
    """
    library = _glibc()
    if library is None:
        return False
    mapped = any(library.mallopt(_M_MMAP_THRESHOLD, size) for size in _MAPPED_FROM)
    return bool(mapped and library.mallopt(_M_TRIM_THRESHOLD, _LARGEST_INT))


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
