# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The odometry over whole sequences of a world of points."""

from __future__ import annotations

import numpy as np

from drcn_ros.configuration import build
from drcn_ros.odometry import Frame, OdometryConfig, Reason, State, VisualOdometry


def angle_deg(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(first @ second, -1.0, 1.0))))


def rotation_deg(matrix: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1.0) / 2.0, -1.0, 1.0))))


def test_forward_motion_is_tracked_with_the_true_rotation_and_direction(point_world, straight_poses):
    world = point_world(straight_poses(8, (0.02, 0.0, 0.3), yaw=0.01))
    odometry = VisualOdometry(OdometryConfig(), world.camera, world)
    results = [odometry.process(world.frame(index)) for index in range(8)]
    assert results[0].state is State.INITIALIZING
    assert results[0].relative_pose is None
    for index, result in enumerate(results[1:], start=1):
        assert result.state is State.TRACKING, result.detail
        assert result.reference_stamp_ns is not None
        pose, truth = result.relative_pose, world.truth(world.index(result.reference_stamp_ns), index)
        assert pose is not None
        assert rotation_deg(pose.rotation.T @ truth[:3, :3]) < 0.1
        direction = truth[:3, 3] / np.linalg.norm(truth[:3, 3])
        assert angle_deg(pose.translation, direction) < 2.0
        assert result.inliers.sum() > 0.7 * len(result.matches)


def test_a_track_keeps_its_id_and_ages(point_world, straight_poses):
    world = point_world(straight_poses(5, (0.0, 0.0, 0.2)), outliers=0.0)
    odometry = VisualOdometry(OdometryConfig(), world.camera, world)
    results = [odometry.process(world.frame(index)) for index in range(5)]
    last = results[-1]
    assert (last.tracks.ages == 5).mean() > 0.8
    assert len(np.unique(last.tracks.ids)) == len(last.tracks.ids)
    first, second = results[0], results[1]
    for row in range(len(second.matches)):
        if second.inliers[row]:
            reference_id = first.tracks.ids[second.matches.reference_index[row]]
            assert second.tracks.ids[second.matches.current_index[row]] == reference_id


def test_without_calibration_points_are_tracked_and_no_pose_is_told(point_world, straight_poses):
    world = point_world(straight_poses(3, (0.0, 0.0, 0.2)))
    odometry = VisualOdometry(OdometryConfig(), None, world)
    results = [odometry.process(world.frame(index)) for index in range(3)]
    assert all(result.state is State.WAITING_FOR_CALIBRATION for result in results)
    assert all(result.relative_pose is None for result in results)
    assert results[-1].tracks.ages.max() == 3


def test_an_image_of_another_size_than_the_calibration_has_no_pose(point_world, straight_poses):
    world = point_world(straight_poses(2, (0.0, 0.0, 0.2)))
    odometry = VisualOdometry(OdometryConfig(), world.camera, world)
    result = odometry.process(Frame(1, np.zeros((240, 320), np.uint8)))
    assert result.state is State.WAITING_FOR_CALIBRATION
    assert "320x240" in result.detail


def test_an_unusable_image_is_a_state_with_its_reason(point_world, straight_poses):
    world = point_world(straight_poses(2, (0.0, 0.0, 0.2)))
    odometry = VisualOdometry(OdometryConfig(), world.camera, world)
    result = odometry.process(Frame(1, np.zeros((4, 4, 7), np.uint8)))
    assert result.state is State.LOST
    assert result.reason is Reason.BAD_IMAGE
    assert "(4, 4, 7)" in result.detail


def test_a_clock_that_goes_back_starts_a_new_segment(point_world, straight_poses):
    world = point_world(straight_poses(4, (0.0, 0.0, 0.2)))
    odometry = VisualOdometry(OdometryConfig(), world.camera, world)
    odometry.process(world.frame(1))
    assert odometry.process(world.frame(2)).state is State.TRACKING
    back = odometry.process(world.frame(0))
    assert (back.state, back.reason) == (State.INITIALIZING, Reason.CLOCK_JUMP)
    assert back.segment == 1
    assert np.array_equal(back.pose, np.eye(4))


def test_too_few_keypoints_are_told_and_tracking_goes_on_after_them(point_world, straight_poses):
    world = point_world(straight_poses(4, (0.0, 0.0, 0.2)))
    config = build(OdometryConfig, {"min_keypoints": 50})
    odometry = VisualOdometry(config, world.camera, world)
    odometry.process(world.frame(0))
    everything = world._points
    world._points = everything[:30]
    poor = odometry.process(world.frame(1))
    world._points = everything
    assert (poor.state, poor.reason) == (State.LOST, Reason.FEW_KEYPOINTS)
    assert odometry.process(world.frame(2)).state is State.TRACKING
