# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The odometry: one frame in, one result out."""

from __future__ import annotations

import time
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from drcn_ros.configuration import fixed_part
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView, estimate_two_view
from drcn_ros.geometry.types import Array
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Matches
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.frame_clock import FrameClock, Timing
from drcn_ros.odometry.image_quality import ImageQuality
from drcn_ros.odometry.local_map import LocalMap, Placed
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.mask import ImageMask, read_mask
from drcn_ros.odometry.outcome import Attempt, Outcome, judge
from drcn_ros.odometry.outlier_history import earlier_outliers, remember_outliers
from drcn_ros.odometry.path import Path, StepLength
from drcn_ros.odometry.preparation import PreparedFrame, prepare
from drcn_ros.odometry.references import References
from drcn_ros.odometry.stage_clock import StageClock
from drcn_ros.odometry.states import Reason, State
from drcn_ros.odometry.still_pixels import StillPixels
from drcn_ros.odometry.stillness import Stillness
from drcn_ros.odometry.tracks import TrackIds
from drcn_ros.odometry.types import Frame, Result, Tracks
from drcn_ros.odometry.view import View, no_tracks

# Failures that a poor image explains.
_FEW = (Reason.FEW_KEYPOINTS, Reason.FEW_MATCHES, Reason.FEW_INLIERS)


def _differ(new: OdometryConfig, old: OdometryConfig) -> bool:
    """Return whether a configuration needs another matcher, another scale, or a map that is not there."""
    with_map = [config.reference == "map" for config in (new, old)]
    same = fixed_part(new.matcher) == fixed_part(old.matcher) and new.scale.source == old.scale.source
    return not same or with_map[0] != with_map[1]


class VisualOdometry:
    """Follows the camera through a stream of frames.

    `process` is `prepare` and then `place`. Two threads may share the work: one prepares the next frame while
    another places the last; the results are the same. Whatever else changes the odometry belongs to the
    thread that places, except `update`, which belongs to the one that prepares.

    Args:
        config: of the matcher, the geometry and the odometry.
        camera: calibration; without one the state is WAITING_FOR_CALIBRATION, yet points are tracked.
        matcher: made from `config.matcher` when None.
    """

    def __init__(
        self, config: OdometryConfig, camera: Camera | None = None, matcher: Matcher[Any] | None = None
    ) -> None:
        if matcher is None:
            # Imported here, so that a caller with a matcher of its own needs none of the networks.
            from drcn_ros.matching import create_matcher

            matcher = create_matcher(config.matcher)
        # For frames to be prepared; those that a frame was prepared with come with it to its placing.
        self._next_config = config
        self._next_matcher: Matcher[Any] = matcher
        self._next_mask = read_mask(config.mask)
        self._config = config
        self._matcher = self._next_matcher
        self._camera = camera
        self._ids = TrackIds()
        self._references = References()
        self._stillness = Stillness()
        self._still_pixels = StillPixels()
        self._map = LocalMap()
        # Of the current frame with earlier ones, by the earlier one's identity.
        self._matches: dict[int, tuple[View, View, Matches]] = {}
        self._path = Path()
        self._segment = 0
        self._clock = FrameClock()
        self._lost_since_ns: int | None = None
        self._good_quality: ImageQuality | None = None

    @property
    def config(self) -> OdometryConfig:
        """The configuration in force for the next frame."""
        return self._next_config

    @property
    def camera(self) -> Camera | None:
        """The calibration in force."""
        return self._camera

    def set_camera(self, camera: Camera | None) -> None:
        """Take a calibration; a changed one starts tracking anew."""
        if camera == self._camera:
            return
        if self._camera is not None:
            self.reset()
        self._camera = camera

    def resume(self, last: PreparedFrame, camera: Camera) -> None:
        """Go on at another resolution, with the last frame as reference.

        Args:
            last: the frame placed last, prepared from its image at that resolution.
            camera: the same one at that resolution.

        Where that frame has no known place tracking starts anew.
        """
        previous = self._references.previous
        usable = len(last.keypoints) >= self._config.min_keypoints
        if last.features is None or previous is None or previous.stamp_ns != last.stamp_ns or not usable:
            self.set_camera(camera)
            return
        self._camera = camera
        view = View(last.stamp_ns, last.features, last.keypoints.points, self._path.pose.copy())
        view.tracks = self._ids.start(len(view.points), ())
        self._begin(view)

    def update(self, config: OdometryConfig) -> None:
        """Take a new configuration from the next frame on; another matcher or scale starts tracking anew.

        Raises:
            ConfigurationError: its mask cannot be read.
        """
        if fixed_part(config.matcher) != fixed_part(self._next_config.matcher):
            from drcn_ros.matching import create_matcher

            self._next_matcher = create_matcher(config.matcher)
        else:
            # The frame that is being placed keeps the configuration that it was prepared with.
            self._next_matcher = copy(self._next_matcher)
            self._next_matcher.config = config.matcher
        if config.mask != self._next_config.mask:
            self._next_mask = read_mask(config.mask)
        self._next_config = config

    def set_mask(self, mask: ImageMask | None) -> None:
        """Leave pixels out of the frames prepared from now on, in place of the configuration's mask."""
        self._next_mask = mask

    def reset(self) -> None:
        """Forget all frames and start a new segment at the identity."""
        self._references.clear()
        self._stillness.clear()
        self._map.abandon()
        self._map = LocalMap()
        self._path.clear()
        self._segment += 1
        self._clock.clear()
        self._lost_since_ns = None

    def add_velocity(self, stamp_ns: int, linear: Array) -> None:
        """Take a velocity (3,), metres per second, in any axes, for `scale.source` twist_topic."""
        self._path.metric.add_velocity(stamp_ns, linear)

    def add_odometry(self, stamp_ns: int, position: Array) -> None:
        """Take a position (3,), metres, in a fixed frame, for `scale.source` odometry_topic."""
        self._path.metric.add_position(stamp_ns, position)

    def process(self, frame: Frame, with_descriptors: bool = False) -> Result:
        """Return what is known at this frame, on demand with descriptors. No content of an image raises."""
        return self.place(self.prepare(frame, with_descriptors))

    def prepare(self, frame: Frame, with_descriptors: bool = False) -> PreparedFrame:
        """Return the frame with its features, to be placed after all frames before it."""
        return prepare(frame, self._next_config, self._next_matcher, with_descriptors, self._next_mask)

    def place(self, prepared: PreparedFrame) -> Result:
        """Return what is known at a prepared frame."""
        clock = StageClock(prepared.seconds)
        self._map.settle()
        self._matches.clear()
        self._take_changes(prepared)
        timing = self._clock.add(prepared.stamp_ns, self._config.max_gap)
        if timing is Timing.LATE:
            return self._left_out(prepared, clock)
        jumped = timing is Timing.JUMP
        if jumped:
            self.reset()
            self._clock.add(prepared.stamp_ns, self._config.max_gap)
        features, quality = prepared.features, prepared.quality
        if features is None or quality is None:
            outcome = Outcome(State.LOST, Reason.BAD_IMAGE, prepared.problem)
            return self._result(prepared, outcome, no_tracks(), clock)
        view = View(prepared.stamp_ns, features, prepared.keypoints.points, self._path.pose.copy())
        self._still_pixels.begin_frame(features.size, prepared.kept)
        if self._knows_size(features.size):
            outcome = self._place(view, quality, clock)
        else:
            outcome = self._only_follow(view, clock)
        if jumped and outcome.reason is Reason.FIRST_FRAME:
            outcome = replace(outcome, reason=Reason.CLOCK_JUMP)
        return self._result(prepared, outcome, view.tracks, clock)

    def landmarks(self) -> MapPoints | None:
        """Return the landmarks in axes and unit of `Result.pose`; None where no map places the frames.

        They are those after the frame that was placed last, and belong to the thread that places.
        """
        return self._path.from_map(self._map.landmarks(), self._map.newest) if self._uses_map else None

    def _take_changes(self, prepared: PreparedFrame) -> None:
        """Take the configuration and the matcher that a frame was prepared with."""
        new, old = prepared.config, self._config
        if new is not old and _differ(new, old):
            self.reset()
        self._config, self._matcher = prepared.config, prepared.matcher

    def _left_out(self, prepared: PreparedFrame, clock: StageClock) -> Result:
        """Return the result of a late frame: nothing of it is used, and nothing else changes."""
        nothing = prepared.keypoints.select(np.zeros(len(prepared.keypoints), bool))
        late = self._clock.lateness(prepared.stamp_ns)
        outcome = Outcome(State.LOST, Reason.LATE_FRAME, f"{late:.3f} s older than the newest frame")
        return self._result(replace(prepared, keypoints=nothing), outcome, no_tracks(), clock)

    def _knows_size(self, size: tuple[int, int]) -> bool:
        return self._camera is not None and size == (self._camera.width, self._camera.height)

    def _only_follow(self, view: View, clock: StageClock) -> Outcome:
        """Follow points from frame to frame without a calibration that fits."""
        reference = self._references.reference
        attempt = None
        if reference is not None and reference.features.size == view.features.size:
            attempt = Attempt(reference, self._match(reference, view, clock), None)
        self._follow(attempt, view)
        if len(view.points) >= self._config.min_keypoints:
            self._begin(view)
        if self._camera is None:
            return Outcome(State.WAITING_FOR_CALIBRATION, Reason.NO_CALIBRATION, "no calibration", attempt)
        (width, height), camera = view.features.size, self._camera
        detail = f"image is {width}x{height}, its calibration is for {camera.width}x{camera.height} pixels"
        return Outcome(State.WAITING_FOR_CALIBRATION, Reason.CALIBRATION_MISMATCH, detail, attempt)

    def _place(self, view: View, quality: ImageQuality, clock: StageClock) -> Outcome:
        """Find the motion since an earlier frame."""
        count = int(self._still_pixels.kept_points(view.points).sum())
        needed = self._config.min_keypoints
        attempt = None
        if count < needed:
            outcome = Outcome(State.LOST, Reason.FEW_KEYPOINTS, f"{count} keypoints, need {needed}")
        elif self._references.reference is None:
            self._follow(None, view)
            self._begin(view)
            return Outcome(State.INITIALIZING, Reason.FIRST_FRAME, f"{count} keypoints")
        else:
            attempt = self._attempt(view, clock)
            outcome = judge(attempt, self._config.two_view.min_inliers, self._uses_map)
        self._follow(attempt, view)
        if outcome.state is not State.LOST:
            assert attempt is not None
            self._good_quality = quality
            return self._advance(attempt, view, outcome, clock)
        problem = quality.problem(self._good_quality) if outcome.reason in _FEW else ""
        if problem:
            outcome = replace(outcome, reason=Reason.BLUR_OR_EXPOSURE, detail=f"{problem}; {outcome.detail}")
        return self._lose(view, outcome)

    def _attempt(self, view: View, clock: StageClock) -> Attempt:
        """Match with earlier frames until one agrees; return the first attempt when none does."""
        assert self._camera is not None
        attempts = []
        for reference in self._references.to_try():
            matches = self._match(reference, view, clock)
            estimate = partial(self._two_view, reference, view)
            matches, two_view = self._still_pixels.weigh(matches, self._camera, estimate)
            attempt = Attempt(reference, matches, two_view)
            if two_view.model is not None and self._uses_map:
                match = partial(self._match, clock=clock)
                placed = self._map.place(reference, view, two_view, matches, self._camera, match)
                attempt = replace(attempt, placed=placed)
            attempts.append(attempt)
            if two_view.model is not None and (attempt.confirmed or not self._uses_map):
                return attempt
        return max(attempts, key=lambda attempt: attempt.placed is not None)

    def _two_view(self, reference: View, view: View, matches: Matches) -> TwoView:
        assert self._camera is not None
        expected = self._map.expect(reference, view) if self._uses_map else self._path.predict(reference)
        return estimate_two_view(
            matches.reference_points.astype(np.float64),
            matches.current_points.astype(np.float64),
            self._camera,
            self._config.two_view,
            expected,
            earlier_outliers(reference, matches),
        )

    @property
    def _uses_map(self) -> bool:
        """Whether a local map places the frames; steps of one unit have no use for one."""
        return self._config.reference == "map" and self._config.scale.source != "none"

    def _match(self, reference: View, view: View, clock: StageClock | None = None) -> Matches:
        """Return the matches of two views without those in places that stand still by themselves."""
        found = self._match_all(reference, view, clock)
        kept = self._still_pixels.kept(found)
        return found if kept.all() else found.select(kept)

    def _match_all(self, reference: View, view: View, clock: StageClock | None) -> Matches:
        if not reference.features.matchable:
            return Matches.empty()
        found = self._matches.get(id(reference))
        if found is None or found[0] is not reference or found[1] is not view:
            begin = time.perf_counter()
            matches = self._matcher.match(reference.features, view.features)
            # A path rests on many views of a point, so that even one whose place is hardly told helps.
            found = reference, view, matches.with_imprecise() if self._uses_map else matches
            if clock is not None:
                clock.matched(begin)
            self._matches[id(reference)] = found
        return found[2]

    def _follow(self, attempt: Attempt | None, view: View) -> None:
        """Give the keypoints their tracks: those of the matches that agree, new ones to the others."""
        held = self._references.held_tracks
        if attempt is None:
            view.tracks = self._ids.start(len(view.points), held)
            return
        kept = np.ones(len(attempt.matches), bool) if attempt.two_view is None else attempt.two_view.inliers
        view.tracks = self._ids.follow(
            len(view.points),
            attempt.reference.tracks,
            attempt.matches.reference_index[kept],
            attempt.matches.current_index[kept],
            held,
        )

    def _advance(self, attempt: Attempt, view: View, outcome: Outcome, clock: StageClock) -> Outcome:
        """Put the frame at the end of the path and choose the next reference."""
        assert attempt.two_view is not None
        assert self._camera is not None
        two_view = attempt.two_view
        self._lost_since_ns = None
        self._path.update_scale(view.stamp_ns, self._references.views, self._config.scale)
        found = self._match_all(attempt.reference, view, clock)
        self._still_pixels.learn(view.stamp_ns, found, two_view, self._camera)
        floor = self._config.two_view.systematic_px
        remember_outliers(attempt.reference, view, two_view, attempt.matches, floor)
        if attempt.placed is not None:
            step = self._advance_in_map(attempt, attempt.placed, view, two_view)
            return replace(outcome, step=step)
        step = self._path.extend(attempt.reference, view, two_view, attempt.matches, self._config.scale)
        self._references.succeeded(attempt.reference, view, two_view, self._camera.mean_focal, self._config)
        if two_view.model is Model.IDENTITY:
            self._stillness.clear()
        elif self._config.reference == "keyframe" and self._stillness.add(view, self._noise(two_view)):
            self._references.come_to_rest(view)
            self._stillness.clear()
        return replace(outcome, step=step)

    def _advance_in_map(
        self, attempt: Attempt, placed: Placed, view: View, two_view: TwoView
    ) -> StepLength | None:
        """Put the frame where the local map has it, as a keyframe if one is due."""
        assert self._camera is not None
        reference, camera = attempt.reference, self._camera
        # The map matches a new keyframe after the frame, in a thread of its own: in no stage of the frame.
        match = self._match
        keyframe = self._map.advance(reference, view, placed, two_view, camera, self._config.keyframe, match)
        if two_view.model is Model.IDENTITY:
            self._stillness.clear()
        elif self._stillness.add(view, self._noise(two_view)):
            # What stands is told from what moves slowly only beside a reference where it came to rest.
            self._stillness.clear()
            if keyframe is None:
                keyframe = self._map.add_keyframe(view, placed.pose, camera, match)
        if self._config.scale.source == "camera_height":
            view.depths = self._map.depths(reference, view, attempt.matches)
        self._references.placed(reference, view, keyframe)
        return self._path.follow(reference, view, two_view, attempt.matches, placed, self._config.scale)

    def _lose(self, view: View, outcome: Outcome) -> Outcome:
        """Note that the frame was not placed; after a while start anew from it."""
        self._references.failed()
        self._stillness.clear()
        if self._lost_since_ns is None:
            self._lost_since_ns = view.stamp_ns
        lost = 1e-9 * (view.stamp_ns - self._lost_since_ns)
        if lost < self._config.recovery or len(view.points) < self._config.min_keypoints:
            return outcome
        self._segment += 1
        self._path.start_anew()
        view.pose = self._path.pose.copy()
        self._begin(view)
        detail = f"no keyframe found again in {lost:.1f} s; {outcome.detail}"
        return Outcome(State.INITIALIZING, Reason.STALE_REFERENCE, detail)

    def _begin(self, view: View) -> None:
        self._lost_since_ns = None
        self._stillness.clear()
        self._references.begin(view)
        self._map.abandon()
        self._map = LocalMap(self._path.begin_map())
        self._map.begin(view)

    def _noise(self, two_view: TwoView) -> float:
        assert two_view.noise_px is not None
        return float(np.hypot(two_view.noise_px, self._config.two_view.systematic_px))

    def _result(self, prepared: PreparedFrame, outcome: Outcome, tracks: Tracks, clock: StageClock) -> Result:
        attempt = outcome.attempt
        matches = Matches.empty() if attempt is None else attempt.matches
        two_view = None if attempt is None else attempt.two_view
        step = outcome.step
        keypoints, tracks, matches = self._still_pixels.told(prepared.keypoints, tracks, matches)
        # A motion that the local map contradicts is not told.
        told = None if outcome.state is State.LOST else two_view
        return Result(
            stamp_ns=prepared.stamp_ns,
            state=outcome.state,
            reason=outcome.reason,
            detail=outcome.detail,
            keypoints=keypoints,
            tracks=tracks,
            reference_stamp_ns=None if attempt is None else attempt.reference.stamp_ns,
            matches=matches,
            inliers=np.zeros(len(matches), bool) if two_view is None else two_view.inliers,
            relative_pose=None if told is None else told.pose,
            rotation=None if told is None else told.rotation,
            rotation_covariance=None if told is None else told.rotation_covariance,
            step_length=None if step is None else step.length,
            step_deviation=None if step is None else step.deviation,
            pose=self._path.pose.copy(),
            metric=self._path.is_metric,
            segment=self._segment,
            parallax_px=None if two_view is None else two_view.parallax_px,
            latency=clock.latency(),
            left_out=self._still_pixels.left_out(),
            still_part=self._still_pixels.still_part,
        )
