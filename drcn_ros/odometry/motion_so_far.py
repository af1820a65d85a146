# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How the camera has moved lately, and where it would be if it went on like that."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

from drcn_ros.geometry.rotation import rotation_matrix, rotation_vector
from drcn_ros.geometry.types import Array

# Steps that the speed is the median of, and the longest time that a motion is believed to go on, seconds.
_STEPS, _LONGEST_S = 6, 3.0


class MotionSoFar:
    """The last places of a camera with their times, poses as (4, 4) T_start_frame."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, Array]] = deque(maxlen=_STEPS + 1)

    def add(self, stamp_ns: int, pose: Array) -> None:
        """Note the place of the newest frame."""
        self._seen.append((stamp_ns, pose))

    def correct(self, pose: Array) -> None:
        """Give the newest frame another place: an adjustment has moved it."""
        self._seen[-1] = (self._seen[-1][0], pose)

    def seconds_since(self, stamp_ns: int) -> float:
        """Return how long ago the last place was noted."""
        return 1e-9 * (stamp_ns - self._seen[-1][0]) if self._seen else np.inf

    @property
    def last(self) -> Array | None:
        """The newest place (4, 4), or None."""
        return self._seen[-1][1] if self._seen else None

    @property
    def speed(self) -> float | None:
        """The median speed, units per second, or None while there is none."""
        seen = list(self._seen)
        speeds = [
            np.linalg.norm(pose[:3, 3] - before[:3, 3]) / (1e-9 * (stamp - earlier))
            for (earlier, before), (stamp, pose) in pairwise(seen)
        ]
        found = float(np.median(speeds)) if speeds else 0.0
        return found if found > 0.0 else None

    def ahead(self, stamp_ns: int) -> Array | None:
        """Return the pose (4, 4) if the last motion goes on, or None where nobody would expect that."""
        if len(self._seen) < 2 or self.seconds_since(stamp_ns) > _LONGEST_S:
            return None
        (earlier, before), (stamp, last) = self._seen[-2], self._seen[-1]
        steps = (stamp_ns - stamp) / (stamp - earlier)
        motion = np.linalg.inv(before) @ last
        part = np.eye(4)
        part[:3, :3] = rotation_matrix((steps % 1.0) * rotation_vector(motion[:3, :3]))
        part[:3, 3] = (steps % 1.0) * motion[:3, 3]
        ahead: Array = last @ np.linalg.matrix_power(motion, int(steps)) @ part
        return ahead
