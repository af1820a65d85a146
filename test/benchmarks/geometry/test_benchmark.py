# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The geometry over synthetic motions: its report and its stages."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.benchmarks.geometry.benchmark import pose_error, run_geometry_benchmark
from drcn_ros.benchmarks.geometry.stages import time_stages
from drcn_ros.benchmarks.point_pairs import REGIMES, TRANSLATING, Disturbance
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import RelativePose


def test_each_kind_of_motion_is_told_apart_and_judged():
    reports = list(run_geometry_benchmark(4, 200, Disturbance(0.3, 0.0, 0.1), TwoViewConfig()))
    assert tuple(report.regime for report in reports) == REGIMES
    for report in reports:
        assert report.right == 1.0, report.regime
        assert (report.squared_error is not None) == (report.regime in TRANSLATING)
        assert report.rotation_deg < 0.3


def test_an_error_is_a_rotation_vector_and_an_angle_across_the_direction():
    pose = RelativePose(np.eye(3), np.array([0.0, 0.0, 1.0]), np.eye(6))
    turn = np.array([0.01, -0.02, 0.03])
    error = pose_error(pose, rotation_matrix(turn), np.array([np.sin(0.1), 0.0, np.cos(0.1)]))
    assert error[:3] == pytest.approx(turn)
    assert np.linalg.norm(error[3:]) == pytest.approx(0.1)


def test_every_stage_takes_some_time():
    stages = time_stages(150, Disturbance(), TwoViewConfig(), motions=1)
    assert {"undistortion", "start", "refinement", "rotation", "covariance", "tracks"} <= set(stages)
    assert all(milliseconds > 0.0 for milliseconds in stages.values())
