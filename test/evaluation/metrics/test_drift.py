# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Drift of scale and rotation over paths that were made to drift by a known amount."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from drcn_ros.evaluation.metrics.drift import drift, rotation_drift, scale_drift
from drcn_ros.evaluation.metrics.summary import AlignedPaths, align
from drcn_ros.evaluation.report.plots import plot_drift
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.trajectories.trajectory import Trajectory

SECOND = 1_000_000_000


def trajectory(steps: Array, headings: Array) -> Trajectory:
    """A path in a plane, of steps (N,) metres along headings (N + 1,) radians, ten poses a second."""
    poses = np.tile(np.eye(4), (len(headings), 1, 1))
    poses[:, :3, :3] = [rotation_matrix(np.array([0.0, heading, 0.0])) for heading in headings]
    forward = poses[:-1, :3, 2] * steps[:, None]
    poses[1:, :3, 3] = np.cumsum(forward, axis=0)
    stamps = 1_700_000_000 * SECOND + np.arange(len(headings)) * (SECOND // 10)
    return Trajectory.from_poses(stamps, poses)


def driven(ratios: Array, wrong_turn: Array | float = 0.0, straight: bool = False) -> AlignedPaths:
    """A street of steps of a metre, their lengths estimated with ratios (N,), and with a turn too much."""
    count = len(ratios)
    headings = np.zeros(count + 1) if straight else 1.2 * np.sin(np.arange(count + 1) / 40.0)
    truth = trajectory(np.ones(count), headings)
    return align(trajectory(0.3 * ratios, headings + wrong_turn), truth)


def none(paths: AlignedPaths) -> Array:
    """No restart."""
    return np.zeros(len(paths.stamps_ns), np.int64)


@pytest.mark.parametrize("straight", [False, True])
def test_a_scale_that_halves_over_the_run_is_told_by_its_ends(straight: bool):
    paths = driven(np.linspace(1.0, 0.5, 400), straight=straight)
    found = scale_drift(drift(paths, none(paths)))
    # Tenths have means 0.975, 0.925, ... 0.525, their median is 0.75.
    assert found.first == pytest.approx(0.975 / 0.75, rel=2e-3)
    assert found.last == pytest.approx(0.525 / 0.75, rel=2e-3)
    assert found.worst == found.last


def test_a_bad_stretch_in_the_middle_is_the_worst_tenth():
    ratios = np.ones(500)
    ratios[200:250] = 3.0
    paths = driven(ratios)
    found = scale_drift(drift(paths, none(paths)))
    assert (found.first, found.last) == (pytest.approx(1, abs=1e-3), pytest.approx(1, abs=1e-3))
    assert found.worst == pytest.approx(3.0, rel=0.15)


def test_a_perfect_path_of_another_unit_does_not_drift():
    paths = driven(np.ones(300))
    found, turned = drift(paths, none(paths)), rotation_drift(paths, none(paths))
    assert found.tenths == pytest.approx(np.ones(10), abs=1e-9)
    assert found.rotation_deg == pytest.approx(np.zeros(301), abs=1e-5)
    assert turned.value == pytest.approx(0, abs=1e-5)


def test_a_camera_that_trembles_while_it_stands_gains_no_length():
    steps = np.concatenate([np.ones(100), np.zeros(300), np.ones(100)])
    headings = 1.2 * np.sin(np.cumsum(np.append(0.0, steps)) / 40.0)
    truth = trajectory(steps, headings)
    poses = truth.poses.copy()
    poses[:, :3, 3] += 0.02 * np.random.default_rng(3).standard_normal((len(poses), 3))
    paths = align(Trajectory(truth.stamps_ns, poses), truth)
    found = drift(paths, none(paths))
    assert found.tenths == pytest.approx(np.ones(10), abs=0.02)
    # The plain sum of its steps would be half as long again.
    assert paths.truth[-1, 0, 3] != 0
    assert np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum() > 1.05 * steps.sum()


def test_what_lies_between_two_segments_is_left_out():
    truth = trajectory(np.ones(400), 1.2 * np.sin(np.arange(401) / 40.0))
    kept = np.r_[0:200, 260:401]
    poses = truth.poses[kept].copy()
    # Lost for sixty frames: the path goes on from where it was, turned and in place.
    turn = rotation_matrix(np.array([0.0, 0.7, 0.0]))
    after = poses[199] @ np.linalg.inv(poses[200])
    poses[200:] = after @ poses[200:]
    poses[200:, :3, :3] = turn @ poses[200:, :3, :3]
    poses[200:, :3, 3] = (poses[200:, :3, 3] - poses[199, :3, 3]) @ turn.T + poses[199, :3, 3]
    paths = align(Trajectory(truth.stamps_ns[kept], poses), truth)
    segments = np.where(np.arange(len(kept)) < 200, 4, 5)
    found = drift(paths, segments)
    assert found.tenths == pytest.approx(np.ones(10), abs=1e-6)
    assert found.rotation_deg == pytest.approx(np.zeros(len(kept)), abs=1e-5)
    assert rotation_drift(paths, segments).value == pytest.approx(0, abs=1e-5)
    # Told nothing of the restart, both are seen.
    assert drift(paths, none(paths)).rotation_deg.max() > 30
    assert rotation_drift(paths, none(paths)).value > 5


def test_a_steady_wrong_turn_is_told_per_hundred_metres():
    paths = driven(np.ones(400), wrong_turn=np.radians(0.02) * np.arange(401))
    found = rotation_drift(paths, none(paths))
    assert (found.unit, found.part_m) == ("deg/100 m", 100.0)
    assert found.value == pytest.approx(2.0, rel=1e-6)
    assert drift(paths, none(paths)).rotation_deg[-1] == pytest.approx(8.0, rel=1e-6)


def test_of_a_short_path_the_turn_is_told_per_metre():
    paths = driven(np.ones(16), wrong_turn=np.radians(0.5) * np.arange(17))
    found = rotation_drift(paths, none(paths))
    assert (found.unit, found.part_m) == ("deg/m", 8.0)
    assert found.value == pytest.approx(0.5, rel=1e-6)


@pytest.mark.parametrize(
    "kind", ["no truth", "never moved", "no frames", "stood still in truth", "few frames"]
)
def test_where_nothing_can_be_judged_there_are_no_numbers(kind: str, tmp_path: Path):
    moving = trajectory(np.ones(100), np.arange(101) / 30.0)
    still = trajectory(np.zeros(100), np.zeros(101))
    nothing = Trajectory.from_poses([], np.zeros((0, 4, 4)))
    estimate, truth = {
        "no truth": (moving, None),
        "never moved": (still, moving),
        "no frames": (nothing, moving),
        "stood still in truth": (moving, still),
        "few frames": (Trajectory(moving.stamps_ns[:6], moving.poses[:6]), moving),
    }[kind]
    paths = align(estimate, truth)
    found = drift(paths, none(paths))
    assert scale_drift(found).worst is None
    if kind not in ("never moved", "few frames"):
        assert rotation_drift(paths, none(paths)).value is None
    plot_drift(found, tmp_path / "drift.png")
    assert cv2.imread(str(tmp_path / "drift.png")) is not None


def test_the_picture_shows_the_drift(tmp_path: Path):
    paths = driven(np.linspace(1.0, 0.5, 400), wrong_turn=np.radians(0.02) * np.arange(401))
    plot_drift(drift(paths, none(paths)), tmp_path / "drift.png")
    image = cv2.imread(str(tmp_path / "drift.png"))
    reddish = (image[..., 2].astype(int) - image[..., 0] > 100).any(axis=1)
    rows = np.flatnonzero(reddish)
    # The tenths step down over a good part of the upper half.
    assert rows[-1] - rows[0] > 0.3 * image.shape[0]
