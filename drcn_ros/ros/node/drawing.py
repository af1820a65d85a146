# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The picture on `~/match_image`: inliers, outliers, tracks with tails, a line with the state."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.evaluation.report.match_picture import shaded
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Result

# Colours are RGB.
INLIER = (60, 220, 60)
OUTLIER = (230, 60, 60)
TAIL = (250, 200, 40)
_POINT = (90, 160, 250)
_STATE_COLOURS = {
    State.WAITING_FOR_CALIBRATION: (250, 200, 40),
    State.INITIALIZING: (250, 200, 40),
    State.TRACKING: (60, 220, 60),
    State.ROTATION_ONLY: (90, 200, 250),
    State.STATIONARY: (90, 200, 250),
    State.LOST: (230, 60, 60),
}
# Sub-pixel positions are handed to OpenCV as integers with this many fractional bits.
_SHIFT = 4
_TAIL_FRAMES = 8


class MatchPainter:
    """Draws results; remembers the last positions of the tracks for their tails."""

    def __init__(self) -> None:
        self._history: deque[tuple[NDArray[np.uint32], NDArray[np.float32]]] = deque(maxlen=_TAIL_FRAMES)
        self._segment: int | None = None

    def paint(self, image: NDArray[np.uint8], result: Result) -> NDArray[np.uint8]:
        """Return an RGB copy (H, W, 3) of `image` with the result drawn on it."""
        if result.segment != self._segment:
            self._history.clear()
            self._segment = result.segment
        grey = image.ndim == 2
        canvas = np.array(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if grey else image, np.uint8, order="C")
        canvas = shaded(canvas, result.left_out)
        self._tails(canvas, result)
        matches, inliers = result.matches, result.inliers
        lines = np.stack([matches.reference_points, matches.current_points], axis=1)
        _lines(canvas, lines[~inliers], OUTLIER)
        _lines(canvas, lines[inliers], INLIER)
        _points(canvas, result.keypoints.points, _POINT, radius=1)
        _points(canvas, matches.current_points[~inliers], OUTLIER, radius=2)
        _points(canvas, matches.current_points[inliers], INLIER, radius=2)
        _state_line(canvas, result)
        self._history.append((result.tracks.ids, result.keypoints.points))
        return canvas

    def _tails(self, canvas: NDArray[np.uint8], result: Result) -> None:
        ids, points = result.tracks.ids, result.keypoints.points
        for older_ids, older_points in reversed(self._history):
            _, now, then = np.intersect1d(ids, older_ids, assume_unique=False, return_indices=True)
            _lines(canvas, np.stack([points[now], older_points[then]], axis=1), TAIL)
            ids, points = older_ids[then], older_points[then]


def _fixed(points: NDArray[np.float32]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _lines(canvas: NDArray[np.uint8], lines: NDArray[np.float32], colour: tuple[int, int, int]) -> None:
    if len(lines):
        cv2.polylines(canvas, list(_fixed(lines)), False, colour, 1, cv2.LINE_AA, _SHIFT)


def _points(
    canvas: NDArray[np.uint8], points: NDArray[np.float32], colour: tuple[int, int, int], radius: int
) -> None:
    for x, y in _fixed(points).tolist():
        cv2.circle(canvas, (x, y), radius << _SHIFT, colour, 1, cv2.LINE_AA, _SHIFT)


def _state_line(canvas: NDArray[np.uint8], result: Result) -> None:
    scale = max(0.35, canvas.shape[1] / 1400)
    height = int(30 * scale) + 4
    text = f"{result.state.value}  {result.detail}"
    canvas[-height:] //= 3
    colour = _STATE_COLOURS[result.state]
    origin = (4, canvas.shape[0] - height // 3)
    cv2.putText(canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
