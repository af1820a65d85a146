# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Answers of the node become the steps of a run."""

from __future__ import annotations

import numpy as np

from drcn_ros.evaluation.estimates import STAGES
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.session.live_steps import live_steps
from drcn_ros.ros.session.recorder import FrameRecord
from drcn_ros.sequences.trajectories.files import format_stamp

FIRST, SECOND, DROPPED = 10**9, 2 * 10**9, 3 * 10**9


def record(state: str, stamp: int, reference: int | None, pose: np.ndarray) -> FrameRecord:
    status = {"state": state, "reason": "NONE", "detail": "", "segment": "1", "still_percent": "0"}
    status |= {"keypoints": "9", "matches": "9", "inliers": "9", "parallax_px": "0.1"}
    status |= {f"{stage}_ms": "1.0" for stage in STAGES}
    status["reference_stamp"] = "" if reference is None else format_stamp(reference)
    return FrameRecord(status=status, pose=pose)


def test_a_camera_that_only_turns_has_a_rotation_and_what_was_dropped_no_step():
    turned = np.eye(4)
    turned[:3, :3] = rotation_matrix(np.array([0.0, 0.1, 0.0]))
    records = {
        FIRST: record("INITIALIZING", FIRST, None, np.eye(4)),
        SECOND: record("ROTATION_ONLY", SECOND, FIRST, turned),
    }
    frames = [Frame(stamp, np.zeros((4, 4), np.uint8)) for stamp in (FIRST, SECOND, DROPPED)]
    first, second = (step.estimate for step in live_steps(frames, records))
    assert first.rotation is None
    np.testing.assert_allclose(second.rotation, turned[:3, :3])
    assert second.direction is None
