# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The odometry: one frame in, one result out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import Failure, TwoView, estimate_two_view
from drcn_ros.geometry.types import Array
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Features, Keypoints, Matches
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.tracks import TrackIds
from drcn_ros.odometry.types import Frame, Latency, Reason, Result, State, Tracks

_REASONS = {
    Failure.FEW_MATCHES: Reason.FEW_MATCHES,
    Failure.FEW_INLIERS: Reason.FEW_INLIERS,
    Failure.DEGENERATE: Reason.DEGENERATE,
    Failure.PLANAR: Reason.PLANAR_AMBIGUITY,
}


@dataclass(frozen=True)
class _View:
    """A processed frame that later ones are matched with."""

    stamp_ns: int
    features: Features
    tracks: Tracks


@dataclass(frozen=True)
class _Decision:
    state: State
    reason: Reason
    detail: str
    two_view: TwoView | None = None


class VisualOdometry:
    """Follows the camera through a stream of frames.

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
        self._config = config
        self._camera = camera
        self._matcher: Matcher[Any] = matcher
        self._ids = TrackIds()
        self._reference: _View | None = None
        self._pose: Array = np.eye(4)
        self._segment = 0
        self._last_stamp_ns: int | None = None

    @property
    def config(self) -> OdometryConfig:
        """The configuration in force."""
        return self._config

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

    def update(self, config: OdometryConfig) -> None:
        """Take a new configuration from the next frame on; another matcher is made when its part changed."""
        if config.matcher != self._config.matcher:
            from drcn_ros.matching import create_matcher

            self._matcher = create_matcher(config.matcher)
            self._reference = None
        self._config = config

    def reset(self) -> None:
        """Forget all frames and start a new segment at the identity."""
        self._reference = None
        self._pose = np.eye(4)
        self._segment += 1
        self._last_stamp_ns = None

    def process(self, frame: Frame, with_descriptors: bool = False) -> Result:
        """Return what is known at this frame, on demand with descriptors. No content of an image raises."""
        begin = time.perf_counter()
        jumped = self._clock_jumped(frame.stamp_ns)
        if jumped:
            self.reset()
        self._last_stamp_ns = frame.stamp_ns
        try:
            features: Features | None = self._matcher.extract(frame.image)
        except ImageError as error:
            features, unusable = None, str(error)
        else:
            unusable = ""
        extracted = time.perf_counter()
        if features is None:
            keypoints, tracks = _nothing()
            latency = _latency(begin, extracted, extracted, extracted)
            decision = _Decision(State.LOST, Reason.BAD_IMAGE, unusable)
            return self._result(frame, decision, keypoints, tracks, None, Matches.empty(), latency)
        keypoints = features.keypoints(with_descriptors)
        reference = self._reference
        matches = Matches.empty()
        if reference is not None and len(keypoints) >= self._config.min_keypoints:
            matches = self._matcher.match(reference.features, features)
        matched = time.perf_counter()
        decision = self._decide(reference, keypoints, matches, features.size, jumped)
        tracks = self._follow(reference, keypoints, matches, decision)
        self._accumulate(decision)
        if len(keypoints) >= self._config.min_keypoints:
            self._reference = _View(frame.stamp_ns, features, tracks)
        latency = _latency(begin, extracted, matched, time.perf_counter())
        return self._result(frame, decision, keypoints, tracks, reference, matches, latency)

    def _clock_jumped(self, stamp_ns: int) -> bool:
        if self._last_stamp_ns is None:
            return False
        gap = 1e-9 * (stamp_ns - self._last_stamp_ns)
        return gap <= 0.0 or gap > self._config.max_gap

    def _decide(
        self,
        reference: _View | None,
        keypoints: Keypoints,
        matches: Matches,
        size: tuple[int, int],
        jumped: bool,
    ) -> _Decision:
        camera = self._camera
        if camera is None:
            return _Decision(State.WAITING_FOR_CALIBRATION, Reason.NO_CALIBRATION, f"{len(matches)} matches")
        if size != (camera.width, camera.height):
            detail = (
                f"image is {size[0]}x{size[1]}, its calibration is for {camera.width}x{camera.height} pixels"
            )
            return _Decision(State.WAITING_FOR_CALIBRATION, Reason.CALIBRATION_MISMATCH, detail)
        if len(keypoints) < self._config.min_keypoints:
            detail = f"{len(keypoints)} keypoints, need {self._config.min_keypoints}"
            return _Decision(State.LOST, Reason.FEW_KEYPOINTS, detail)
        if reference is None:
            reason = Reason.CLOCK_JUMP if jumped else Reason.FIRST_FRAME
            return _Decision(State.INITIALIZING, reason, f"{len(keypoints)} keypoints")
        two_view = estimate_two_view(
            matches.reference_points.astype(np.float64),
            matches.current_points.astype(np.float64),
            camera,
            self._config.two_view,
        )
        count = int(two_view.inliers.sum())
        if two_view.failure is not None:
            detail = f"{len(matches)} matches, need {self._config.two_view.min_inliers} that agree"
            return _Decision(State.LOST, _REASONS[two_view.failure], detail, two_view)
        if two_view.model is not Model.GENERAL:
            detail = f"parallax {two_view.parallax_px:.2f} px at a noise of {two_view.noise_px:.2f} px"
            if two_view.model is Model.ROTATION:
                return _Decision(State.ROTATION_ONLY, Reason.LOW_PARALLAX, detail, two_view)
            return _Decision(State.STATIONARY, Reason.NO_MOTION, detail, two_view)
        detail = (
            f"{count} of {len(matches)} matches agree within {two_view.noise_px:.2f} px, "
            f"parallax {two_view.parallax_px:.1f} px"
        )
        return _Decision(State.TRACKING, Reason.OK, detail, two_view)

    def _follow(
        self, reference: _View | None, keypoints: Keypoints, matches: Matches, decision: _Decision
    ) -> Tracks:
        if reference is None:
            return self._ids.start(len(keypoints))
        kept: NDArray[np.bool_] = np.ones(len(matches), bool)
        if decision.two_view is not None:
            kept = decision.two_view.inliers
        return self._ids.follow(
            len(keypoints),
            reference.tracks,
            matches.reference_index[kept],
            matches.current_index[kept],
            (reference.tracks,),
        )

    def _accumulate(self, decision: _Decision) -> None:
        if decision.two_view is None or decision.two_view.rotation is None:
            return
        step = np.eye(4)
        step[:3, :3] = decision.two_view.rotation
        if decision.two_view.pose is not None:
            step[:3, 3] = decision.two_view.pose.translation
        self._pose = self._pose @ step

    def _result(
        self,
        frame: Frame,
        decision: _Decision,
        keypoints: Keypoints,
        tracks: Tracks,
        reference: _View | None,
        matches: Matches,
        latency: Latency,
    ) -> Result:
        two_view = decision.two_view
        return Result(
            stamp_ns=frame.stamp_ns,
            state=decision.state,
            reason=decision.reason,
            detail=decision.detail,
            keypoints=keypoints,
            tracks=tracks,
            reference_stamp_ns=None if reference is None else reference.stamp_ns,
            matches=matches,
            inliers=np.zeros(len(matches), bool) if two_view is None else two_view.inliers,
            relative_pose=None if two_view is None else two_view.pose,
            rotation=None if two_view is None else two_view.rotation,
            rotation_covariance=None if two_view is None else two_view.rotation_covariance,
            pose=self._pose.copy(),
            metric=False,
            segment=self._segment,
            parallax_px=None if two_view is None else two_view.parallax_px,
            latency=latency,
        )


def _nothing() -> tuple[Keypoints, Tracks]:
    empty = np.zeros(0, np.float32)
    ids = np.zeros(0, np.uint32)
    return Keypoints(np.zeros((0, 2), np.float32), empty, empty), Tracks(ids, ids)


def _latency(begin: float, extracted: float, matched: float, end: float) -> Latency:
    return Latency(
        extract_ms=1e3 * (extracted - begin),
        match_ms=1e3 * (matched - extracted),
        geometry_ms=1e3 * (end - matched),
        total_ms=1e3 * (end - begin),
    )
