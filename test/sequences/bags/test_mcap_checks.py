# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""mcap files with wrong checksums, or chunks without end: what can be had comes, the rest is told."""

from __future__ import annotations

import struct
from binascii import crc32
from pathlib import Path

import pytest

from drcn_ros.errors import InputError
from drcn_ros.foreign.unpacking import _zstd
from drcn_ros.sequences import open_sequence
from drcn_ros.sequences.bags.writer import Compression, write_bag

FOOTER = 9 + 20 + 8


def zeros(megabytes: int) -> bytes:
    """Return so many zeros, packed."""
    packer = _zstd.ZstdCompressor()
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


@pytest.fixture
def bag(tmp_path: Path, clip) -> Path:
    """An mcap file with one packed chunk whose checksums are those of its content."""
    write_bag(clip, tmp_path / "bag", compression=Compression.STORAGE)
    path = tmp_path / "bag" / "bag.mcap"
    data = bytearray(path.read_bytes())
    for place in chunks(data):
        size, name_bytes = struct.unpack_from("<QI", data, place + 9 + 16)[0], 4 + 4
        assert data[place + 9 + 32 : place + 9 + 36] == b"zstd"
        start = place + 9 + 28 + name_bytes + 8
        (packed,) = struct.unpack_from("<Q", data, start - 8)
        content = _zstd.decompress(bytes(data[start : start + packed]))
        assert len(content) == size
        struct.pack_into("<I", data, place + 9 + 24, crc32(content))
    (summary,) = struct.unpack_from("<Q", data, len(data) - FOOTER + 9)
    struct.pack_into("<I", data, len(data) - 12, crc32(data[summary : len(data) - 12]))
    path.write_bytes(data)
    return path


def chunks(data: bytes) -> list[int]:
    """Return where the chunks of an mcap file begin."""
    place, found = 8, []
    while data[place] != 0x0F:
        if data[place] == 0x06:
            found.append(place)
        place += 9 + struct.unpack_from("<Q", data, place + 1)[0]
    return found


def changed(path: Path, place: int, content: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[place : place + len(content)] = content
    path.write_bytes(data)


def test_right_checksums_are_no_word_worth(bag: Path, clip, assert_same):
    sequence = open_sequence(bag)
    assert_same(sequence)
    assert sequence.notes.lines == []


def test_a_chunk_without_its_checksum_is_told(bag: Path, clip):
    data = bag.read_bytes()
    last = chunks(data)[-1]
    changed(bag, last + 9 + 24, b"\x01\x02\x03\x04")
    sequence = open_sequence(bag)
    assert len(list(sequence.frames())) < len(clip)
    assert any("checksum mismatch" in line for line in sequence.notes.lines)
    assert any(line.startswith("the bag announces 8 images") for line in sequence.notes.lines)


def test_an_index_without_its_checksum_is_told_and_not_believed(bag: Path, assert_same):
    data = bag.read_bytes()
    (summary,) = struct.unpack_from("<Q", data, len(data) - FOOTER + 9)
    changed(bag, summary + 40, bytes([data[summary + 40] ^ 1]))
    sequence = open_sequence(bag)
    assert_same(sequence)
    assert "bag.mcap is damaged: its index does not have its checksum" in sequence.notes.lines


def test_a_chunk_that_unpacks_to_more_than_any_is_not_unpacked(bag: Path):
    data = bag.read_bytes()
    place = chunks(data)[0]
    packed = zeros(600)
    assert len(packed) < 100_000
    content = data[place + 9 : place + 9 + 16] + struct.pack("<QII", 600 << 20, 0, 4) + b"zstd"
    content += struct.pack("<Q", len(packed)) + packed
    bomb = data[:place] + struct.pack("<BQ", 6, len(content)) + content
    bag.write_bytes(bomb + struct.pack("<BQ", 2, 20) + bytes(20) + data[:8])
    with pytest.raises(InputError):
        open_sequence(bag)
