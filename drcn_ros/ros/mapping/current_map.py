# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The map that the node keeps: replaced as a whole by a reset or by one that is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drcn_ros.errors import ConfigurationError
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


class CurrentMap:
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

    def __len__(self) -> int:
        return len(self.mapper)

    def add(self, frame: TrackedFrame) -> Placed | None:
        """Map a frame; return where it is, or None for one that is not younger than the last."""
        if frame.stamp_ns <= self._newest:
            return None
        self._newest = frame.stamp_ns
        if frame.points is not None and len(frame.points):
            self.without_descriptors = frame.points.descriptors.shape[1] == 0
        update = self.mapper.add(frame)
        if update.keyframe is not None or update.moved:
            self.version += 1
        return Placed(self.mapper.pose, self.mapper.map_from_odom) if len(self.mapper) else None

    def reset(self) -> None:
        """Begin a new map."""
        self._replace(Mapper(self._config))

    def save(self, folder: str) -> str:
        """Write the map; return what was done, in words.

        Raises:
            ConfigurationError: no folder is given.
            InputError: it cannot be written, or holds something else.
        """
        place = _given(folder)
        if not len(self.mapper):
            msg = "there is no keyframe yet, so there is no map to save"
            raise ConfigurationError(msg)
        self.mapper.save(place)
        return f"{len(self.mapper)} keyframes saved in {place}"

    def load(self, folder: str) -> str:
        """Take the map of a folder instead of the present one; return what was done, in words.

        Raises:
            ConfigurationError: no folder is given.
            InputError: there is no map, or it is damaged; then the present one stays.
        """
        place = _given(folder)
        self._replace(Mapper.load(place, self._config))
        return f"{len(self.mapper)} keyframes loaded from {place}"

    def values(self) -> dict[str, object]:
        """Return numbers that tell how large the map is."""
        if not len(self.mapper):
            return {"keyframes": 0, "loops": 0, "rejected_loops": 0, "compared": 0}
        graph = self.mapper.graph()
        return {
            "keyframes": len(self.mapper),
            "loops": len(graph.loops),
            "rejected_loops": len(graph.rejected),
            "compared": self.mapper.compared,
        }

    def _replace(self, mapper: Mapper) -> None:
        self.mapper = mapper
        self.version += 1
        self._newest = -1


def _given(folder: str) -> Path:
    if not folder:
        msg = "the parameter map_folder is empty; type: ros2 param set /map_node map_folder FOLDER"
        raise ConfigurationError(msg)
    return Path(folder).expanduser()
