# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Zstandard, wherever this Python keeps it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

MAGIC = b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 20

# rosbags brings the backport where the standard library has none.
_zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

Error: type[Exception] = _zstd.ZstdError


def decompress(data: bytes) -> bytes:
    """Return the content of one compressed block."""
    content: bytes = _zstd.decompress(data)
    return content


def decompress_start(data: bytes) -> bytes:
    """Return what can be had of a compressed block that is cut off."""
    content: bytes = _zstd.ZstdDecompressor().decompress(data)
    return content


def decompress_file(source: Path, target: Path) -> bool:
    """Write the content of a compressed file; return False when it is cut off or damaged."""
    decompressor = _zstd.ZstdDecompressor()
    with source.open("rb") as compressed, target.open("wb") as plain:
        while True:
            block = compressed.read(_BLOCK)
            if not block:
                return bool(decompressor.eof)
            try:
                plain.write(decompressor.decompress(block))
                while decompressor.eof and decompressor.unused_data:
                    rest = decompressor.unused_data
                    decompressor = _zstd.ZstdDecompressor()
                    plain.write(decompressor.decompress(rest))
            except Error:
                return False
