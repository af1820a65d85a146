# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What can be seen of a map: its path, its graph, its points. Copies; the map goes on without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class MapPath:
    """Poses in the map, in order of time.

    Attributes:
        stamps_ns: (N,) int64.
        poses: (N, 4, 4) T_map_camera, optical frame.
        segments: (N,) int64, restarts of the odometry before each.
    """

    stamps_ns: NDArray[np.int64]
    poses: Array
    segments: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.stamps_ns)


@dataclass(frozen=True)
class GraphView:
    """The pose graph as one draws it.

    Attributes:
        poses: (N, 4, 4) T_map_camera of the keyframes.
        scales: (N,) units of the map to one of the odometry at each keyframe.
        odometry: (M, 2) int64, pairs of keyframes joined by the odometry.
        loops: (K, 2) int64, pairs joined by a loop that holds.
        rejected: (L, 2) int64, pairs whose loop contradicts the others.
    """

    poses: Array
    scales: Array
    odometry: NDArray[np.int64]
    loops: NDArray[np.int64]
    rejected: NDArray[np.int64]


@dataclass(frozen=True)
class PointsView:
    """Points of the scene.

    Attributes:
        points: (N, 3) in the map.
        keyframes: (N,) int64, the keyframe that each is taken from.
    """

    points: Array
    keyframes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.points)
