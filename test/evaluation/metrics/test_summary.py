# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers that a run is judged by: as defined, as evo computes them, and None where there are none."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.evaluation.metrics.drift import rotation_drift
from drcn_ros.evaluation.metrics.pose_errors import PoseError
from drcn_ros.evaluation.metrics.summary import (
    LatencyMetrics,
    Spread,
    align,
    ate_metrics,
    kitti_metrics,
    larger_error,
    relative_pose_metrics,
)
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.sequences.trajectories.files import tum_lines
from drcn_ros.sequences.trajectories.trajectory import Trajectory

SECOND = 1_000_000_000


def wavy(count: int = 260, noise: float = 0.0, seed: int = 0) -> Trajectory:
    """A path of about a metre a second through space, turning all the time; with noise, an estimate of it."""
    random = np.random.default_rng(seed)
    poses = np.tile(np.eye(4), (count, 1, 1))
    for index in range(count):
        time = 0.1 * index
        vector = np.array([0.3 * np.sin(0.4 * time), 0.8 * np.sin(0.23 * time), 0.5 * np.cos(0.31 * time)])
        poses[index, :3, :3] = rotation_matrix(vector + noise * random.standard_normal(3))
        place = np.array([time, 2 * np.sin(0.5 * time), 0.4 * np.cos(0.7 * time)])
        poses[index, :3, 3] = place + noise * random.standard_normal(3)
    stamps = [1_700_000_000 * SECOND + index * SECOND // 10 for index in range(count)]
    return Trajectory.from_poses(stamps, poses)


def scaled(trajectory: Trajectory, scale: float) -> Trajectory:
    poses = trajectory.poses.copy()
    turn = rotation_matrix(np.array([0.4, -1.0, 0.7]))
    poses[:, :3, :3] = turn @ poses[:, :3, :3]
    poses[:, :3, 3] = scale * poses[:, :3, 3] @ turn.T + [3, -2, 9]
    return Trajectory(trajectory.stamps_ns, poses)


def evo(command: str, truth: Path, estimate: Path, results: Path, *options: str) -> dict[str, float]:
    """Run evo's own command line and return its statistics."""
    script = Path(sys.executable).with_name(command)
    arguments = [str(script), "tum", str(truth), str(estimate), *options, "--save_results", str(results)]
    subprocess.run([*arguments, "--no_warnings"], check=True, capture_output=True, timeout=300)
    with zipfile.ZipFile(results) as archive:
        stats: dict[str, float] = json.loads(archive.read("stats.json"))
    return stats


def test_numbers_agree_with_evo_to_a_millionth(tmp_path: Path):
    pytest.importorskip("evo", reason="the reference values come from evo")
    truth, estimate = wavy(), scaled(wavy(noise=0.02), 0.17)
    files = tmp_path / "truth.txt", tmp_path / "estimate.txt"
    for file, trajectory in zip(files, (truth, estimate), strict=True):
        file.write_text("".join(tum_lines(trajectory)))
    paths = align(estimate, truth)
    ape = evo("evo_ape", *files, tmp_path / "ape.zip", "--align", "--correct_scale")
    assert ate_metrics(paths).rmse_m == pytest.approx(ape["rmse"], rel=1e-6)
    drift = rotation_drift(paths, np.zeros(len(truth), int))
    parts = ("--delta", repr(drift.part_m), "--delta_unit", "m", "--all_pairs", "--pairs_from_reference")
    rpe = evo("evo_rpe", *files, tmp_path / "rpe.zip", *parts, "--pose_relation", "angle_deg")
    assert drift.parts > 100
    assert drift.mean_deg == pytest.approx(rpe["mean"], rel=1e-6)


def test_a_perfect_path_of_another_scale_has_no_error():
    paths = align(scaled(wavy(), 0.03), wavy())
    ate, kitti = ate_metrics(paths), kitti_metrics(paths)
    assert ate.rmse_m == pytest.approx(0, abs=1e-9)
    assert ate.scale == pytest.approx(1 / 0.03)
    assert ate.path_m == pytest.approx(wavy().length)
    assert kitti.alignment == "sim3"
    assert kitti.t_rel_percent == pytest.approx(0, abs=1e-6)


def test_kitti_errors_are_relative_to_the_length_of_each_part():
    poses = wavy(400).poses.copy()
    poses[:, :3, :3] = np.eye(3)
    truth = Trajectory(wavy(400).stamps_ns, poses)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(truth.positions, axis=0), axis=1))])
    turning = poses.copy()
    # Half a degree of turn for each metre of the path, places unchanged.
    turning[:, :3, :3] = [rotation_matrix(np.radians([0, 0.5 * distance, 0])) for distance in along]
    kitti = kitti_metrics(align(Trajectory(truth.stamps_ns, turning), truth))
    assert kitti.lengths_m[0] == pytest.approx(along[-1] / 10, abs=1e-5)
    assert kitti.parts > 50
    assert kitti.r_rel_deg_per_100m == pytest.approx(50, rel=0.05)


def test_long_paths_are_cut_as_the_benchmark_cuts_them():
    truth = wavy(1500)
    kitti = kitti_metrics(align(truth, truth))
    assert kitti.lengths_m[0] == 100.0
    assert kitti.parts > 0


def test_without_ground_truth_there_is_nothing_to_judge():
    paths = align(wavy(), None)
    assert ate_metrics(paths).rmse_m is None
    assert kitti_metrics(paths).t_rel_percent is None
    assert len(paths.estimate) == 260


def test_a_camera_that_never_moved_has_no_similarity():
    still = Trajectory(wavy().stamps_ns, np.tile(np.eye(4), (260, 1, 1)))
    assert ate_metrics(align(still, wavy())).rmse_m is None


def error(rotation: float | None, direction: float | None, moved: float = 1.0) -> PoseError:
    return PoseError(rotation, direction, moved)


def test_relative_poses_are_summed_up_with_failures_and_standstill_counted():
    errors = [error(0.1, 2.0), error(0.3, 8.0), error(0.2, None, moved=0.001), error(None, None)]
    metrics = relative_pose_metrics(errors, min_motion=0.01)
    assert (metrics.pairs, metrics.failed, metrics.unmoved, metrics.direction_pairs) == (3, 1, 1, 2)
    assert metrics.rotation_deg == Spread(pytest.approx(0.2), pytest.approx(0.28))
    assert metrics.direction_deg.median == pytest.approx(5.0)
    # Errors 0.2, 2, 8 and none: shares 1/4, 2/4, 3/4 with straight lines between them.
    area = 0.2 * 0.25 / 2 + 1.8 * (0.25 + 0.5) / 2 + 3.0 * 0.5
    assert metrics.auc["5"] == pytest.approx(100 * area / 5)


def test_no_pairs_give_no_numbers():
    metrics = relative_pose_metrics([], 0.01)
    assert metrics.auc == {"5": None, "10": None, "20": None}
    assert metrics.rotation_deg == Spread(None, None)
    assert LatencyMetrics.of([]) == LatencyMetrics(None, None)


def test_a_missing_direction_fails_only_where_the_camera_moved():
    assert larger_error(error(0.2, None, moved=0.5), 0.01) == 180.0
    assert larger_error(error(0.2, None, moved=0.001), 0.01) == 0.2
    assert larger_error(error(None, None, moved=0.001), 0.01) == 180.0
