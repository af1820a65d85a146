# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Unpacks zstd, lz4 and bz2 up to a limit: some kilobytes can unpack to more than a machine holds."""

from __future__ import annotations

import bz2
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame  # type: ignore[import-untyped]

from drcn_ros.errors import InputError
from drcn_ros.foreign.guard import first_line

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# No chunk of a bag and no message is larger.
LARGEST_PART = 1 << 28
# A whole file may be, unless it unpacks to more times its size than recorded images do.
_LARGE_FILE, _LARGEST_RATIO = 1 << 30, 200
_BLOCK = 1 << 20

# rosbags brings the backport where the standard library has none.
_zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

Unpacker = Callable[[], Any]
UNPACKERS: dict[str, Unpacker] = {
    "zstd": _zstd.ZstdDecompressor,
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "bz2": bz2.BZ2Decompressor,
}


def unpack(kind: str, data: bytes, limit: int = LARGEST_PART) -> bytes:
    """Return what a packed part holds.

    Args:
        kind: of packing, as in `UNPACKERS`.
        data: one or several packed streams, one after another.
        limit: bytes that it may hold.

    Raises:
        InputError: it holds more, is cut off or damaged.
    """
    content, whole = _unpacked(kind, data, limit)
    if not whole:
        msg = f"packed data ({kind}) are cut off"
        raise InputError(msg)
    return content


def unpack_start(kind: str, data: bytes, limit: int = LARGEST_PART) -> bytes:
    """Return what can be had of a packed part that is cut off; nothing where it is damaged."""
    try:
        return _unpacked(kind, data, limit)[0]
    except InputError:
        return b""


def unpack_file(source: Path, target: Path) -> bool:
    """Write what a file that is packed by zstd holds; return False when it is cut off or damaged.

    Raises:
        InputError: it holds far more than recordings do.
        OSError: a file cannot be read or written.
    """
    most = max(_LARGE_FILE, _LARGEST_RATIO * source.stat().st_size)
    written = 0
    unpacker = UNPACKERS["zstd"]()
    with source.open("rb") as packed, target.open("wb") as plain:
        rest = b""
        while True:
            block = rest or packed.read(_BLOCK)
            if not block and unpacker.needs_input:
                return bool(unpacker.eof)
            try:
                part = unpacker.decompress(b"" if not unpacker.needs_input else block, max_length=_BLOCK)
            except _zstd.ZstdError:
                return False
            rest = b""
            written += plain.write(part)
            if written > most:
                msg = f"{source} unpacks to more than {most >> 20} MB, {_LARGEST_RATIO} times its size"
                raise InputError(msg)
            if unpacker.eof:
                rest = unpacker.unused_data or packed.read(_BLOCK)
                if not rest:
                    return True
                unpacker = UNPACKERS["zstd"]()


def _unpacked(kind: str, data: bytes, limit: int) -> tuple[bytes, bool]:
    """Return the content, and whether all of it is there."""
    content = bytearray()
    while True:
        unpacker = UNPACKERS[kind]()
        try:
            content += unpacker.decompress(data, max_length=limit + 1 - len(content))
        except Exception as error:  # each library has its own, and lz4 more than one
            msg = f"packed data ({kind}) are damaged: {first_line(error)}"
            raise InputError(msg) from None
        if len(content) > limit:
            msg = f"packed data ({kind}) of {len(data)} bytes hold more than {limit >> 20} MB"
            raise InputError(msg)
        data = unpacker.unused_data or b""
        if not unpacker.eof or not data:
            return bytes(content), bool(unpacker.eof)
