# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The odometry over whole sequences of a world of points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drcn_ros.configuration import build
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.types import Features, Matches
from drcn_ros.odometry import Frame, OdometryConfig, Reason, State, VisualOdometry
from drcn_ros.odometry.config import REFERENCES, SCALE_SOURCES


def angle_deg(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(first @ second, -1.0, 1.0))))


def rotation_deg(matrix: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1.0) / 2.0, -1.0, 1.0))))


def test_forward_motion_is_tracked_with_the_true_rotation_and_direction(point_world, straight_poses):
    world = point_world(straight_poses(8, (0.02, 0.0, 0.3), yaw=0.01))
    results = world.run(8)
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


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("count", [150, 3000])
def test_matches_that_are_all_wrong_are_no_motion_and_say_why(point_world, straight_poses, count, reference):
    world = point_world(straight_poses(8, (0.0, 0.0, 0.2)), count=count, outliers=1.0)
    for result in world.run(8, {"reference": reference, "recovery": 60.0})[1:]:
        assert result.state is State.LOST
        assert result.reason in (Reason.FEW_INLIERS, Reason.DEGENERATE)
        assert result.relative_pose is result.rotation is None
        assert "that agree" in result.detail or "by chance" in result.detail or "determine" in result.detail


def test_a_track_keeps_its_id_and_ages(point_world, straight_poses):
    world = point_world(straight_poses(5, (0.0, 0.0, 0.2)), outliers=0.0)
    results = world.run(5)
    last = results[-1]
    assert (last.tracks.ages == 5).mean() > 0.8
    assert len(np.unique(last.tracks.ids)) == len(last.tracks.ids)
    first, second = results[0], results[1]
    for row in range(len(second.matches)):
        if second.inliers[row]:
            reference_id = first.tracks.ids[second.matches.reference_index[row]]
            assert second.tracks.ids[second.matches.current_index[row]] == reference_id


def test_the_path_does_not_follow_an_object_that_moves_along_with_the_camera(point_world, straight_poses):
    def crate(index: int) -> np.ndarray:
        return np.array([0.15 * np.sin(0.3 * index), 0.0, 0.104 * index])

    world = point_world(straight_poses(20, (0.0, 0.0, 0.1)), count=1500, depth=(2.0, 20.0), crate=crate)
    results = world.run(20)
    for index, result in enumerate(results[1:], start=1):
        assert result.state is State.TRACKING, result.detail
        assert result.relative_pose is not None
        assert angle_deg(result.relative_pose.translation, np.array([0.0, 0.0, 1.0])) < 2.0, index


def test_without_calibration_points_are_tracked_and_no_pose_is_told(point_world, straight_poses):
    world = point_world(straight_poses(3, (0.0, 0.0, 0.2)))
    odometry = VisualOdometry(OdometryConfig(), None, world)
    results = [odometry.process(world.frame(index)) for index in range(3)]
    assert all(result.state is State.WAITING_FOR_CALIBRATION for result in results)
    assert all(result.relative_pose is None for result in results)
    assert results[-1].tracks.ages.max() == 3


def test_an_image_of_another_size_than_the_calibration_has_no_pose(point_world, straight_poses):
    world = point_world(straight_poses(2, (0.0, 0.0, 0.2)))
    odometry = world.odometry()
    result = odometry.process(Frame(1, np.zeros((240, 320), np.uint8)))
    assert result.state is State.WAITING_FOR_CALIBRATION
    assert "320x240" in result.detail


def test_an_unusable_image_is_a_state_with_its_reason(point_world, straight_poses):
    world = point_world(straight_poses(2, (0.0, 0.0, 0.2)))
    odometry = world.odometry()
    result = odometry.process(Frame(1, np.zeros((4, 4, 7), np.uint8)))
    assert result.state is State.LOST
    assert result.reason is Reason.BAD_IMAGE
    assert "(4, 4, 7)" in result.detail


def test_a_clock_that_goes_back_starts_a_new_segment(point_world, straight_poses):
    world = point_world(straight_poses(4, (0.0, 0.0, 0.2)))
    odometry = world.odometry()
    odometry.process(world.frame(1))
    assert odometry.process(world.frame(2)).state is State.TRACKING
    late = odometry.process(world.frame(0))
    assert (late.state, late.reason) == (State.LOST, Reason.LATE_FRAME)
    assert odometry.process(world.frame(0)).segment == 0
    back = odometry.process(world.frame(0))
    assert (back.state, back.reason) == (State.INITIALIZING, Reason.CLOCK_JUMP)
    assert back.segment == 1
    assert np.array_equal(back.pose, np.eye(4))


def test_a_late_frame_is_left_out_and_nothing_else_changes(point_world, straight_poses):
    world = point_world(straight_poses(10, (0.0, 0.0, 0.2)))
    in_order, late = world.odometry(), world.odometry()
    expected = {index: in_order.process(world.frame(index)) for index in (4, 5, 7, 8, 9)}
    for index in (4, 5, 7, 6, 8, 9):
        result = late.process(world.frame(index))
        if index == 6:
            assert (result.state, result.reason) == (State.LOST, Reason.LATE_FRAME)
            assert len(result.keypoints) == len(result.tracks.ids) == 0
            assert "0.100 s older" in result.detail
        else:
            assert result.state is expected[index].state
            assert np.array_equal(result.pose, expected[index].pose)
            assert result.segment == 0


def test_too_few_keypoints_are_told_and_tracking_goes_on_after_them(point_world, straight_poses):
    world = point_world(straight_poses(4, (0.0, 0.0, 0.2)))
    odometry = world.odometry({"min_keypoints": 50})
    odometry.process(world.frame(0))
    everything = world._points
    world._points = everything[:30]
    poor = odometry.process(world.frame(1))
    world._points = everything
    assert (poor.state, poor.reason) == (State.LOST, Reason.FEW_KEYPOINTS)
    assert odometry.process(world.frame(2)).state is State.TRACKING


def test_standing_still_tells_no_translation_and_keeps_the_pose(point_world, straight_poses):
    world = point_world(straight_poses(12, (0.0, 0.0, 0.0)), noise_px=0.3)
    results = world.run(12)
    assert all(result.state is State.STATIONARY for result in results[1:])
    assert all(result.relative_pose is None for result in results)
    assert np.array_equal(results[-1].pose, np.eye(4))


def test_turning_on_the_spot_tells_the_rotation_alone(point_world, straight_poses):
    world = point_world(straight_poses(10, (0.0, 0.0, 0.0), yaw=0.02), noise_px=0.3)
    results = world.run(10)
    for index, result in enumerate(results[1:], start=1):
        assert result.state is State.ROTATION_ONLY
        assert result.relative_pose is None
        assert rotation_deg(result.pose[:3, :3].T @ world.truth(0, index)[:3, :3]) < 0.1
        assert np.array_equal(result.pose[:3, 3], np.zeros(3))


def test_coming_to_rest_becomes_stationary(point_world, straight_poses):
    moving = straight_poses(6, (0.15, 0.0, 0.1))
    world = point_world(moving + [moving[-1]] * 10, noise_px=0.2)
    results = world.run(16)
    assert results[5].state is State.TRACKING
    assert [result.state for result in results[-4:]] == [State.STATIONARY] * 4


def test_slow_motion_gets_a_baseline_from_a_keyframe(point_world, straight_poses):
    world = point_world(straight_poses(30, (0.004, 0.0, 0.0)), noise_px=0.2, outliers=0.0)
    found = {}
    for reference in REFERENCES:
        found[reference] = [result.state for result in world.run(30, {"reference": reference})]
    for reference in ("keyframe", "map"):
        assert found[reference].count(State.TRACKING) > found["previous"].count(State.TRACKING)
        assert found[reference][-10:] == [State.TRACKING] * 10


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_path_has_the_true_shape_up_to_one_scale(point_world, straight_poses, reference):
    poses = straight_poses(30, (0.05, 0.0, 0.12))
    for index, pose in enumerate(poses):
        pose[:3, 3] = [1.5 * np.sin(0.08 * index), 0.02 * index, 0.1 * index]
    world = point_world(poses, count=800, noise_px=0.15)
    path = np.array([result.pose[:3, 3] for result in world.run(30, {"reference": reference})])
    truth = np.array([world.truth(0, index)[:3, 3] for index in range(30)])
    scale = (path * truth).sum() / (path**2).sum()
    length = np.linalg.norm(np.diff(truth, axis=0), axis=1).sum()
    assert np.sqrt(((scale * path - truth) ** 2).sum(axis=1).mean()) < 0.02 * length


def test_a_lost_camera_is_found_again_at_a_keyframe_in_the_same_segment(point_world, straight_poses):
    world = point_world(straight_poses(8, (0.1, 0.0, 0.1)))
    odometry = world.odometry({"recovery": 10.0})
    for index in range(5):
        odometry.process(world.frame(index))
    everything = world._points
    world._points = everything + np.array([0.0, 500.0, 0.0])
    lost = odometry.process(world.frame(5))
    world._points = everything
    found = odometry.process(world.frame(6))
    assert lost.state is State.LOST
    assert lost.relative_pose is None
    assert found.state is State.TRACKING
    assert found.segment == 0
    place = found.pose[:3, 3] / np.linalg.norm(found.pose[:3, 3])
    assert angle_deg(place, np.array([1.0, 0.0, 1.0]) / np.sqrt(2.0)) < 5.0


def test_a_loss_that_lasts_starts_a_new_segment(point_world, straight_poses):
    world = point_world(straight_poses(12, (0.1, 0.0, 0.1)))
    odometry = world.odometry({"recovery": 0.25})
    for index in range(3):
        odometry.process(world.frame(index))
    kept = world.match
    world.match = lambda reference, current: Matches.empty()
    states = [odometry.process(world.frame(index)) for index in range(3, 7)]
    world.match = kept
    again = odometry.process(world.frame(7))
    assert [result.state for result in states[:2]] == [State.LOST] * 2
    assert any(result.reason is Reason.STALE_REFERENCE for result in states)
    assert again.segment == 1
    assert again.state is State.TRACKING


@pytest.mark.parametrize("source", ["twist_topic", "odometry_topic", "constant"])
def test_a_metric_source_gives_metres_while_it_is_fresh(point_world, straight_poses, source):
    world = point_world(straight_poses(30, (0.05, 0.0, 0.12)), noise_px=0.15)
    odometry = world.odometry({"scale.source": source, "scale.constant": 0.13, "reference": "previous"})
    results = []
    for index in range(30):
        stamp = world.frame(index).stamp_ns
        if index < 20:
            odometry.add_velocity(stamp, np.array([0.5, 0.0, 1.2]))
            odometry.add_odometry(stamp, world.poses[index][:3, 3])
        results.append(odometry.process(world.frame(index)))
    assert not results[1].metric or source == "constant"
    assert results[19].metric
    assert results[19].step_length == pytest.approx(0.13, rel=0.05)
    assert np.linalg.norm(results[19].pose[:3, 3]) == pytest.approx(0.13 * 19, rel=0.05)
    assert results[-1].metric == (source == "constant")
    assert results[-1].step_length == pytest.approx(0.13, rel=0.05)


def test_unit_steps_are_labelled_so(point_world, straight_poses):
    world = point_world(straight_poses(4, (0.05, 0.0, 0.3)))
    results = world.run(4, {"scale.source": "none", "reference": "previous"})
    assert all(not result.metric for result in results)
    assert results[-1].step_length == 1.0
    assert np.linalg.norm(results[-1].pose[:3, 3]) == pytest.approx(3.0, rel=0.01)


def test_a_frame_is_matched_with_the_configuration_that_it_was_prepared_with(point_world, straight_poses):
    world = point_world(straight_poses(4, (0.0, 0.0, 0.2)))
    odometry = world.odometry({"matcher.min_score": 0.3})
    odometry.process(world.frame(0))
    early = odometry.prepare(world.frame(1))
    odometry.update(build(OdometryConfig, {"matcher.min_score": 0.5}))
    late = odometry.prepare(world.frame(2))
    results = [odometry.place(prepared) for prepared in (early, late)]
    assert world.matched_with == [0.3, 0.5]
    assert [result.state for result in results] == [State.TRACKING] * 2
    assert results[-1].segment == 0


class Scribble(Matcher[Features]):
    """Extracts and matches whatever the test draws."""

    name = "scribble"

    def __init__(self, draw: st.DataObject) -> None:
        self._rng = np.random.default_rng(draw.draw(st.integers(0, 2**32 - 1)))
        self._draw = draw

    def extract(self, image: np.ndarray) -> Features:
        count = self._draw.draw(st.sampled_from([0, 5, 30, 60]))
        points = self._rng.uniform(-50.0, 700.0, (count, 2))
        if count and self._draw.draw(st.booleans()):
            points[: count // 2] = self._draw.draw(st.sampled_from([0.0, np.nan, np.inf, 320.0]))
        ones = torch.ones(count)
        return Features((640, 480), torch.tensor(points, dtype=torch.float32), ones, ones, None)

    def match(self, reference: Features, current: Features) -> Matches:
        count = self._rng.integers(0, min(len(reference), len(current)) + 1)
        rows = self._rng.permutation(len(reference))[:count].astype(np.int64)
        columns = self._rng.permutation(len(current))[:count].astype(np.int64)
        if self._draw.draw(st.booleans()):
            columns[::3] = -1
        first = reference.points.numpy()[rows]
        second = first + np.float32(self._draw.draw(st.sampled_from([0.0, 1.0, 1e6])))
        return Matches(first, second, np.linspace(1, 0, count, dtype=np.float32), rows, columns)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(draw=st.data(), source=st.sampled_from(SCALE_SOURCES), reference=st.sampled_from(REFERENCES))
def test_no_stream_raises_or_gives_a_number_that_is_not_finite(draw, source, reference):
    config = build(OdometryConfig, {"scale.source": source, "reference": reference})
    camera = Camera(640, 480, 500.0, 500.0, 319.5, 239.5)
    odometry = VisualOdometry(config, camera, Scribble(draw))
    stamp = 0
    for _ in range(6):
        stamp += draw.draw(st.sampled_from([0, 100_000_000, -500_000_000, 20_000_000_000]))
        result = odometry.process(Frame(stamp, np.zeros((480, 640), np.uint8)))
        assert np.isfinite(result.pose).all()
        assert (result.relative_pose is not None) == (result.state is State.TRACKING)
        assert len(result.inliers) == len(result.matches)
        assert len(result.tracks.ids) == len(result.keypoints)
        if result.relative_pose is not None:
            assert np.isfinite(result.relative_pose.covariance).all()
            assert result.step_length is not None
            assert result.step_length > 0.0
