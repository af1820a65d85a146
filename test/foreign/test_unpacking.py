# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is packed is unpacked up to a limit, whole or up to where it is cut."""

from __future__ import annotations

import bz2
from pathlib import Path

import lz4.frame
import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.foreign.unpacking import _zstd, unpack, unpack_file, unpack_start


def zeros(megabytes: int) -> bytes:
    """Return so many zeros, packed."""
    packer = _zstd.ZstdCompressor()
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


@pytest.mark.parametrize("kind", ["zstd", "bz2", "lz4"])
def test_what_is_packed_is_unpacked_up_to_a_limit(kind: str):
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
