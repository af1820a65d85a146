# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Compares the stamps of images with the node's clock."""

from __future__ import annotations

from collections import deque
from statistics import median

# Ages of this many images are compared.
_KEPT = 30
# Clocks that are synchronised differ by less; what differs by more is no matter of synchronisation, seconds.
_AHEAD_S, _ANOTHER_S = 0.02, 60.0


class ClockCheck:
    """Takes the stamp of each image when it arrives."""

    def __init__(self) -> None:
        self._ages_s: deque[float] = deque(maxlen=_KEPT)
        self._zero = False

    def add(self, stamp_ns: int, now_ns: int) -> float:
        """Take a stamp and the node's clock; return the image's age, seconds."""
        age = 1e-9 * (now_ns - stamp_ns)
        self._zero = stamp_ns == 0
        self._ages_s.append(age)
        return age

    def problem(self) -> str:
        """Return what is wrong with the stamps, with the remedy, or an empty text."""
        if not self._ages_s:
            return ""
        if self._zero:
            return "images have the stamp 0; make the camera driver fill header.stamp"
        age = median(self._ages_s)
        if abs(age) > _ANOTHER_S:
            side = "ahead of" if age < 0.0 else "behind"
            return (
                f"stamps of images lie {abs(age):.0f} s {side} this node's clock: another clock, or a "
                "recording; for a recording set use_sim_time and publish /clock"
            )
        if age < -_AHEAD_S:
            return (
                f"stamps of images lie {-1e3 * age:.0f} ms in the future; synchronise the clocks of camera "
                "and computer (chrony, PTP)"
            )
        return ""
