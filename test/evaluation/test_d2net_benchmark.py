# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from drcn_ros.evaluation.d2net_benchmark import measure_d2net


def test_both_routes_find_the_same_keypoints() -> None:
    measured = measure_d2net(160, 120, repetitions=1)
    assert measured.keypoints > 50
    assert measured.same > 0.995
    assert measured.extra <= 0.005 * measured.keypoints
    assert [stage.name for stage in measured.stages] == ["backbone", "keypoints", "matching"]
    assert all(stage.plain is not None and stage.plain.wall > 0 for stage in measured.stages)
