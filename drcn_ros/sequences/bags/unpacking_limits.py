# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Lets rosbags unpack the chunks of bags up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from rosbags.rosbag1 import reader as rosbag1
from rosbags.rosbag2 import storage_mcap

from drcn_ros.errors import InputError
from drcn_ros.foreign.unpacking import LARGEST_PART, unpack


@lru_cache(maxsize=1)
def limit_unpacking() -> None:
    """Put our own into the tables in which rosbags looks for what unpacks a kind of chunk."""
    mcap: dict[str, Callable[..., Any]] = storage_mcap.DECOMPRESSORS
    bag: dict[str, Callable[..., Any]] = rosbag1.decompressors
    for kind in ("zstd", "lz4"):
        mcap[kind] = partial(_of_size, kind)
    for kind in ("bz2", "lz4"):
        bag[kind] = partial(unpack, kind)


def _of_size(kind: str, data: bytes, size: int) -> bytes:
    """Return what a chunk holds that says of itself how much that is."""
    if size > LARGEST_PART:
        msg = (
            f"a chunk of {len(data)} bytes is to hold {size >> 20} MB; at most {LARGEST_PART >> 20} are read"
        )
        raise InputError(msg)
    return unpack(kind, data, size)
