# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An image pair with exact correspondences."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True)
class ImagePair:
    """Two views of a textured plane.

    Attributes:
        reference, current: (240, 320) uint8.
        homography: maps pixels of `reference` to pixels of `current`.
    """

    reference: NDArray[np.uint8]
    current: NDArray[np.uint8]
    homography: NDArray[np.float64]

    def errors(self, reference_points: NDArray[np.float32], current_points: NDArray[np.float32]):
        """Distance in pixels of each match from the truth."""
        if len(reference_points) == 0:
            return np.zeros(0)
        mapped = cv2.perspectiveTransform(reference_points[None].astype(np.float64), self.homography)[0]
        return np.linalg.norm(mapped - current_points, axis=1)


@pytest.fixture(scope="session")
def plane() -> ImagePair:
    """A photograph-like texture, turned by 8 degrees, scaled by 1.05 and shifted."""
    generator = np.random.default_rng(7)
    texture = np.zeros((300, 400), np.float32)
    for size in (6, 14, 30, 60):
        noise = generator.random((size, size * 4 // 3), np.float32)
        texture += cv2.resize(noise, (400, 300), interpolation=cv2.INTER_NEAREST)
    texture = cv2.GaussianBlur(texture, (0, 0), 1.0)
    canvas = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    crop = np.array([[1, 0, 40], [0, 1, 30], [0, 0, 1.0]])
    turn = np.vstack([cv2.getRotationMatrix2D((160, 120), 8, 1.05), [0, 0, 1]])
    turn[:2, 2] += (5.3, -3.7)
    reference = canvas[30:270, 40:360].copy()
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    current = cv2.warpPerspective(canvas, crop @ np.linalg.inv(turn), (320, 240), flags=flags)
    return ImagePair(reference, current, turn)
