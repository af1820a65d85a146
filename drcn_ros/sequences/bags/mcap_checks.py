# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checksums of mcap files that rosbags does not look at; those of chunks it does.

See the MCAP format specification, records "Data End" and "Footer".
"""

from __future__ import annotations

import struct
from binascii import crc32
from pathlib import Path
from typing import BinaryIO

_HEAD = struct.Struct("<BQ")
_FOOTER, _CHUNK, _DATA_END = 0x02, 0x06, 0x0F
_FOOTER_CONTENT = struct.Struct("<QQI")
_MAGIC_BYTES = 8
_BLOCK = 1 << 20


def mcap_problem(path: Path) -> str:
    """Return what of a file does not have its checksum, or an empty text; a file that is cut off has none."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        footer = size - _MAGIC_BYTES - _FOOTER_CONTENT.size - _HEAD.size
        if footer < _MAGIC_BYTES or _head_at(file, footer) != (_FOOTER, _FOOTER_CONTENT.size):
            return ""
        summary, _, checksum = _FOOTER_CONTENT.unpack(file.read(_FOOTER_CONTENT.size))
        # The checksum covers the footer too, up to itself.
        end = size - _MAGIC_BYTES - 4
        if summary and checksum and _checksum(file, summary, end) != checksum:
            return "its index does not have its checksum"
        return _problem_of_data(file, summary or footer)


def _problem_of_data(file: BinaryIO, end: int) -> str:
    """Look at the checksum of all data; with chunks each has its own."""
    place = _MAGIC_BYTES
    while place < end:
        kind, length = _head_at(file, place)
        if kind == _CHUNK:
            return ""
        if kind == _DATA_END:
            (checksum,) = struct.unpack("<I", file.read(4).ljust(4, b"\0"))
            # Writers begin at the start of the file or after the magic.
            right = not checksum or any(
                _checksum(file, start, place) == checksum for start in (0, _MAGIC_BYTES)
            )
            return "" if right else "its data do not have their checksum, so that messages may be wrong"
        place += _HEAD.size + length
    return ""


def _head_at(file: BinaryIO, place: int) -> tuple[int, int]:
    file.seek(place)
    kind, length = _HEAD.unpack(file.read(_HEAD.size).ljust(_HEAD.size, b"\0"))
    return kind, length


def _checksum(file: BinaryIO, start: int, end: int) -> int:
    file.seek(start)
    value = 0
    while start < end and (block := file.read(min(_BLOCK, end - start))):
        value = crc32(block, value)
        start += len(block)
    return value
