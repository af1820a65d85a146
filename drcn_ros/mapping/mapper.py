# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The map: frames of the odometry in, a corrected path out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping.config import MappingConfig
from drcn_ros.mapping.keyframes import Keyframe, is_apart, keyframe_of, scene_depth
from drcn_ros.mapping.loops import LoopFinder, Match, Ways
from drcn_ros.mapping.motions import Motions, at_least, at_most
from drcn_ros.mapping.pose_graph import PoseGraph
from drcn_ros.mapping.storage import MapState, read_map, write_map
from drcn_ros.mapping.types import Loop, TrackedFrame
from drcn_ros.mapping.views import GraphView, MapPath, PointsView

# Least deviations of a step: a part of its length, and radians.
_LEAST_PART, _LEAST_ANGLE = 2e-3, 1e-4
# What a step can be off by at most, as a part of its length.
_MOST_PART = 0.5
# Those of a step without a covariance, and between two segments of which nothing is known.
_SHORTEST = 0.05
_UNKNOWN_PART, _UNKNOWN_ANGLE = 0.05, 0.01
_APART, _APART_ANGLE, _APART_SCALE = 1e3, 3.0, 3.0
_METRIC_SCALE = 1e-4
# A graph is solved again when it has grown by this part of its keyframes since the last time.
_RARELY = 50


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
        match: gives the matches of two keyframes by their numbers; None takes their descriptors.

    Raises:
        MissingDependencyError: GTSAM is not installed.
    """

    def __init__(self, config: MappingConfig | None = None, match: Match | None = None) -> None:
        self._config = config or MappingConfig()
        self._keyframes: list[Keyframe] = []
        self._graph = PoseGraph()
        self._motions = Motions()
        self._finder = LoopFinder(self._config.loops, match)
        # Keyframes with which segments begin that no loop joins to what was before.
        self._open: list[int] = []
        self._optimised = 0
        self._waiting = False
        # Of each frame: its stamp, its keyframe, and its pose in that keyframe's axes and unit.
        self._frames: list[tuple[int, int, Array]] = []
        self._last: TrackedFrame | None = None
        self._segment = -1
        self._transform: Array = np.eye(4)

    def __len__(self) -> int:
        return len(self._keyframes)

    def add(self, frame: TrackedFrame) -> Update:
        """Take the next frame; one that is not younger than all before is left out."""
        if self._last is not None and frame.stamp_ns <= self._last.stamp_ns:
            return Update()
        if self._last is None or frame.segment != self._last.segment:
            self._segment += 1
            self._motions.clear()
        self._motions.add(frame.stamp_ns, frame.reference_stamp_ns, frame.step)
        update = self._take_keyframe(frame)
        if self._keyframes and self._keyframes[-1].segment == self._segment:
            within = invert(self._keyframes[-1].pose) @ frame.pose
            self._frames.append((frame.stamp_ns, len(self._keyframes) - 1, within))
        self._last = frame
        return update

    def finish(self) -> Update:
        """Let the last loops count, at the end of a run."""
        return Update(moved=self._optimise())

    @property
    def compared(self) -> int:
        """How many pairs of keyframes were looked at as candidates for loops."""
        return self._finder.compared

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
        placed = self._last is not None and self._frames and self._frames[-1][0] == self._last.stamp_ns
        if placed:
            assert self._last is not None
            self._transform = self.pose @ invert(self._last.pose)
        return self._transform

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

    def loops(self) -> list[Loop]:
        """Return the loops that hold."""
        return [loop for loop, holds in zip(self._graph.loops, self._graph.holds, strict=True) if holds]

    def depth(self, number: int) -> float:
        """Return the median depth of a keyframe's points in the odometry's unit there, 0 where unknown."""
        return scene_depth(self._keyframes[number])

    def points(self) -> PointsView:
        """Return the points of all keyframes that have a depth, each once, where the map has them."""
        parts, ids = [np.zeros((0, 3))], [np.zeros(0, np.int64)]
        for keyframe, place in zip(self._keyframes, self._graph.estimates, strict=True):
            known = np.flatnonzero(np.isfinite(keyframe.points.depths))
            rays = np.column_stack([keyframe.points.rays[known], np.ones(len(known))])
            parts.append(place.apply(rays * keyframe.points.depths[known, None]))
            ids.append((keyframe.segment << 32) + keyframe.points.ids[known].astype(np.int64))
        # The first keyframe that shows a point knows its depth from the most of others, as a rule.
        _, first = np.unique(np.concatenate(ids), return_index=True)
        first.sort()
        numbers = np.repeat(np.arange(len(parts) - 1), [len(part) for part in parts[1:]])
        return PointsView(np.concatenate(parts)[first], numbers[first].astype(np.int64))

    def save(self, folder: Path) -> None:
        """Write the map: `keyframes.tum`, `graph.g2o`, `points.ply`, and `map.npz` with all of it.

        The folder appears whole; an earlier map in its place stays until the new one is complete.

        Raises:
            InputError: the folder cannot be written, or holds something else.
        """
        write_map(folder, self._state(), self.keyframe_path(), self.points())

    @classmethod
    def load(cls, folder: Path, config: MappingConfig | None = None, match: Match | None = None) -> Mapper:
        """Return the map of a folder; frames that are added begin a new segment.

        Raises:
            InputError: there is no map, or it is damaged.
            MissingDependencyError: GTSAM is not installed.
        """
        mapper, state = cls(config, match), read_map(folder)
        mapper._keyframes, mapper._frames = list(state.keyframes), list(state.frames)
        mapper._segment = state.keyframes[-1].segment
        mapper._open = list(state.open)
        mapper._graph.begin(state.estimates[0])
        for step, covariance in state.steps:
            mapper._graph.follow(step, covariance)
        for loop in state.loops:
            mapper._graph.close(loop)
        mapper._graph.restore(list(state.estimates), list(state.holds))
        for keyframe in state.keyframes:
            mapper._finder.add(keyframe.points)
        mapper._optimised = len(mapper) - 1
        return mapper

    def _state(self) -> MapState:
        graph = self._graph
        return MapState(
            tuple(self._keyframes),
            tuple(self._frames),
            tuple(self._open),
            tuple(graph.estimates),
            tuple(graph.steps),
            tuple(graph.loops),
            tuple(graph.holds),
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
        same = last is not None and last.segment == self._segment
        if last is not None and same and not is_apart(last, frame, self._config.spacing):
            return Update()
        keyframe = keyframe_of(frame, self._segment, self._config.spacing)
        if last is None:
            # The map begins as the odometry's frame: its axes are those of the base, if poses are the base's.
            self._graph.begin(Similarity.of_pose(keyframe.pose))
        elif same:
            self._graph.follow(*self._step(last, keyframe))
        else:
            # Nothing joins two segments but that the camera has not gone far: the new one begins at the end
            # of the last until a loop tells better.
            apart = np.diag([_APART**2] * 3 + [_APART_ANGLE**2] * 3 + [_APART_SCALE**2])
            self._graph.follow(Similarity.identity(), apart)
            self._open.append(len(self._keyframes))
        self._keyframes.append(keyframe)
        return self._close(len(self._keyframes) - 1)

    def _close(self, number: int) -> Update:
        """Look for loops at the newest keyframe; the graph is solved at once or, when it is large, later."""
        self._finder.add(self._keyframes[number].points)
        loops = self._finder.find(self._keyframes, self._graph.estimates, self._ways())
        for loop in loops:
            self._graph.close(loop)
            self._waiting = True
        due = number - self._optimised >= number // _RARELY
        moved = self._optimise() if due else False
        return Update(number, tuple(loops), moved)

    def _optimise(self) -> bool:
        if not self._waiting:
            return False
        before, moved = list(self._graph.estimates), self._place_open_segments()
        self._graph.optimise()
        if any(not self._joined(start) for start in moved):
            # What the segment was placed by does not hold, so that it stays where it was.
            self._graph.place(before)
            self._graph.optimise()
        self._waiting, self._optimised = False, len(self._keyframes) - 1
        self._open = [start for start in self._open if not self._joined(start)]
        return True

    def _joined(self, start: int) -> bool:
        """Return whether a loop that holds joins a segment to what was before it."""
        return any(loop.first < start <= loop.second for loop in self.loops())

    def _place_open_segments(self) -> list[int]:
        """Put segments that nothing joins yet where their strongest loops have them; return their starts.

        The solver goes downhill only, and does not find there from half a turn away.
        """
        moved = []
        for start, end in pairwise([*self._open, len(self._keyframes)]):
            loops = [loop for loop in self._graph.loops if loop.first < start <= loop.second < end]
            if loops:
                loop, places = max(loops, key=lambda loop: loop.inliers), self._graph.estimates
                to = places[loop.first] @ loop.similarity @ places[loop.second].inverse()
                self._graph.place([*places[:start], *(to @ place for place in places[start:])])
                moved.append(start)
        return moved

    def _ways(self) -> Ways:
        """Return the way to each keyframe; each open segment begins another run."""
        places = np.array([place.translation for place in self._graph.estimates])
        steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
        begins = np.isin(np.arange(len(places)), self._open)
        return Ways(np.concatenate([[0.0], np.cumsum(np.where(begins[1:], 0.0, steps))]), np.cumsum(begins))

    def _step(self, last: Keyframe, keyframe: Keyframe) -> tuple[Similarity, Array]:
        """Return the motion between two keyframes and its covariance (7, 7)."""
        step = invert(last.pose) @ keyframe.pose
        # A turn on the spot is no exact step either.
        length = max(
            float(np.linalg.norm(step[:3, 3])),
            _SHORTEST * (scene_depth(last) or scene_depth(keyframe) or 1.0),
        )
        motion = self._motions.between(last.stamp_ns, keyframe.stamp_ns)
        covariance = np.zeros((7, 7))
        known = motion is not None and bool(np.isfinite(motion.covariance).all())
        if motion is None or not known or self._config.graph.constant_covariance:
            covariance[:6, :6] = at_least(np.zeros((6, 6)), length, _UNKNOWN_PART, _UNKNOWN_ANGLE)
        else:
            known_length = at_most(motion.covariance, length, _MOST_PART)
            covariance[:6, :6] = at_least(known_length, length, _LEAST_PART, _LEAST_ANGLE)
            covariance *= self._config.graph.inflation**2
        metric = last.metric and keyframe.metric
        covariance[6, 6] = (_METRIC_SCALE if metric else self._config.graph.scale_walk) ** 2
        return Similarity.of_pose(step), covariance
