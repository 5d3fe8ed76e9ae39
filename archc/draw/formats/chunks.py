"""Notes in a PNG file: chunks behind its header."""

from __future__ import annotations

import struct
import zlib

Chunk = tuple[bytes, bytes]
"""The four letters of a chunk, and what is in it."""
SOFTWARE: Chunk = (b"tEXt", b"Software\0Drawn by archc")
"""Who drew a picture."""


def with_chunks(picture: bytes, *chunks: Chunk) -> bytes:
    r"""A PNG with further chunks.

    >>> head = b"\x89PNG\r\n\x1a\n" + bytes(25)
    >>> with_chunks(head + b"rest", SOFTWARE)[33:].partition(b"tEXt")[2][:23]
    b'Software\x00Drawn by archc'
    """
    start = 8 + 12 + 13  # the signature, and the header with its 13 bytes
    return picture[:start] + b"".join(map(_written, chunks)) + picture[start:]


def _written(chunk: Chunk) -> bytes:
    name, content = chunk
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
