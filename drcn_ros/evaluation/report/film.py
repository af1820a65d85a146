# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A run as a moving picture (GIF): the frames with their matches, and beside them the path as it grows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from drcn_ros.evaluation.estimates import Correspondences, FrameEstimate, estimated_path
from drcn_ros.evaluation.metrics.summary import align
from drcn_ros.evaluation.report.match_picture import Image
from drcn_ros.evaluation.report.plots import widest_axes
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.types import Frame
from drcn_ros.sequences.trajectories.trajectory import Trajectory

SUFFIX = ".gif"
# Longer side of a frame in the picture, pixels, and how long it is shown, milliseconds.
_SIDE, _SHOWN_MS = 352, 100
# Shades of grey, and of each colour between dark and full. A file with fewer is smaller.
_GREYS, _SHADES = 28, 8
# Most matches whose way is drawn.
_MOST_MATCHES = 120
_AGREE, _DISAGREE, _TRUTH, _ESTIMATE = (90, 220, 120), (235, 60, 60), (120, 120, 120), (80, 170, 255)
_PAPER, _INK = (24, 24, 24), (225, 225, 225)
# White of the frames.
_LIGHT = 190
_BAR, _MARGIN = 18, 14
# Sub-pixel positions are handed to OpenCV as integers with this many fractional bits.
_SHIFT = 4


@dataclass(frozen=True)
class _Shot:
    """One picture without its path.

    Attributes:
        picture: (H, W, 3) RGB.
        frame: number of the frame in the run.
    """

    picture: Image
    frame: int


class Film:
    """Takes the frames of a run in order and keeps small pictures of some, evenly spaced.

    Args:
        most: pictures at the end, at most.
    """

    def __init__(self, most: int = 48) -> None:
        self._most = most
        self._stride = 1
        self._shots: list[_Shot] = []
        self._estimates: list[FrameEstimate] = []

    def add(self, frame: Frame, estimate: FrameEstimate, matches: Correspondences | None) -> None:
        """Take one frame, its result, and its matches where they are known."""
        number = len(self._estimates)
        self._estimates.append(estimate)
        if number % self._stride:
            return
        if len(self._shots) == self._most:
            self._shots, self._stride = self._shots[::2], 2 * self._stride
            if number % self._stride:
                return
        self._shots.append(_Shot(_frame_picture(frame.image, estimate, matches), number))

    def write(self, file: Path, truth: Trajectory | None) -> None:
        """Write the film.

        Args:
            file: GIF to write.
            truth: true path, drawn beside the estimated one; or None.
        """
        first = self._shots[0].picture.shape[0]
        paths = _drawn_paths(self._estimates, truth, first)
        palette = _palette()
        pictures = []
        for shot in self._shots:
            # The size of the images may change on the way; the first one's is kept.
            height, width = self._shots[0].picture.shape[:2]
            picture = shot.picture
            if picture.shape != (height, width, 3):
                picture = np.asarray(cv2.resize(picture, (width, height)), np.uint8)
            panel = paths.panel(self._estimates[shot.frame].stamp_ns)
            both = Pillow.fromarray(np.hstack([picture, panel]))
            # One palette for all: one of its own for each would lose the colour of a short path.
            pictures.append(both.quantize(palette=palette, dither=Pillow.Dither.NONE))
        pictures[0].save(
            file, "GIF", save_all=True, append_images=pictures[1:], duration=_SHOWN_MS, loop=0, optimize=True
        )


@dataclass(frozen=True)
class _DrawnPaths:
    """Paths in pixels of a square panel.

    Attributes:
        side: of the panel, pixels.
        stamps_ns, estimate: (N,), (N, 2) of the estimated path.
        truth: (N, 2) of the true one, or (0, 2).
    """

    side: int
    stamps_ns: Array
    estimate: Array
    truth: Array

    def panel(self, stamp_ns: int) -> Image:
        """Return the square picture (H, W, 3) of the path up to a moment."""
        canvas = np.full((self.side, self.side, 3), _PAPER, np.uint8)
        seen = int(np.searchsorted(self.stamps_ns, stamp_ns, side="right"))
        for points, colour, width in ((self.truth, _TRUTH, 3), (self.estimate[:seen], _ESTIMATE, 2)):
            cv2.polylines(canvas, [_fixed(points)], False, colour, width, cv2.LINE_AA, _SHIFT)
        if seen:
            centre = _fixed(self.estimate[seen - 1])
            cv2.circle(canvas, (int(centre[0]), int(centre[1])), 4 << _SHIFT, _INK, -1, cv2.LINE_AA, _SHIFT)
        legend = [("path", _ESTIMATE), *([("truth", _TRUTH)] if len(self.truth) else [])]
        for row, (word, colour) in enumerate(legend):
            _write(canvas, word, (8, 16 + 14 * row), colour)
        return canvas


def _palette() -> Pillow.Image:
    """Return an image whose palette holds the greys of the frames and shades of what is drawn on them."""
    greys = np.repeat(np.linspace(0, _LIGHT, _GREYS)[:, None], 3, axis=1)
    strength = np.linspace(0.3, 1.0, _SHADES)[:, None]
    shades = [strength * colour for colour in np.array([_AGREE, _DISAGREE, _ESTIMATE, _INK], float)]
    entries = np.concatenate([greys, *shades, [_PAPER]]).round().astype(np.uint8)
    image = Pillow.new("P", (1, 1))
    image.putpalette(entries.tobytes())
    return image


def _frame_picture(image: Image, estimate: FrameEstimate, matches: Correspondences | None) -> Image:
    height, width = image.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    # Darker than the lines, and in few steps: what the eye does not miss makes the file smaller.
    dimmed = np.round(np.round(small / 255 * (_GREYS - 1)) * (_LIGHT / (_GREYS - 1))).astype(np.uint8)
    canvas = np.ascontiguousarray(np.repeat(dimmed[:, :, None], 3, axis=2))
    if matches is not None:
        _draw_ways(canvas, matches, scale)
    bar = np.full((_BAR, size[0], 3), _PAPER, np.uint8)
    text = estimate.state.value
    if estimate.matches:
        text += f"   {estimate.inliers} of {estimate.matches} matches agree"
    _write(bar, text, (6, 13), _INK)
    return np.asarray(np.vstack([canvas, bar]), np.uint8)


def _draw_ways(canvas: Image, matches: Correspondences, scale: float) -> None:
    """Draw where matched points were in the reference image and are now, in pixels of the small picture."""
    rows = np.arange(0, len(matches.inliers), max(1, -(-len(matches.inliers) // _MOST_MATCHES)))
    ends = [
        (points[rows] + 0.5) * scale - 0.5 for points in (matches.reference_points, matches.current_points)
    ]
    starts, stops = (_fixed(points) for points in ends)
    for start, end, agrees in zip(starts, stops, matches.inliers[rows], strict=True):
        colour = _AGREE if agrees else _DISAGREE
        cv2.line(canvas, start.tolist(), end.tolist(), colour, 1, cv2.LINE_AA, _SHIFT)
        cv2.circle(canvas, end.tolist(), 2 << _SHIFT, colour, -1, cv2.LINE_AA, _SHIFT)


def _drawn_paths(estimates: list[FrameEstimate], truth: Trajectory | None, side: int) -> _DrawnPaths:
    joined = estimated_path(
        [estimate.stamp_ns for estimate in estimates],
        np.array([estimate.pose for estimate in estimates]),
        [estimate.segment for estimate in estimates],
        [estimate.placed for estimate in estimates],
    )
    paths = align(joined.known, truth)
    estimate = (paths.estimate if paths.aligned is None else paths.aligned)[:, :3, 3]
    # Without a similarity the two paths have nothing to do with each other.
    true = paths.truth[:, :3, 3] if paths.aligned is not None else np.zeros((0, 3))
    both = np.concatenate([estimate, true])
    axes = list(widest_axes(both))
    middle = np.zeros(2) if not len(both) else 0.5 * (both[:, axes].min(axis=0) + both[:, axes].max(axis=0))
    extent = float(np.ptp(both[:, axes], axis=0).max()) if len(both) else 0.0
    factor = (side - 2 * _MARGIN) / (extent or 1.0)
    # The second axis grows upwards.
    flip = np.array([1.0, -1.0])
    drawn = [((points[:, axes] - middle) * flip * factor + side / 2) for points in (estimate, true)]
    return _DrawnPaths(side, np.asarray(paths.stamps_ns), *drawn)


def _fixed(points: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _write(canvas: Image, text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, 1, cv2.LINE_AA)
