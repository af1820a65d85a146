# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Results as the odometry gives them, from which tests make messages."""

from __future__ import annotations

from typing import Any

import numpy as np


def make_result(**changes: Any) -> Any:
    """Return a result of four keypoints and three matches, the last of which has no keypoint."""
    from drcn_ros.geometry.types import RelativePose
    from drcn_ros.matching.types import Keypoints, Matches
    from drcn_ros.odometry import Latency, Reason, Result, State, Tracks

    points = np.array([[10.5, 20.25], [30.0, 40.0], [600.0, 400.0], [320.0, 240.0]], np.float32)
    fields: dict[str, Any] = {
        "stamp_ns": 12_500_000_000,
        "state": State.TRACKING,
        "reason": Reason.OK,
        "detail": "2 of 3 matches agree",
        "keypoints": Keypoints(points, np.arange(4, dtype=np.float32), np.full(4, 3.0, np.float32)),
        "tracks": Tracks(np.array([7, 8, 2**22, 10], np.uint32), np.array([1, 2, 3, 4], np.uint32)),
        "reference_stamp_ns": 12_000_000_345,
        "matches": Matches(
            points[[2, 0, 1]] + 5.0,
            points[[2, 0, 1]],
            np.array([0.9, 0.8, 0.7], np.float32),
            np.array([0, 1, 2]),
            np.array([2, 0, -1]),
        ),
        "inliers": np.array([True, False, True]),
        "relative_pose": RelativePose(np.eye(3), np.array([0.0, 0.0, 1.0]), 0.01 * np.eye(6)),
        "pose": np.eye(4),
        "metric": False,
        "segment": 0,
        "parallax_px": 5.0,
        "latency": Latency(1.0, 2.0, 3.0, 6.0),
    }
    return Result(**{**fields, **changes})
