# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The map: frames of the odometry in, a corrected path out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping.config import MappingConfig
from drcn_ros.mapping.keyframes import Keyframe, is_apart, keyframe_of
from drcn_ros.mapping.motions import Motions, at_least
from drcn_ros.mapping.pose_graph import PoseGraph
from drcn_ros.mapping.similarity import Similarity
from drcn_ros.mapping.types import Loop, TrackedFrame
from drcn_ros.mapping.views import GraphView, MapPath

# Least deviations of a step: a part of its length, and radians.
_LEAST_PART, _LEAST_ANGLE = 2e-3, 1e-4
# Those of a step without a covariance, and between two segments of which nothing is known.
_UNKNOWN_PART, _UNKNOWN_ANGLE = 0.05, 0.01
_APART, _APART_ANGLE, _APART_SCALE = 1e3, 3.0, 3.0
_METRIC_SCALE = 1e-4


@dataclass(frozen=True)
class Update:
    """What a frame changed.

    Attributes:
        keyframe: number of the keyframe that it became, or None.
        loops: found at it; whether they hold is in `Mapper.graph`.
        moved: whether earlier keyframes have moved.
    """

    keyframe: int | None = None
    loops: tuple[Loop, ...] = ()
    moved: bool = False


class Mapper:
    """Keeps keyframes and the graph that joins them. Not for several threads at once.

    Args:
        config: of the map.

    Raises:
        MissingDependencyError: GTSAM is not installed.
    """

    def __init__(self, config: MappingConfig | None = None) -> None:
        self._config = config or MappingConfig()
        self._keyframes: list[Keyframe] = []
        self._graph = PoseGraph()
        self._motions = Motions()
        # Of each frame: its stamp, its keyframe, and its pose in that keyframe's axes and unit.
        self._frames: list[tuple[int, int, Array]] = []
        self._last: TrackedFrame | None = None

    def __len__(self) -> int:
        return len(self._keyframes)

    def add(self, frame: TrackedFrame) -> Update:
        """Take the next frame; one that is not younger than all before is left out."""
        if self._last is not None and frame.stamp_ns <= self._last.stamp_ns:
            return Update()
        if self._last is not None and frame.segment != self._last.segment:
            self._motions.clear()
        self._motions.add(frame.stamp_ns, frame.reference_stamp_ns, frame.step)
        update = self._take_keyframe(frame)
        if self._keyframes and self._keyframes[-1].segment == frame.segment:
            within = invert(self._keyframes[-1].pose) @ frame.pose
            self._frames.append((frame.stamp_ns, len(self._keyframes) - 1, within))
            self._last = frame
        return update

    def finish(self) -> Update:
        """Close what is still open, at the end of a run."""
        return Update()

    @property
    def pose(self) -> Array:
        """T_map_camera (4, 4) of the newest frame."""
        if not self._frames:
            return np.eye(4)
        _, keyframe, within = self._frames[-1]
        return (self._graph.estimates[keyframe] @ Similarity.of_pose(within)).pose()

    @property
    def map_from_odom(self) -> Array:
        """T_map_odom (4, 4), rigid, by which the newest frame's pose in `odom` comes to its place in the map.

        Where the scale of the map has changed against the odometry's it holds at the newest frame only, so it
        is to be asked after each frame.
        """
        return np.eye(4) if self._last is None else self.pose @ invert(self._last.pose)

    def path(self) -> MapPath:
        """Return the places of all frames that were added."""
        places = self._graph.estimates
        poses = [(places[number] @ Similarity.of_pose(within)).pose() for _, number, within in self._frames]
        return MapPath(
            np.array([stamp for stamp, _, _ in self._frames], np.int64),
            np.array(poses).reshape(-1, 4, 4),
            np.array([self._keyframes[number].segment for _, number, _ in self._frames], np.int64),
        )

    def keyframe_path(self) -> MapPath:
        """Return the places of the keyframes."""
        return MapPath(
            np.array([keyframe.stamp_ns for keyframe in self._keyframes], np.int64),
            np.array([place.pose() for place in self._graph.estimates]).reshape(-1, 4, 4),
            np.array([keyframe.segment for keyframe in self._keyframes], np.int64),
        )

    def graph(self) -> GraphView:
        """Return the graph for drawing."""
        pairs = np.array([(loop.first, loop.second) for loop in self._graph.loops], np.int64).reshape(-1, 2)
        holds = np.array(self._graph.holds, bool)
        count = len(self._keyframes)
        return GraphView(
            self.keyframe_path().poses,
            np.array([place.scale for place in self._graph.estimates]),
            np.column_stack([np.arange(count - 1), np.arange(1, count)]).astype(np.int64)
            if count > 1
            else np.zeros((0, 2), np.int64),
            pairs[holds],
            pairs[~holds],
        )

    def _take_keyframe(self, frame: TrackedFrame) -> Update:
        if frame.points is None:
            return Update()
        last = self._keyframes[-1] if self._keyframes else None
        same = last is not None and last.segment == frame.segment
        if last is not None and same and not is_apart(last, frame, self._config.spacing):
            return Update()
        keyframe = keyframe_of(frame, self._config.spacing)
        if last is None:
            self._graph.begin(Similarity.identity())
        elif same:
            self._graph.follow(*self._step(last, keyframe))
        else:
            # Nothing joins two segments but that the camera has not gone far: the new one begins at the end
            # of the last until a loop tells better.
            apart = np.diag([_APART**2] * 3 + [_APART_ANGLE**2] * 3 + [_APART_SCALE**2])
            self._graph.follow(Similarity.identity(), apart)
        self._keyframes.append(keyframe)
        return Update(keyframe=len(self._keyframes) - 1)

    def _step(self, last: Keyframe, keyframe: Keyframe) -> tuple[Similarity, Array]:
        """Return the motion between two keyframes and its covariance (7, 7)."""
        step = invert(last.pose) @ keyframe.pose
        length = float(np.linalg.norm(step[:3, 3]))
        motion = self._motions.between(last.stamp_ns, keyframe.stamp_ns)
        covariance = np.zeros((7, 7))
        if motion is None or self._config.graph.constant_covariance:
            covariance[:6, :6] = at_least(np.zeros((6, 6)), length, _UNKNOWN_PART, _UNKNOWN_ANGLE)
        else:
            covariance[:6, :6] = at_least(motion.covariance, length, _LEAST_PART, _LEAST_ANGLE)
        metric = last.metric and keyframe.metric
        covariance[6, 6] = (_METRIC_SCALE if metric else self._config.graph.scale_walk) ** 2
        return Similarity.of_pose(step), covariance
