# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

pytest.importorskip("gtsam", reason="the map needs GTSAM")

from drcn_ros.benchmarks.map_load import measure


def test_a_map_of_made_up_frames_closes_its_rounds() -> None:
    report = measure(60, 5.0, per_round=40)
    assert report.keyframes == 60
    assert report.loops > 5
    assert report.rejected == 0
    assert report.error_after < report.error_before
    assert report.memory_mb >= report.before_mb
