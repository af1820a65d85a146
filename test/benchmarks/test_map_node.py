# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drcn_ros.benchmarks.map_node import measure_node

pytest.importorskip("gtsam", reason="the map needs GTSAM")
pytestmark = pytest.mark.dds


def test_every_frame_that_is_sent_becomes_a_keyframe_of_the_node() -> None:
    report = measure_node(8, 20.0)
    assert (report.keyframes, report.dropped) == (8, 0)
    assert report.seconds > 0.0
    assert report.memory_mb > report.before_mb > 50.0
