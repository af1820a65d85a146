# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags without an index: cut off, or left open by a recorder that was killed.

A bag is a list of records, each a header (fields `name=value`) and data with their lengths; messages lie in
chunks, which are again lists of records (ROS wiki, "Bags/Format/2.0").
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from drcn_ros.errors import InputError
from drcn_ros.foreign.unpacking import unpack_start
from drcn_ros.sequences.bags.bag import Topic

_MESSAGE, _CHUNK, _CONNECTION = 0x02, 0x05, 0x07
_UINT32 = struct.Struct("<I")


class CutRosbag1:
    """Reads every whole message of a bag in the order of the file.

    Raises:
        InputError: no message is whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._types: dict[int, tuple[str, str]] = {}
        self._counts: dict[int, int] = {}
        for number, _, _ in self._messages():
            self._counts[number] = self._counts.get(number, 0) + 1
        if not self._counts:
            msg = f"bag {path} is damaged: it holds no whole message"
            raise InputError(msg)

    def topics(self) -> list[Topic]:
        """Return the topics with the number of their messages before the cut."""
        known = (number for number in self._counts if number in self._types)
        return [Topic(*self._types[number], self._counts[number]) for number in known]

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and data in ROS 1 form of each message before the cut."""
        for number, time_ns, data in self._messages():
            name = self._types.get(number, ("", ""))[0]
            if name in topics:
                yield name, time_ns, data

    def _messages(self) -> Iterator[tuple[int, int, bytes]]:
        with self._path.open("rb") as file:
            file.readline()
            for header, data in _records(file):
                if header.get("op") != bytes([_CHUNK]):
                    continue
                yield from self._chunk(_uncompressed(header.get("compression", b"none"), data))

    def _chunk(self, content: bytes) -> Iterator[tuple[int, int, bytes]]:
        for header, data in _split(content):
            # A record that lacks what it needs is damaged; the next one may be whole.
            with suppress(KeyError, IndexError, struct.error, UnicodeDecodeError):
                kind = header["op"][0]
                if kind not in (_CONNECTION, _MESSAGE):
                    continue
                number = _UINT32.unpack(header["conn"])[0]
                if kind == _CONNECTION:
                    name = _fields(data).get("type", b"").decode()
                    package, _, message = name.partition("/")
                    self._types[number] = (header["topic"].decode(), f"{package}/msg/{message}")
                else:
                    seconds, nanoseconds = struct.unpack("<II", header["time"])
                    yield number, seconds * 1_000_000_000 + nanoseconds, data


def _records(file: BinaryIO) -> Iterator[tuple[dict[str, bytes], bytes]]:
    """Yield header and data of each record; the data of the last one may be cut off."""
    while True:
        header = _sized(file)
        data = None if header is None else _sized(file, whole=False)
        if header is None or data is None:
            return
        yield _fields(header), data


def _sized(file: BinaryIO, whole: bool = True) -> bytes | None:
    """Read a part that begins with its length; None at the end, or when it is cut off and must be whole."""
    length = file.read(_UINT32.size)
    if len(length) < _UINT32.size:
        return None
    size = _UINT32.unpack(length)[0]
    part = file.read(size)
    return None if whole and len(part) < size else part


def _split(content: bytes) -> Iterator[tuple[dict[str, bytes], bytes]]:
    """Yield header and data of each whole record of a chunk."""
    chunk = io.BytesIO(content)
    while True:
        header = _sized(chunk)
        data = None if header is None else _sized(chunk)
        if header is None or data is None:
            return
        yield _fields(header), data


def _fields(header: bytes) -> dict[str, bytes]:
    fields: dict[str, bytes] = {}
    position = 0
    while position + 4 <= len(header):
        size = _UINT32.unpack_from(header, position)[0]
        name, _, value = header[position + 4 : position + 4 + size].partition(b"=")
        fields[name.decode(errors="replace")] = value
        position += 4 + size
    return fields


def _uncompressed(compression: bytes, data: bytes) -> bytes:
    """Return the content of a chunk as far as it can be had."""
    if compression in (b"bz2", b"lz4"):
        return unpack_start(compression.decode(), data)
    return data
