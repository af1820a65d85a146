# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which earlier frame a new one is matched with, and when another one takes its place."""

from __future__ import annotations

from collections import deque

from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import TwoView
from drcn_ros.odometry.config import KeyframeConfig, OdometryConfig
from drcn_ros.odometry.types import Tracks
from drcn_ros.odometry.view import View

# Retired keyframes that are kept for finding back after a loss.
_KEPT = 3
# Half-way to its end a reference gets a successor, so that the change finds a baseline already there.
_HALF = 0.5


class References:
    """Holds the reference, its successor, the previous frame and the last keyframes.

    With `previous` each frame serves the next one. With `keyframe` a reference is held until its parallax is
    large or little of it is still seen. Its successor is not the newest frame but the one that was seen
    half-way, so the parallax never starts again from zero.
    """

    def __init__(self) -> None:
        self.reference: View | None = None
        self._successor: View | None = None
        self._previous: View | None = None
        self._retired: deque[View] = deque(maxlen=_KEPT)
        self._attempts = 0

    @property
    def held_tracks(self) -> tuple[Tracks, ...]:
        """Tracks of all frames that may become or be a reference."""
        return tuple(view.tracks for view in self.views)

    @property
    def views(self) -> list[View]:
        """All frames that may become or be a reference, each once."""
        views = [self.reference, self._successor, self._previous, *self._retired]
        return list({id(view): view for view in views if view is not None}.values())

    @property
    def previous(self) -> View | None:
        """The last frame with a known pose."""
        return self._previous

    def clear(self) -> None:
        """Forget all frames."""
        self.reference = self._successor = self._previous = None
        self._retired.clear()
        self._attempts = 0

    def to_try(self) -> list[View]:
        """Return the frames to match with, in order, two at most.

        When the reference fails the previous frame follows; while it goes on failing, the last keyframes do,
        one each frame.
        """
        if self.reference is None:
            return []
        others = [view for view in (self._previous, *reversed(self._retired)) if view is not None]
        others = [view for view in others if view is not self.reference]
        if not others:
            return [self.reference]
        return [self.reference, others[self._attempts % len(others)]]

    def begin(self, view: View) -> None:
        """Start anew at `view`."""
        self.clear()
        self.reference = view
        self._previous = view

    def failed(self) -> None:
        """Note that no frame matched the current one."""
        self._attempts += 1

    def succeeded(
        self, used: View, view: View, two_view: TwoView, focal: float, config: OdometryConfig
    ) -> None:
        """Note that `view` was placed against `used`, and choose what the next frame is matched with."""
        self._attempts = 0
        inliers = int(two_view.inliers.sum())
        used.most_inliers = max(used.most_inliers, inliers)
        self._previous = view
        if config.reference == "previous":
            self._replace(view)
            return
        if used is not self.reference:
            self._replace(used)
        worn = _wear(two_view, inliers / max(used.most_inliers, 1), focal, config.keyframe)
        if worn >= 1.0:
            self._replace(self._successor or view)
            self._successor = None
        elif worn < _HALF:
            self._successor = None
        elif self._successor is None:
            self._successor = view

    def placed(self, used: View, view: View, keyframe: View | None) -> None:
        """Note that the local map placed `view` against `used`, and which view became a keyframe."""
        self._attempts = 0
        self._previous = view
        if keyframe is not None:
            self._replace(keyframe)
        elif used is not self.reference:
            self._replace(used)

    def come_to_rest(self, view: View) -> None:
        """Take `view` as reference since the camera has come to rest there."""
        self._replace(view)
        self._successor = None

    def _replace(self, view: View) -> None:
        if self.reference is not None and self.reference is not view:
            self._retired.append(self.reference)
        self.reference = view
        if self._successor is view:
            self._successor = None


def _wear(two_view: TwoView, overlap: float, focal: float, config: KeyframeConfig) -> float:
    """Return how far a reference is used up, 1 when it is to be replaced."""
    lost = (1.0 - overlap) / (1.0 - config.min_overlap)
    if two_view.model is not Model.GENERAL or two_view.parallax_px is None:
        return lost
    return max(lost, two_view.parallax_px / (focal * config.max_parallax))
