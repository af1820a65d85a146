# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn evaluate --live` asks the real node, over DDS, and gets what a direct run computes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.evaluation.frame_rows import read_rows
from drcn_ros.sequences.trajectories.files import read_trajectory

pytestmark = pytest.mark.dds


def test_a_live_run_gives_the_poses_of_a_direct_run(drcn, recording: Path, tmp_path: Path):
    for name, options in (("direct", []), ("live", ["--live"])):
        answer = drcn("evaluate", recording, "--out", tmp_path / name, "--matcher", "sift", *options)
        assert answer.code == 0, answer.error
    direct, live = (read_trajectory(tmp_path / name / "trajectory.tum") for name in ("direct", "live"))
    assert np.array_equal(direct.stamps_ns, live.stamps_ns)
    assert np.abs(direct.poses - live.poses).max() < 1e-12
    ours, theirs = (read_rows(tmp_path / name / "frames.csv") for name in ("direct", "live"))
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.stamp, mine.reference_stamp, mine.state, mine.reason, mine.keypoints) == (
            other.stamp,
            other.reference_stamp,
            other.state,
            other.reason,
            other.keypoints,
        )
        assert (mine.matches, mine.inliers) == (other.matches, other.inliers)
        if mine.rotation_error_deg is not None:
            assert other.rotation_error_deg == pytest.approx(mine.rotation_error_deg, abs=1e-9)


def test_at_a_rate_drops_and_latency_are_reported(drcn, recording: Path, tmp_path: Path):
    answer = drcn(
        "evaluate", recording, "--out", tmp_path / "run", "--matcher", "orb", "--live", "--rate", "5",
        "--set", "odom_frame=it's",
    )  # fmt: skip
    assert answer.code == 0, answer.error
    content = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert content["parameters"]["odom_frame"] == "it's"
    live = content["live"]
    assert live["published"] == 6
    assert live["answered"] + live["dropped"] == 6
    assert live["latency_ms"]["median"] > 0
    assert f"{live['answered']} of 6 frames answered" in answer.out


def test_a_rate_needs_a_live_run(drcn, recording: Path, tmp_path: Path):
    answer = drcn("evaluate", recording, "--out", tmp_path / "run", "--rate", "1")
    assert answer.code == 2
    assert "must be above 0 and go with --live" in answer.error
