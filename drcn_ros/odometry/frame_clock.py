# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One rule for the stamps of frames: a late frame is left out, a clock that stays elsewhere starts anew."""

from __future__ import annotations

from enum import Enum

# A clock has gone back when so many frames in a row are older than one before them; fewer were only late.
_STAYS = 3


class Timing(Enum):
    """How a frame's stamp follows those before it."""

    NEXT = "next"
    LATE = "late"
    JUMP = "jump"


class FrameClock:
    """Takes the stamps of frames as they come."""

    def __init__(self) -> None:
        self._newest_ns: int | None = None
        self._behind = 0

    def clear(self) -> None:
        """Forget all stamps."""
        self._newest_ns, self._behind = None, 0

    def lateness(self, stamp_ns: int) -> float:
        """Return by how many seconds a stamp is older than the newest one."""
        return 0.0 if self._newest_ns is None else 1e-9 * (self._newest_ns - stamp_ns)

    def add(self, stamp_ns: int, max_gap: float) -> Timing:
        """Return how a stamp follows; `max_gap` is the longest step ahead, seconds."""
        newest = self._newest_ns
        if newest is not None and stamp_ns < newest:
            self._behind += 1
            if self._behind < _STAYS:
                return Timing.LATE
        self._newest_ns, self._behind = stamp_ns, 0
        if newest is None or 0.0 <= 1e-9 * (stamp_ns - newest) <= max_gap:
            return Timing.NEXT
        return Timing.JUMP
