# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images made smaller for the network, and results in the pixels of the image as it came."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.odometry import Result


def reduced(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Return an image, (H, W) or (H, W, 3), made smaller by `scale`, at most 1."""
    if scale == 1.0:
        return image
    size = tuple(max(1, round(edge * scale)) for edge in image.shape[1::-1])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def enlarged(result: Result, across: float, down: float) -> Result:
    """Return a result of a smaller image in the pixels of one that is `across` x `down` times as large."""
    factors = np.array([across, down], np.float32)

    def back(points: NDArray[np.float32]) -> NDArray[np.float32]:
        return (points + np.float32(0.5)) * factors - np.float32(0.5)

    mean = 0.5 * (across + down)
    keypoints, matches = result.keypoints, result.matches
    return replace(
        result,
        keypoints=replace(
            keypoints, points=back(keypoints.points), scales=(keypoints.scales * mean).astype(np.float32)
        ),
        matches=replace(
            matches,
            reference_points=back(matches.reference_points),
            current_points=back(matches.current_points),
        ),
        parallax_px=None if result.parallax_px is None else result.parallax_px * mean,
    )
