# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The map that the node keeps: replaced as a whole by a reset or by one that is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace

from drcn_ros.geometry.types import Array
from drcn_ros.mapping import Mapper, MappingConfig, TrackedFrame


@dataclass(frozen=True)
class Placed:
    """Where a frame is in the map.

    Attributes:
        pose: (4, 4) T_map_camera.
        correction: (4, 4) T_map_odom.
    """

    pose: Array
    correction: Array


class MapState:
    """One map at a time. Not for several threads at once.

    Args:
        config: of the map.

    Raises:
        MissingDependencyError: GTSAM is not installed.
    """

    def __init__(self, config: MappingConfig) -> None:
        self._config = config
        self.mapper = Mapper(config)
        # Grows whenever there is something new to show.
        self.version = 0
        self.without_descriptors = False
        self._newest = -1
        self._first_segment: int | None = None
        self._segments = 0

    def __len__(self) -> int:
        return len(self.mapper)

    def add(self, frame: TrackedFrame) -> Placed | None:
        """Map a frame; return where it is, or None for one that is not younger than the last."""
        if frame.stamp_ns <= self._newest:
            return None
        self._newest = frame.stamp_ns
        if frame.points is not None and len(frame.points):
            self.without_descriptors = frame.points.descriptors.shape[1] == 0
        # The odometry counts its restarts from its own start; those of the map go on from what it holds.
        if self._first_segment is None:
            self._first_segment = frame.segment
        own = frame.segment - self._first_segment + self._segments
        update = self.mapper.add(replace(frame, segment=own))
        if update.keyframe is not None or update.moved:
            self.version += 1
        if not len(self.mapper):
            return None
        return Placed(self.mapper.pose, self.mapper.map_from_odom)

    def reset(self) -> None:
        """Begin a new map."""
        self._replace(Mapper(self._config))

    def values(self) -> dict[str, object]:
        """Return numbers that tell how large the map is."""
        if not len(self.mapper):
            return {"keyframes": 0, "loops": 0, "rejected_loops": 0}
        graph = self.mapper.graph()
        return {
            "keyframes": len(self.mapper),
            "loops": len(graph.loops),
            "rejected_loops": len(graph.rejected),
        }

    def _replace(self, mapper: Mapper) -> None:
        self.mapper = mapper
        self.version += 1
        self._newest = -1
        self._first_segment = None
