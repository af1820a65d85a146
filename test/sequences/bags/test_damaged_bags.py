# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bags with flipped bits, wrong checksums and chunks of zeros: what can be had comes, the rest is told."""

from __future__ import annotations

import struct
from binascii import crc32
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.foreign.unpacking import _zstd, unpack, unpack_file, unpack_start
from drcn_ros.sequences import open_sequence
from drcn_ros.sequences.bags.writer import Compression, Storage, write_bag

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


@pytest.mark.parametrize("kind", ["zstd", "bz2", "lz4"])
def test_what_is_packed_is_unpacked_up_to_a_limit(kind: str):
    import bz2

    import lz4.frame

    pack = {"zstd": _zstd.compress, "bz2": bz2.compress, "lz4": lz4.frame.compress}[kind]
    content = np.random.default_rng(0).bytes(5000) + bytes(5000)
    assert unpack(kind, pack(content)) == content
    assert unpack(kind, pack(content) + pack(content)) == content + content
    with pytest.raises(InputError, match="hold more than"):
        unpack(kind, pack(content), 9999)
    with pytest.raises(InputError, match="cut off"):
        unpack(kind, pack(content)[:-20])
    assert content.startswith(unpack_start(kind, pack(content)[:-20]))
    with pytest.raises(InputError, match="damaged"):
        unpack(kind, b"no packed data at all")
    assert unpack_start(kind, b"no packed data at all") == b""


def test_a_file_is_unpacked_whole_or_up_to_its_cut_but_not_without_end(tmp_path: Path):
    packed, plain = tmp_path / "a.zstd", tmp_path / "a"
    content = np.random.default_rng(0).bytes(3 << 20) + bytes(3 << 20)
    packed.write_bytes(_zstd.compress(content) + _zstd.compress(b"more"))
    assert unpack_file(packed, plain)
    assert plain.read_bytes() == content + b"more"
    packed.write_bytes(packed.read_bytes()[: 2 << 20])
    assert not unpack_file(packed, plain)
    assert content.startswith(plain.read_bytes())
    packed.write_bytes(zeros(1100))
    with pytest.raises(InputError, match="200 times its size"):
        unpack_file(packed, plain)


@pytest.mark.parametrize("storage", Storage)
@pytest.mark.parametrize("damage", ["flipped bit", "zeroed block", "cut off"])
def test_a_damaged_bag_gives_frames_or_one_line(tmp_path: Path, clip, storage: Storage, damage: str):
    write_bag(clip, tmp_path / "bag", storage=storage)
    path = next(file for file in (tmp_path / "bag").iterdir() if file.suffix in (".mcap", ".db3"))
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    for _ in range(12):
        data = bytearray(whole)
        # Half of the damage hits what describes the rest, which is little and at both ends.
        edge = int(random.choice([len(data), min(6000, len(data))]))
        place = int(random.integers(0, edge)) if random.random() < 0.7 else len(data) - edge
        if damage == "flipped bit":
            data[place] ^= 1 << int(random.integers(8))
        elif damage == "zeroed block":
            data[place : place + 512] = bytes(len(data[place : place + 512]))
        else:
            del data[max(place, 100) :]
        path.write_bytes(data)
        try:
            sequence = open_sequence(path)
            frames = list(sequence.frames())
        except InputError:
            continue
        assert len(frames) == len(clip) or sequence.notes.lines
