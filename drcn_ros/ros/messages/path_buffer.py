# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The accumulated poses as the serialised form of `nav_msgs/Path`.

A path of 5000 message objects takes hundreds of milliseconds to build and serialise, on each publication; as
an array in the layout of the wire it takes one or two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array
from drcn_ros.ros.messages import cdr
from drcn_ros.ros.messages.convert import NANOSECONDS, quaternion

_DOUBLES = 7


class PathBuffer:
    """Keeps the last poses.

    Args:
        capacity: poses kept; older ones go.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        # Twice as large as needed, so that making room is rare.
        self._stamps = np.zeros((2 * capacity, 2), "<i4")
        self._poses = np.zeros((2 * capacity, _DOUBLES), "<f8")
        self._first = self._end = 0

    def __len__(self) -> int:
        return self._end - self._first

    def clear(self) -> None:
        """Forget all poses."""
        self._first = self._end = 0

    def append(self, stamp_ns: int, pose: Array) -> None:
        """Add a pose (4, 4)."""
        if self._end == len(self._stamps):
            count = len(self)
            for rows in (self._stamps, self._poses):
                rows[:count] = rows[self._first : self._end].copy()
            self._first, self._end = 0, count
        self._stamps[self._end] = _seconds(stamp_ns)
        self._poses[self._end, :3] = pose[:3, 3]
        self._poses[self._end, 3:] = quaternion(pose[:3, :3])
        self._end += 1
        self._first = max(self._first, self._end - self._capacity)

    def resized(self, capacity: int) -> PathBuffer:
        """Return a buffer of another capacity with the same last poses."""
        result = PathBuffer(capacity)
        kept = slice(max(self._first, self._end - capacity), self._end)
        result._end = kept.stop - kept.start
        result._stamps[: result._end] = self._stamps[kept]
        result._poses[: result._end] = self._poses[kept]
        return result

    def serialised(self, frame_id: str) -> bytes:
        """Return the message, its header with the last pose's stamp; the buffer must not be empty."""
        name = cdr.text(frame_id)
        stamps, poses = self._stamps[self._first : self._end], self._poses[self._first : self._end]
        head = stamps[-1].tobytes() + name + cdr.integer(len(stamps))
        # The first pose begins where the head ends, the others where the doubles of the one before end.
        begin = head + _records(stamps[:1], poses[:1], name, len(head))
        return cdr.LITTLE_ENDIAN + begin + _records(stamps[1:], poses[1:], name, 0)


def _records(stamps: NDArray[np.int32], poses: Array, name: bytes, offset: int) -> bytes:
    padding = -(offset + 8 + len(name)) % 8
    fields = np.dtype(
        [("stamp", "<i4", (2,)), ("text", f"V{len(name) + padding}"), ("pose", "<f8", (_DOUBLES,))]
    )
    rows = np.zeros(len(stamps), fields)
    rows["stamp"], rows["pose"] = stamps, poses
    rows["text"] = np.void(name + bytes(padding))
    return rows.tobytes()


def _seconds(stamp_ns: int) -> tuple[int, int]:
    return stamp_ns // NANOSECONDS, stamp_ns % NANOSECONDS
