"""The C++ compiler that torch's compilers ask for, and whether it is there."""

from __future__ import annotations

NO_COMPILER = "torch.compile needs a C++ compiler and finds none; install g++"


def lacks_compiler(error: Exception) -> bool:
    """Is it the C++ compiler that torch did not find?"""
    told = f"{type(error).__name__} {error}"
    return "InvalidCxxCompiler" in told or "No working C++ compiler" in told
