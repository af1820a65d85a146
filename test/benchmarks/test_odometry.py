# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The odometry over whole sequences."""

from __future__ import annotations

import pytest

from drcn_ros.benchmarks.odometry import judge_odometry, open_input
from drcn_ros.configuration import build
from drcn_ros.errors import InputError
from drcn_ros.matching import create_matcher
from drcn_ros.ros.config import NodeConfig
from drcn_ros.sequences.folders.tum_writer import write_tum


def test_a_rendered_scene_is_judged():
    config = build(NodeConfig, {"matcher.name": "sift", "matcher.max_keypoints": 600})
    sequence, selection = open_input("scene:forward", 4)
    report = judge_odometry(sequence, selection, config, create_matcher(config.matcher))
    assert sum(report.states.values()) == 4
    assert report.states["INITIALIZING"] == 1
    assert report.rotation_deg.median is not None
    assert report.rotation_deg.median < 1.0
    assert report.restarts == 0


def test_a_car_in_a_street_is_tracked_by_the_default():
    config = build(NodeConfig, {})
    sequence, selection = open_input("scene:street", 40)
    report = judge_odometry(sequence, selection, config, create_matcher(config.matcher))
    assert report.states == {"INITIALIZING": 1, "TRACKING": 39}
    assert report.rotation_deg.median < 0.1
    assert report.direction_deg.median < 1.0
    assert report.path_percent < 0.5
    assert report.scale_drift.worst == pytest.approx(1.0, abs=0.1)


def test_a_step_takes_every_so_many_frames(clip, tmp_path):
    write_tum(clip, tmp_path / "walk")
    sequence, selection = open_input(f"{tmp_path / 'walk'}@3", 0)
    assert len(clip) == 8
    assert [frame.stamp_ns for frame in sequence.frames(selection)] == clip.stamps_ns[::3]


@pytest.mark.parametrize(
    ("name", "complaint"), [("scene:cave", "cave"), ("somewhere@x", "step"), ("nowhere@2", "nowhere")]
)
def test_what_is_no_input_is_told(name, complaint):
    with pytest.raises(InputError, match=complaint):
        open_input(name, 5)
