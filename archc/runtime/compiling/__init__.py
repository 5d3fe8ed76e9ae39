"""Compilation by block: each distinct block once, all its copies with the same code.

`select` says which blocks, `signature` which of them are one, `sizes` what may differ from call to call,
`shared` compiles and calls, `record` tells what was compiled and why.

Nothing here needs more than torch: what archc knows of a spec comes in as plain data.
"""

from archc.runtime.compiling.record import Compilation
from archc.runtime.compiling.select import compilations, compile_blocks, compile_whole

__all__ = ["Compilation", "compilations", "compile_blocks", "compile_whole"]
