# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a run tells of ground truth that does not cover it, lies at other times, or has turned quaternions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.sequences.ground_truth.check import coverage, truth_lines
from drcn_ros.sequences.ground_truth.fit import EstimatedRotation, better_offset, better_order, reordered
from drcn_ros.sequences.ground_truth.options import TruthOptions
from drcn_ros.sequences.trajectories.trajectory import Trajectory

SECOND = 1_000_000_000


def winding(seconds: float = 20.0) -> Trajectory:
    """A hand-held camera, told 100 times a second."""
    times = np.arange(0.0, seconds, 0.01)
    poses = np.tile(np.eye(4), (len(times), 1, 1))
    for index, t in enumerate(times):
        swing = [0.3 * np.sin(1.3 * t), 0.5 * np.sin(0.9 * t + 0.4), 0.2 * np.sin(2.1 * t)]
        poses[index, :3, :3] = rotation_matrix(np.array(swing))
        poses[index, :3, 3] = [0.4 * t, np.sin(t), 0.0]
    return Trajectory.from_poses(np.round(times * SECOND).astype(np.int64), poses)


def frames(seconds: float = 20.0) -> list[int]:
    return [round(t * SECOND) for t in np.arange(0.0, seconds - 0.1, 0.1)]


def turns(truth: Trajectory, error_deg: float = 0.1) -> list[EstimatedRotation]:
    """Estimated rotations: the true ones with small errors."""
    random = np.random.default_rng(5)
    stamps = frames()
    poses, _ = truth.at(stamps)
    result = []
    for before, after in zip(range(len(stamps) - 1), range(1, len(stamps)), strict=True):
        error = rotation_matrix(np.radians(error_deg) * random.standard_normal(3))
        rotation = poses[before, :3, :3].T @ poses[after, :3, :3] @ error
        result.append(EstimatedRotation(stamps[before], stamps[after], rotation))
    return result


def moved(truth: Trajectory, seconds: float) -> Trajectory:
    return replace(truth, stamps_ns=truth.stamps_ns + round(seconds * SECOND))


def test_truth_that_fits_is_left_alone():
    truth = winding()
    assert truth_lines(frames(), turns(truth), truth) == []


@pytest.mark.parametrize("offset", [-0.05, 0.05, 0.32])
def test_a_clock_that_is_off_is_told_with_its_offset(offset):
    truth = winding()
    found = better_offset(turns(truth), moved(truth, offset))
    assert found is not None
    assert found.offset_s == pytest.approx(-offset, abs=0.006)
    assert found.smaller_deg < 0.7 * found.error_deg
    (line, *rest) = reversed(truth_lines(frames(), turns(truth), moved(truth, offset), 1.0))
    assert f"type --gt-offset {1.0 + found.offset_s:.3f}" in line
    assert all("before or after" in other for other in rest)


def test_a_small_offset_under_larger_errors_is_none_that_could_be_told():
    truth = winding()
    assert better_offset(turns(truth, error_deg=2.0), moved(truth, 0.01)) is None


def test_quaternions_in_the_other_order_are_told():
    truth = winding()
    # What is written as w x y z and read as x y z w.
    wrong = Trajectory.from_quaternions(truth.stamps_ns, truth.positions, truth.quaternions[:, [3, 0, 1, 2]])
    found = better_order(turns(truth), wrong)
    assert found is not None
    assert found.smaller_deg < 0.5
    (line,) = truth_lines(frames(), turns(truth), wrong)
    assert "type --gt-order wxyz" in line
    assert np.abs(reordered(wrong).poses - truth.poses).max() < 1e-12
    assert better_order(turns(truth), truth) is None


def test_no_time_in_common_is_one_line_with_both_spans_and_what_to_type():
    truth = moved(winding(), 3600.0)
    (line,) = truth_lines(frames(), turns(winding()), truth)
    assert "no time in common: images from 0.000 to 19.800 s" in line
    assert "ground truth from 3600.000 to 3619.990 s" in line
    assert "type --gt-offset -3600.000" in line


def test_three_poses_in_common_are_told():
    truth = moved(winding(), 19.6)
    (line,) = truth_lines(frames(), turns(winding()), truth)
    assert "only 3 of 199 frames have ground truth" in line
    assert "overlap 0.200 s" in line


def test_gaps_are_counted_and_never_interpolated():
    truth = winding()
    kept = (truth.stamps_ns < 5 * SECOND) | (truth.stamps_ns > 8 * SECOND)
    holed = replace(truth, stamps_ns=truth.stamps_ns[kept], poses=truth.poses[kept])
    covered = coverage(frames(), holed)
    assert (covered.frames, covered.known, covered.in_gaps, covered.outside) == (199, 168, 31, 0)
    (line,) = truth_lines(frames(), turns(truth), holed)
    assert line.startswith("31 of 199 frames lie in gaps of the ground truth longer than 0.12 s")
    wide = TruthOptions(max_gap_s=4.0).applied(holed)
    assert coverage(frames(), wide).known == 199


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"offset_s": float("nan")}, "--gt-offset nan"),
        ({"max_gap_s": -1.0}, "--gt-max-gap -1"),
        ({"order": "wxyz"}, "--gt-order wxyz: goes with --gt FILE"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        TruthOptions(**settings)
