# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Points of the scene with what is known of them, as others may take them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class MapPoints:
    """Points with their uncertainty.

    Attributes:
        points: (N, 3).
        variance: (N,) of the distance along the ray of the frame in which the point was first seen, squared
            unit of the points; across that ray a point is known to a part of a pixel.
        ids: (N,) uint32, the track of the point in that frame; no two are equal.
        observations: (N,) uint32, keyframes that the point rests on.
    """

    points: Array
    variance: Array
    ids: NDArray[np.uint32]
    observations: NDArray[np.uint32]

    @classmethod
    def none(cls) -> MapPoints:
        """Return no point."""
        ids = np.zeros(0, np.uint32)
        return cls(np.zeros((0, 3)), np.zeros(0), ids, ids)

    def __len__(self) -> int:
        return len(self.ids)

    def moved(self, pose: Array, scale: float = 1.0) -> MapPoints:
        """Return the points scaled and then moved by a pose (4, 4)."""
        points = scale * self.points @ pose[:3, :3].T + pose[:3, 3]
        return replace(self, points=points, variance=scale**2 * self.variance)
