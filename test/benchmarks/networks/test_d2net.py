# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from drcn_ros.benchmarks.networks.benchmark import Case, run_cases
from drcn_ros.benchmarks.networks.d2net import measure_d2net


def test_both_routes_find_the_same_keypoints() -> None:
    measured = measure_d2net(160, 120, repetitions=1)
    assert measured.keypoints > 50
    assert measured.same > 0.995
    assert measured.extra <= 0.005 * measured.keypoints
    assert [stage.name for stage in measured.stages] == ["backbone", "keypoints", "matching"]
    assert all(stage.plain is not None and stage.plain.wall > 0 for stage in measured.stages)


@pytest.mark.slow
def test_the_plain_route_can_be_left_out() -> None:
    (outcome,) = run_cases([Case("d2net", 128, 96, 1, 1, with_plain=False)])
    assert [stage.name for stage in outcome.stages] == ["backbone", "keypoints", "matching", "frame"]
    assert all(stage.plain is None for stage in outcome.stages)
    assert [note.split()[1:] for note in outcome.notes] == [["keypoints"]]
