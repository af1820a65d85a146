# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two images side by side with their matches, so that an eye can judge them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.evaluation.estimates import Correspondences

Image = NDArray[np.uint8]

_OUTLIER = (235, 60, 60)
# What the colours mean, for captions.
KEY = "Green to blue, by the place in the left image: matches that agree with the motion. Red: the others."
SHORT_KEY = "red: do not agree"
# More lines than this hide the images; the points are all drawn.
_MOST_LINES = 80
# Sub-pixel positions are handed to OpenCV as integers with this many fractional bits.
_SHIFT = 4
_GAP = 8
_LEFT_OUT, _HATCH = (200, 60, 200), 8


def draw_matches(
    reference: Image | None, current: Image, matches: Correspondences, caption: str = ""
) -> Image:
    """Return an RGB picture: the reference image left, the current one right.

    Matched points that agree with the motion have the same colour on both sides, by their place in the
    reference image; the others are red.

    Args:
        reference: (H, W) or (H, W, 3), or None where it is not at hand.
        current: (H, W) or (H, W, 3).
        matches: in pixels of both.
        caption: a line below.
    """
    right = shaded(_colour(current), matches.left_out)
    left = np.zeros_like(right) if reference is None else _colour(reference)
    height = max(left.shape[0], right.shape[0])
    canvas = np.zeros((height, left.shape[1] + _GAP + right.shape[1], 3), np.uint8)
    canvas[: left.shape[0], : left.shape[1]] = left
    canvas[: right.shape[0], left.shape[1] + _GAP :] = right
    first = matches.reference_points.astype(np.float64)
    second = matches.current_points + np.array([left.shape[1] + _GAP, 0.0])
    colours = _by_place(first, left.shape[1], left.shape[0])
    for kind in (False, True):
        chosen = np.flatnonzero(matches.inliers == kind)
        lines = chosen[:: max(1, -(-len(chosen) // _MOST_LINES))]
        overlay = canvas.copy()
        for index in lines:
            ends = _fixed(np.stack([first[index], second[index]]))
            shade = colours[index] if kind else _OUTLIER
            cv2.polylines(overlay, [ends], False, shade, 1, cv2.LINE_AA, _SHIFT)
        cv2.addWeighted(overlay, 0.45, canvas, 0.55, 0.0, canvas)
        for index in chosen:
            shade = colours[index] if kind else _OUTLIER
            for x, y in _fixed(np.stack([first[index], second[index]])).tolist():
                cv2.circle(canvas, (x, y), 2 << _SHIFT, shade, -1, cv2.LINE_AA, _SHIFT)
    return _with_caption(canvas, caption) if caption else canvas


def shaded(picture: Image, left_out: NDArray[np.bool_] | None) -> Image:
    """Return a picture (H, W, 3) with what does not count in it darkened and hatched.

    Args:
        picture: RGB.
        left_out: (rows, columns) that share the picture evenly, or None.
    """
    if left_out is None:
        return picture
    height, width = picture.shape[:2]
    where = cv2.resize(left_out.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    y, x = np.ogrid[:height, :width]
    marked: Image = picture.copy()
    marked[where] = marked[where] // 2
    marked[where & ((x + y) % _HATCH < 1)] = _LEFT_OUT
    return marked


def _colour(image: Image) -> Image:
    rgb = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
    return np.ascontiguousarray(rgb, np.uint8)


def _by_place(points: NDArray[np.float64], width: int, height: int) -> list[tuple[int, int, int]]:
    """Return a colour for each point: its hue goes with x, its brightness with y."""
    # From yellow-green to blue: nothing that could be taken for the red of the others.
    hues = np.clip(35 + 90 * points[:, 0] / max(1, width), 35, 125)
    values = np.clip(255 - 70 * points[:, 1] / max(1, height), 0, 255)
    hsv = np.stack([hues, np.full(len(points), 220.0), values], axis=1).astype(np.uint8)
    if not len(hsv):
        return []
    rgb = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    return [(int(r), int(g), int(b)) for r, g, b in rgb]


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _with_caption(canvas: Image, caption: str) -> Image:
    scale = max(0.4, canvas.shape[1] / 2200)
    bar = np.zeros((int(30 * scale) + 6, canvas.shape[1], 3), np.uint8)
    place = (6, bar.shape[0] - int(9 * scale) - 2)
    cv2.putText(bar, caption, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (235, 235, 235), 1, cv2.LINE_AA)
    return np.vstack([canvas, bar])
