# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn evaluate` with ground truth as people have it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.sequences.trajectories.files import read_trajectory


@pytest.fixture
def judged(drcn, recording: Path, tmp_path: Path):
    """Evaluates the recording against a ground truth; returns the answer and its verdict."""

    def run(text: str, *options: str):
        (tmp_path / "truth.csv").write_text(text)
        arguments = ("--matcher", "sift", "--gt", tmp_path / "truth.csv", *options)
        answer = drcn("evaluate", recording, "--out", tmp_path / "run", *arguments)
        content = None
        if answer.code == 0:
            content = json.loads((tmp_path / "run" / "metrics.json").read_text())
        return answer, content

    return run


def lines(recording: Path, pattern: str, shift_ns: int = 0) -> str:
    truth = read_trajectory(recording / "groundtruth.txt")
    rows = []
    for stamp, place, turn in zip(truth.stamps_ns, truth.positions, truth.quaternions, strict=True):
        x, y, z = place
        a, b, c, d = turn
        rows.append(pattern.format(t=int(stamp) + shift_ns, x=x, y=y, z=z, a=a, b=b, c=c, d=d))
    return "\n".join(rows) + "\n"


TUM_NS = "{t} {x} {y} {z} {a} {b} {c} {d}"


def test_stamps_in_nanoseconds_judge_as_those_in_seconds(judged, recording):
    answer, content = judged(lines(recording, TUM_NS))
    assert answer.code == 0
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.5
    assert content["ground_truth"] == {"frames": 6, "known": 6, "in_gaps": 0, "outside": 0}
    assert "note: stamps of truth.csv are taken as nanoseconds" in answer.out


def test_a_table_with_names_is_read_by_them(judged, recording):
    text = "qw;qx;qy;qz;z;y;x;time [ns]\n" + lines(recording, "{d};{a};{b};{c};{z};{y};{x};{t}")
    answer, content = judged(text)
    assert answer.code == 0
    assert content["relative_pose"]["rotation_deg"]["median"] < 0.5
    assert content["relative_pose"]["direction_deg"]["median"] < 10


def test_truth_of_another_hour_is_told_and_an_offset_brings_it_back(judged, recording):
    text = lines(recording, TUM_NS, 3_600_000_000_000)
    answer, content = judged(text)
    assert answer.code == 0
    assert content["relative_pose"]["pairs"] == 0
    assert "images and ground truth have no time in common" in answer.out
    assert "type --gt-offset -3600.000" in answer.out
    answer, content = judged(text, "--gt-offset", "-3600")
    assert content["relative_pose"]["pairs"] == 5
    assert "no time in common" not in answer.out


def test_positions_alone_judge_the_path_only(judged, recording):
    answer, content = judged(lines(recording, "{t},{x},{y},{z}"))
    assert answer.code == 0
    assert content["ate_sim3"]["poses"] == 6
    assert content["relative_pose"]["pairs"] == 0
    assert content["rotation_drift"]["value"] is None
    assert content["kitti"]["parts"] == 0
    assert "positions alone" in answer.out
    assert np.isfinite(content["ground_truth"]["known"])


def test_slow_truth_is_not_interpolated_and_that_is_said(judged, recording):
    text = "".join(lines(recording, TUM_NS, 20_000_000).splitlines(keepends=True)[::3])
    answer, content = judged(text)
    assert content["ground_truth"]["known"] == 0
    assert "only 0 of 6 frames have ground truth" in answer.out
    assert "3 frames in gaps of the ground truth longer than 0.12 s" in answer.out
    _, content = judged(text, "--gt-max-gap", "0.5")
    assert content["ground_truth"]["known"] == 3
