# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix, rotation_vector
from drcn_ros.geometry.types import RelativePose
from drcn_ros.geometry.uncertain_pose import UncertainPose, compose
from drcn_ros.odometry import State
from drcn_ros.ros.messages import poses
from drcn_ros.ros.messages.poses import Accumulator, Velocity


def rigid(vector: list[float], translation: list[float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_matrix(np.array(vector)), translation
    return matrix


def disturbed(matrix: np.ndarray, error: np.ndarray) -> np.ndarray:
    result = matrix.copy()
    result[:3, :3] = rotation_matrix(error[3:]) @ matrix[:3, :3]
    result[:3, 3] += error[:3]
    return result


def error_between(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.concatenate([found[:3, 3] - true[:3, 3], rotation_vector(found[:3, :3] @ true[:3, :3].T)])


def random_covariance(generator: np.random.Generator) -> np.ndarray:
    root = 1e-3 * generator.normal(size=(6, 6))
    return root @ root.T


T_BC = rigid([0.2, -1.1, 0.7], [0.5, -0.2, 0.9])
FIRST, SECOND = rigid([0.1, 0.4, -0.2], [1.0, 2.0, -0.5]), rigid([-0.3, 0.2, 0.5], [0.3, -1.0, 2.0])


def sampled(function: Any, covariances: list[np.ndarray]) -> np.ndarray:
    """Return the covariance of what `function` makes of errors drawn from `covariances`."""
    generator = np.random.default_rng(3)
    draws = [generator.multivariate_normal(np.zeros(6), c, size=6000) for c in covariances]
    true = function(*(np.zeros(6) for _ in covariances))
    errors = [error_between(true, function(*row)) for row in zip(*draws, strict=True)]
    return np.cov(np.array(errors).T)


def agree(left: np.ndarray, right: np.ndarray) -> bool:
    return bool(np.linalg.norm(left - right) < 0.06 * np.linalg.norm(right))


def test_the_covariance_of_a_composition_is_that_of_samples() -> None:
    generator = np.random.default_rng(1)
    one, two = random_covariance(generator), random_covariance(generator)
    composed = compose(UncertainPose(FIRST, one), UncertainPose(SECOND, two))
    assert composed.matrix == pytest.approx(FIRST @ SECOND)
    assert agree(
        sampled(lambda a, b: disturbed(FIRST, a) @ disturbed(SECOND, b), [one, two]), composed.covariance
    )


def test_a_pose_of_the_base_is_conjugated_and_so_is_its_covariance() -> None:
    covariance = random_covariance(np.random.default_rng(2))
    base = poses.pose_to_base(UncertainPose(FIRST, covariance), T_BC)
    assert base.matrix == pytest.approx(T_BC @ FIRST @ np.linalg.inv(T_BC))
    conjugated = sampled(lambda e: T_BC @ disturbed(FIRST, e) @ np.linalg.inv(T_BC), [covariance])
    assert agree(conjugated, base.covariance)


def test_the_velocity_of_the_base_is_that_of_its_moving_origin() -> None:
    linear, angular = np.array([0.4, -0.3, 1.2]), np.array([0.2, 0.5, -0.7])
    base = poses.velocity_to_base(Velocity(linear, angular, np.eye(6)), T_BC)
    short = 1e-6
    camera_step = rigid((short * angular).tolist(), (short * linear).tolist())
    base_step = T_BC @ camera_step @ np.linalg.inv(T_BC)
    assert base.linear == pytest.approx(base_step[:3, 3] / short, abs=1e-5)
    assert base.angular == pytest.approx(rotation_vector(base_step[:3, :3]) / short, abs=1e-5)


def steps(kit: Any, count: int, seconds: float = 0.1, **changes: Any) -> list[Any]:
    """Return the results of `count` equal steps after a start at the identity."""
    step = rigid([0.0, 0.05, 0.0], [0.0, 0.0, 1.0])
    relative = RelativePose(step[:3, :3], step[:3, 3], 1e-4 * np.eye(6))
    results = [kit.result(stamp_ns=0, state=State.INITIALIZING, relative_pose=None, pose=np.eye(4))]
    pose = np.eye(4)
    for index in range(1, count + 1):
        pose = pose @ step
        stamp = round(index * seconds * 1e9)
        results.append(
            kit.result(
                stamp_ns=stamp,
                reference_stamp_ns=results[-1].stamp_ns,
                relative_pose=relative,
                pose=pose,
                **changes,
            )
        )
    return results


def test_the_covariance_grows_from_frame_to_frame_and_is_never_zero(kit: Any) -> None:
    accumulator = Accumulator()
    traces = [np.trace(accumulator.add(result)[0].covariance) for result in steps(kit, 5)]
    assert traces[0] > 0.0
    assert np.all(np.diff(traces) > 0.0)


def test_a_frame_measured_against_an_older_one_starts_from_its_covariance(kit: Any) -> None:
    results = steps(kit, 4)
    one, other = Accumulator(), Accumulator()
    for result in results[:-1]:
        one.add(result)
    other.add(results[0])
    jump = results[-1]
    pose, _ = one.add(kit.result(**{**vars(jump), "reference_stamp_ns": 0}))
    direct, _ = other.add(kit.result(**{**vars(jump), "reference_stamp_ns": 0}))
    assert pose.covariance == pytest.approx(direct.covariance)


def test_the_angular_velocity_is_the_turn_over_the_time(kit: Any) -> None:
    accumulator = Accumulator()
    *_, (_, velocity) = [accumulator.add(result) for result in steps(kit, 3, seconds=0.1)]
    assert velocity.angular == pytest.approx([0.0, 0.5, 0.0])
    assert velocity.linear == pytest.approx([0.0, 0.0, 0.0])
    assert velocity.covariance[0, 0] == poses.UNKNOWN_VARIANCE
    assert velocity.covariance[4, 4] == pytest.approx(1e-4 / 0.1**2)


def test_the_linear_velocity_is_given_with_a_metric_scale_in_the_moving_axes(kit: Any) -> None:
    accumulator = Accumulator()
    *_, (_, velocity) = [accumulator.add(result) for result in steps(kit, 3, seconds=0.1, metric=True)]
    forward = rotation_matrix(np.array([0.0, 0.05, 0.0])).T @ [0.0, 0.0, 1.0]
    assert velocity.linear == pytest.approx(forward / 0.1)
    assert velocity.covariance[0, 0] < poses.UNKNOWN_VARIANCE


def turning(kit: Any, state: State, vector: list[float]) -> tuple[Any, Any]:
    """Return a start and a frame 0.1 s later without a translation."""
    rotation = rotation_matrix(np.array(vector))
    changes = {"relative_pose": None, "rotation": rotation, "rotation_covariance": 1e-6 * np.eye(3)}
    start = kit.result(stamp_ns=0, state=State.INITIALIZING, relative_pose=None, pose=np.eye(4))
    pose = rigid(vector, [0.0, 0.0, 0.0])
    return start, kit.result(stamp_ns=10**8, reference_stamp_ns=0, state=state, pose=pose, **changes)


def test_a_mere_rotation_has_an_angular_velocity_and_adds_to_the_rotation_only(kit: Any) -> None:
    accumulator = Accumulator()
    start, turned = turning(kit, State.ROTATION_ONLY, [0.0, 0.0, 0.2])
    accumulator.add(start)
    pose, velocity = accumulator.add(turned)
    assert velocity.angular == pytest.approx([0.0, 0.0, 2.0])
    assert velocity.covariance[5, 5] == pytest.approx(1e-6 / 0.1**2, rel=1e-3)
    assert pose.covariance[5, 5] == pytest.approx(poses.SHARED_ERRORS * 1e-6, rel=0.01)
    assert pose.covariance[0, 0] < 1e-8


def test_standing_still_is_a_velocity_of_zero_and_adds_no_uncertainty(kit: Any) -> None:
    accumulator = Accumulator()
    start, still = turning(kit, State.STATIONARY, [0.0, 0.0, 0.0])
    before, _ = accumulator.add(start)
    pose, velocity = accumulator.add(still)
    assert velocity.angular == pytest.approx([0.0, 0.0, 0.0])
    assert velocity.covariance[3, 3] > 0.0
    assert pose.covariance == pytest.approx(before.covariance)


def test_the_variance_of_a_metric_velocity_is_in_metres(kit: Any) -> None:
    variances = []
    for length in (1.0, 3.0):
        accumulator = Accumulator()
        results = steps(kit, 2, metric=True, step_length=length, step_deviation=0.1)
        *_, (_, velocity) = [accumulator.add(result) for result in results]
        variances.append(velocity.covariance[:3, :3].diagonal())
    # Across the motion it grows with the square of the step, along it the step's own deviation counts.
    assert variances[1][1] == pytest.approx(9.0 * variances[0][1], rel=1e-3)
    assert variances[0][2] == pytest.approx((0.1 / 0.1) ** 2, rel=0.05)


def test_a_lost_frame_has_no_pose_and_breaks_the_velocity(kit: Any) -> None:
    accumulator = Accumulator()
    first, second, third = steps(kit, 2)
    accumulator.add(first)
    lost = kit.result(stamp_ns=second.stamp_ns, state=State.LOST, relative_pose=None)
    assert accumulator.add(lost) == (None, None)
    pose, velocity = accumulator.add(third)
    assert pose is not None
    assert velocity is None


def test_a_new_segment_starts_with_no_uncertainty_of_the_old_one(kit: Any) -> None:
    accumulator = Accumulator()
    results = steps(kit, 3)
    for result in results:
        accumulator.add(result)
    again, _ = accumulator.add(kit.result(**{**vars(results[0]), "segment": 1}))
    assert np.trace(again.covariance) == pytest.approx(6 * poses.LEAST_VARIANCE)
