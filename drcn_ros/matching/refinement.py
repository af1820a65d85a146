# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sub-pixel refinement of matches on the images themselves (Lucas-Kanade, the match as the initial flow)."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.matching.types import Matches

# Measured on real sequences with sides 9 to 21, zero and one pyramid level: the best of these.
_SIDE = 13
_LEVELS = 1
_ITERATIONS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.01)


def refine_matches(
    reference: NDArray[np.uint8], current: NDArray[np.uint8], matches: Matches, farthest: float = 2.0
) -> Matches:
    """Return the matches with their current points moved to where the reference's surroundings are seen.

    A point that cannot be followed, or would move far, stays as matched.

    Args:
        reference: (H, W) uint8, the image of the reference points.
        current: (H, W) uint8, the image of the current points.
        matches: what to refine.
        farthest: most pixels that a point may move; further away lies another structure.
    """
    if len(matches) == 0:
        return matches
    start = matches.current_points[:, None].copy()
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        reference,
        current,
        np.ascontiguousarray(matches.reference_points[:, None]),
        start,
        winSize=(_SIDE, _SIDE),
        maxLevel=_LEVELS,
        criteria=_ITERATIONS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    moved = moved[:, 0]
    distance = np.linalg.norm(moved - matches.current_points, axis=1)
    good = (found[:, 0] > 0) & (distance <= farthest)
    points = np.where(good[:, None], moved, matches.current_points).astype(np.float32)
    return replace(matches, current_points=points)
