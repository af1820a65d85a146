# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The accumulated pose: steps put end to end, each with its length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.two_view import TwoView
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.config import ScaleConfig
from drcn_ros.odometry.ground import ground_height
from drcn_ros.odometry.local_map import Placed
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.metric_scale import Factor, MetricScale
from drcn_ros.odometry.relative_scale import measure_step, merged, transferred
from drcn_ros.odometry.view import View

# A point's depth is used for the ground when it is known to this part of itself.
_WELL_KNOWN = 0.1


@dataclass(frozen=True)
class StepLength:
    """Length of a translation in the unit of the path.

    Attributes:
        length, deviation: of the translation; the deviation is infinite for a guess, 0 for a unit step.
    """

    length: float
    deviation: float


class Path:
    """Accumulates poses from relative ones.

    Attributes:
        pose: (4, 4) T_start_cur of the last frame that was placed.
        metric: where metric sources are fed in.
        is_metric: whether the pose is in metres by a source that still delivers.
    """

    def __init__(self) -> None:
        self.metric = MetricScale()
        self.is_metric = False
        self.pose: Array = np.eye(4)
        self._before: Array = np.eye(4)
        self._units_per_second: float | None = None
        self._factor: Factor | None = None
        # Where the last frame stood in the local map, in its units.
        self._in_map: Array = np.eye(4)

    def start_anew(self) -> None:
        """Go back to the identity; the speed so far goes on, so that the unit stays about the same."""
        speed = self._units_per_second
        self.clear()
        self._units_per_second = speed

    def clear(self) -> None:
        """Go back to the identity and forget the unit of length."""
        self.metric.clear()
        self.is_metric = False
        self.pose, self._before = np.eye(4), np.eye(4)
        self._units_per_second = None
        self._factor = None
        self._in_map = np.eye(4)

    def update_scale(self, stamp_ns: int, views: Iterable[View], config: ScaleConfig) -> None:
        """Take the metric scale as it is known at a stamp.

        When it becomes known the path so far, and the poses of `views` with it, change to metres; afterwards
        only new steps follow it, so that the path never jumps.
        """
        if config.source in ("none", "relative"):
            return
        factor = self.metric.factor(stamp_ns, config)
        self.is_metric = factor is not None and factor.fresh
        if factor is not None and self._factor is None:
            for pose in (self.pose, self._before, *(view.pose for view in views)):
                pose[:3, 3] *= factor.value
        self._factor = factor

    def extend(
        self, reference: View, view: View, two_view: TwoView, matches: Matches, config: ScaleConfig
    ) -> StepLength | None:
        """Place `view`, which `two_view` relates to `reference`; return the step when it translates."""
        assert two_view.rotation is not None
        relative = np.eye(4)
        relative[:3, :3] = two_view.rotation
        step = None
        if config.source == "none":
            step = None if two_view.pose is None else StepLength(1.0, 0.0)
        else:
            step = self._measure(reference, view, two_view, matches, config)
        if step is not None and two_view.pose is not None:
            relative[:3, 3] = step.length * two_view.pose.translation
        view.pose = reference.pose @ relative
        self._before, self.pose = self.pose, view.pose.copy()
        return step

    def begin_map(self) -> float | None:
        """Note that the local map begins anew at the last pose; return the speed so far, units per second."""
        self._in_map = np.eye(4)
        return self._units_per_second

    def follow(
        self,
        reference: View,
        view: View,
        two_view: TwoView,
        matches: Matches,
        placed: Placed,
        config: ScaleConfig,
    ) -> StepLength | None:
        """Place `view` where the local map has it; return the step when it translates.

        What an adjustment of the map changed since the last frame becomes part of this frame's motion.
        """
        relative = np.linalg.inv(self._in_map) @ placed.pose
        self._in_map = placed.pose
        step = None
        if two_view.pose is not None:
            step = self._scaled(placed.length, placed.deviation)
            seconds = 1e-9 * (view.stamp_ns - reference.stamp_ns)
            if seconds > 0.0:
                self._units_per_second = placed.length / seconds
            if config.source in ("twist_topic", "odometry_topic") and np.isfinite(placed.deviation):
                self.metric.add_step(reference.stamp_ns, view.stamp_ns, placed.length)
        if self._factor is not None:
            relative[:3, 3] *= self._factor.value
        self._before, self.pose = self.pose, self.pose @ relative
        view.pose = self.pose.copy()
        if config.source == "camera_height":
            self._watch_ground(view, two_view, matches, config)
        return step

    def from_map(self, points: MapPoints, newest: Array) -> MapPoints:
        """Return points of the local map, as the last frame sees them, in axes and unit of the path.

        Args:
            points: in axes and unit of the map.
            newest: (4, 4) pose of the last frame among them.
        """
        from_frame = np.asarray(np.linalg.inv(newest), np.float64)
        scale = 1.0 if self._factor is None else self._factor.value
        return points.moved(from_frame).moved(self.pose, scale)

    def predict(self, reference: View) -> tuple[Array, Array] | None:
        """Return (R, t), |t| = 1, from `reference` if the last motion goes on; None without a direction."""
        ahead = self.pose @ np.linalg.inv(self._before) @ self.pose
        relative = np.linalg.inv(reference.pose) @ ahead
        length = float(np.linalg.norm(relative[:3, 3]))
        return None if length < 1e-9 else (relative[:3, :3], relative[:3, 3] / length)

    def _measure(
        self, reference: View, view: View, two_view: TwoView, matches: Matches, config: ScaleConfig
    ) -> StepLength | None:
        """Return the length of the translation, if there is one, and hand the depths on to `view`."""
        units, step = 0.0, None
        if two_view.pose is not None:
            seconds = 1e-9 * (view.stamp_ns - reference.stamp_ns)
            guess = 1.0 if self._units_per_second is None else self._units_per_second * seconds
            measured = measure_step(two_view, matches, reference.depths, guess)
            units = measured.length
            reference.depths = merged(reference.depths, measured.depths)
            if seconds > 0.0:
                self._units_per_second = units / seconds
            if config.source in ("twist_topic", "odometry_topic") and np.isfinite(measured.deviation):
                self.metric.add_step(reference.stamp_ns, view.stamp_ns, units)
            step = self._scaled(units, measured.deviation)
        view.depths = transferred(two_view, matches, reference.depths, len(view.points), units)
        if config.source == "camera_height":
            self._watch_ground(view, two_view, matches, config)
        return step

    def _scaled(self, units: float, deviation: float) -> StepLength:
        factor = self._factor
        if factor is None:
            return StepLength(units, deviation)
        return StepLength(
            factor.value * units, float(np.hypot(factor.value * deviation, factor.deviation * units))
        )

    def _watch_ground(self, view: View, two_view: TwoView, matches: Matches, config: ScaleConfig) -> None:
        good = np.flatnonzero(two_view.inliers[two_view.rows])
        columns = matches.current_index[two_view.rows[good]]
        good, columns = good[columns >= 0], columns[columns >= 0]
        inverse, deviation = view.depths.inverse[columns], view.depths.deviation[columns]
        with np.errstate(invalid="ignore"):
            clear = deviation < _WELL_KNOWN * inverse
        points = (two_view.pairs.current[:, good[clear]] / inverse[clear]).T
        height = ground_height(points, config.camera_pitch)
        if height is not None:
            self.metric.add_ground(view.stamp_ns, height, config)
