# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""mcap files that end in the middle, shown to a reader as if they had been closed after the last record.

Layout: magic, records (one byte kind, eight bytes length, content), footer, magic; see the MCAP format
specification, section "File structure".
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any, BinaryIO, cast

from drcn_ros.errors import InputError
from drcn_ros.foreign.unpacking import unpack_start

MAGIC = b"\x89MCAP0\r\n"
_HEAD = struct.Struct("<BQ")
# Before its compression's name, a chunk has two stamps, its size and a checksum.
_CHUNK_START = struct.Struct("<QQQI")
_FOOTER, _CHUNK, _DATA_END = 0x02, 0x06, 0x0F
# A footer without a summary makes readers scan the records.
_TAIL = _HEAD.pack(_FOOTER, 20) + bytes(20) + MAGIC


class MendedFile:
    """A path whose content is the intact beginning of a file and an end; of the last chunk what is left.

    It has what rosbags asks of a path.

    Raises:
        InputError: not even one record is intact.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.suffix = path.suffix
        self._length, rest = _intact(path)
        self._tail = rest + _TAIL

    def __str__(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        """Whether the file exists."""
        return True

    def is_dir(self) -> bool:
        """Whether this is a folder, which it never is."""
        return False

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open the mended content for reading."""
        file = cast("BinaryIO", self._path.open(mode))
        return io.BufferedReader(_Spliced(file, self._length, self._tail))


class _Spliced(io.RawIOBase):
    """The first bytes of a file, then a tail."""

    def __init__(self, file: BinaryIO, length: int, tail: bytes) -> None:
        super().__init__()
        self._file, self._length, self._tail = file, length, tail
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length + len(self._tail)}
        self._position = max(0, start[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position < self._length:
            self._file.seek(self._position)
            data = self._file.read(min(len(buffer), self._length - self._position))
        else:
            start = self._position - self._length
            data = self._tail[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _intact(path: Path) -> tuple[int, bytes]:
    """Return the end of the last whole record, and the whole records of a chunk that is cut after it."""
    size = path.stat().st_size
    end, rest = len(MAGIC), b""
    with path.open("rb") as file:
        whole = file.read(len(MAGIC)) == MAGIC
        while whole:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                break
            kind, length = _HEAD.unpack(head)
            if kind == _CHUNK and end + _HEAD.size + length > size:
                rest = _whole_records(_partial_chunk(file.read()))
            if kind in (_FOOTER, _DATA_END) or end + _HEAD.size + length > size:
                break
            end += _HEAD.size + length
            file.seek(end)
    if end == len(MAGIC):
        msg = f"bag file {path} is damaged: it holds no whole record"
        raise InputError(msg)
    return end, rest


def _partial_chunk(content: bytes) -> bytes:
    """Return what can be uncompressed of a chunk's content that is cut off."""
    name_start = _CHUNK_START.size + 4
    if len(content) < name_start + 12:
        return b""
    name_length = int.from_bytes(content[_CHUNK_START.size : name_start], "little")
    name = content[name_start : name_start + name_length]
    data = content[name_start + name_length + 8 :]
    if name in (b"zstd", b"lz4"):
        return unpack_start(name.decode(), data)
    return data if not name else b""


def _whole_records(content: bytes) -> bytes:
    end = 0
    while end + _HEAD.size <= len(content):
        length = _HEAD.unpack_from(content, end)[1]
        if end + _HEAD.size + length > len(content):
            break
        end += _HEAD.size + length
    return content[:end]
