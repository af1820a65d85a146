# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The turn and the change of scale that most matches of two images share: where refinement starts from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# The best matches tell enough.
MATCHES = 300
FEWEST = 8
# Farthest, in pixels, that parallax may move a match which takes part.
PARALLAX = 8.0
# Less of the matches, or a change of scale beyond this either way, is a chance result.
LEAST_SHARE = 0.3
LARGEST_SCALE = 3.0


def common_warp(reference: NDArray[np.float32], current: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (2, 2) what takes a small step in the reference image to the step in the current one.

    Args:
        reference, current: (M, 2) pixels of matches, best first.

    Returns:
        A turn times a scale; the unit matrix where the matches share none.
    """
    unit = np.eye(2, dtype=np.float32)
    if len(reference) < FEWEST:
        return unit
    transform, inliers = cv2.estimateAffinePartial2D(
        reference[:MATCHES], current[:MATCHES], method=cv2.RANSAC, ransacReprojThreshold=PARALLAX
    )
    if transform is None or inliers.mean() < LEAST_SHARE:
        return unit
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if not 1 / LARGEST_SCALE < scale < LARGEST_SCALE:
        return unit
    return np.asarray(transform[:, :2], np.float32)
