# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The covariance of the motion between any two frames, from each frame's motion since its reference."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import UncertainPose, compose, inverse

# Frames that are remembered, and references that are followed back from each.
_MEMORY, _LONGEST = 4000, 400


class Motions:
    """Remembers each frame's reference and motion, which form a tree, and composes along it."""

    def __init__(self) -> None:
        self._steps: OrderedDict[int, tuple[int, UncertainPose] | None] = OrderedDict()

    def add(self, stamp_ns: int, reference_ns: int | None, step: UncertainPose | None) -> None:
        """Take a frame; without a reference or a step it has no place in the tree."""
        known = reference_ns is not None and step is not None and reference_ns != stamp_ns
        self._steps[stamp_ns] = (reference_ns, step) if known else None  # type: ignore[assignment]
        if len(self._steps) > _MEMORY:
            self._steps.popitem(last=False)

    def clear(self) -> None:
        """Forget all frames."""
        self._steps.clear()

    def between(self, first_ns: int, second_ns: int) -> UncertainPose | None:
        """Return the motion from one frame to another, or None where no references join them.

        Both ways end at the youngest frame that lies on both; steps before it are common and do not count.
        """
        back = self._way(first_ns)
        forth = self._way(second_ns)
        common = next((stamp for stamp in forth if stamp in back), None)
        if common is None:
            return None
        return compose(inverse(self._along(common, first_ns)), self._along(common, second_ns))

    def _way(self, stamp_ns: int) -> dict[int, None]:
        """Return the frame, its reference, that one's reference and so on, in this order."""
        way = {stamp_ns: None}
        entry = self._steps.get(stamp_ns)
        while entry is not None and entry[0] not in way and len(way) < _LONGEST:
            way[entry[0]] = None
            entry = self._steps.get(entry[0])
        return way

    def _along(self, start_ns: int, stamp_ns: int) -> UncertainPose:
        """Return the motion from a frame to one whose way back leads over it."""
        motion = UncertainPose(np.eye(4), np.zeros((6, 6)))
        while stamp_ns != start_ns:
            entry = self._steps[stamp_ns]
            assert entry is not None
            motion = compose(entry[1], motion)
            stamp_ns = entry[0]
        return motion


def at_least(covariance: Array, length: float, part: float, angle: float) -> Array:
    """Return a covariance (6, 6) with a floor, so that no step counts as exact.

    Args:
        covariance: in ROS's order.
        length: of the step.
        part: least standard deviation of the translation, as a part of the length.
        angle: least standard deviation of the rotation, radians.
    """
    floor = np.diag([(part * length) ** 2] * 3 + [angle**2] * 3)
    result: Array = covariance + floor
    return result


def at_most(covariance: Array, length: float, part: float) -> Array:
    """Return a covariance (6, 6) that knows how long a step can be.

    The first steps of a segment have a length only because they are the unit, and tell a deviation many
    times as long: taken at its word, a wrong loop could put the camera anywhere.

    Args:
        covariance: in ROS's order.
        length: of the step.
        part: what is known beforehand: standard deviation of the translation over the length.
    """
    known = covariance[:3, :3] + (part * length) ** 2 * np.eye(3)
    gain = np.linalg.solve(known, covariance[:3, :]).T
    less = covariance - gain @ covariance[:3, :]
    result: Array = 0.5 * (less + less.T)
    return result
