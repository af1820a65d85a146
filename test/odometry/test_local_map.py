# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The local map hands depths on only where they were measured, and gets over what was placed wrongly."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.matching.types import Features, Matches
from drcn_ros.odometry import Reason, State, local_map
from drcn_ros.odometry.local_map import LocalMap
from drcn_ros.odometry.map_data import MapData

FRAMES = 30


@pytest.fixture
def curve(straight_poses):
    """Poses along a bend, half a metre a frame."""
    poses = straight_poses(FRAMES, (0.0, 0.0, 0.0), 0.02)
    for index in range(1, FRAMES):
        poses[index][:3, 3] = poses[index - 1][:3, 3] + 0.3 * poses[index - 1][:3, 2]
    return poses


@pytest.fixture
def keyframes(monkeypatch):
    """The keyframes of all maps, in the order in which they are made."""
    made = []
    insert = MapData.insert
    monkeypatch.setattr(MapData, "insert", lambda *given: made.append(insert(*given)) or made[-1])
    return made


def _path_error(world, results, first=0):
    """Return the path error after a scale, over the true path's length, from a frame on."""
    path = np.array([result.pose[:3, 3] for result in results[first:]])
    truth = np.array([world.truth(0, index)[:3, 3] for index in range(first, len(results))])
    path, truth = path - path[0], truth - truth[0]
    turn = results[first].pose[:3, :3] @ world.truth(0, first)[:3, :3].T
    truth = truth @ turn.T
    scale = (path * truth).sum() / (path**2).sum()
    length = np.linalg.norm(np.diff(truth, axis=0), axis=1).sum()
    return np.sqrt(((scale * path - truth) ** 2).sum(axis=1).mean()) / length


def test_the_scale_holds_over_many_keyframes(point_world, curve):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    results = world.run(FRAMES)
    assert [result.state for result in results[1:]] == [State.TRACKING] * (FRAMES - 1)
    assert _path_error(world, results) < 0.005
    steps = np.linalg.norm(np.diff([result.pose[:3, 3] for result in results], axis=0), axis=1)
    assert np.mean(steps[-5:]) / np.mean(steps[2:7]) == pytest.approx(1.0, abs=0.03)


def test_a_step_tells_how_well_its_length_is_known(point_world, curve):
    results = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0)).run(10)
    # The first baseline is the unit, so nothing measures it.
    assert results[1].step_deviation == np.inf
    for result in results[3:]:
        assert 0.0 < result.step_deviation < 0.1 * result.step_length


def test_a_landmark_is_not_handed_to_a_keypoint_beside_its_place(point_world, curve, monkeypatch, keyframes):
    world = point_world(curve, count=1500, noise_px=0.0, outliers=0.0)
    match = world.match

    def beside(reference, current):
        """Refined places lie 1.5 px beside every second keypoint of the current image."""
        found = match(reference, current)
        places = found.current_points.copy()
        places[found.current_index % 2 == 1] += np.float32(1.5 / np.sqrt(2.0))
        return Matches(
            found.reference_points, places, found.scores, found.reference_index, found.current_index
        )

    monkeypatch.setattr(world, "match", beside)
    odometry = world.odometry({"two_view.systematic_px": 0.0})
    for index in range(2):
        odometry.process(world.frame(index))
    odometry.landmarks()
    first, second = keyframes[:2]
    assert (first.landmark >= 0).sum() > 100
    assert (second.landmark[0::2] >= 0).sum() > 40
    assert (second.landmark[1::2] >= 0).sum() == 0


def test_a_keypoint_that_takes_a_landmark_moves_to_its_place(point_world, curve, monkeypatch, keyframes):
    world = point_world(curve, count=1500, noise_px=0.0, outliers=0.0)
    match = world.match

    def beside(reference, current):
        """Narrow patches find all places 0.6 px to the right of the keypoints."""
        found = match(reference, current)
        return replace(found, narrow_points=found.current_points + np.float32([0.6, 0.0]))

    monkeypatch.setattr(world, "match", beside)
    odometry = world.odometry({"two_view.systematic_px": 0.0})
    frames = [world.frame(index) for index in range(2)]
    for frame in frames:
        odometry.process(frame)
    odometry.landmarks()
    second = keyframes[1]
    carries = second.landmark >= 0
    assert carries.sum() > 100
    original = world.extract(frames[1].image).points.numpy()
    moved = second.view.points - original
    assert np.allclose(moved[carries], [0.6, 0.0], atol=1e-3)
    assert np.array_equal(second.view.points, second.view.features.points.numpy())
    assert not moved[~carries].any()


@pytest.mark.parametrize("pixel", [1.0, 3.0])
def test_bounds_are_in_pixels_of_the_image_that_is_matched(point_world, curve, monkeypatch, keyframes, pixel):
    world = point_world(curve, count=1500, noise_px=0.0, outliers=0.0)
    match = world.match
    monkeypatch.setattr(Features, "pixel", property(lambda _: pixel))

    def beside(reference, current):
        """Narrow patches find all places 0.6 px of the matched image beside the others."""
        found = match(reference, current)
        return replace(found, narrow_points=found.current_points + np.float32([0.6 * pixel, 0.0]))

    monkeypatch.setattr(world, "match", beside)
    odometry = world.odometry({"two_view.systematic_px": 0.0})
    for index in range(2):
        odometry.process(world.frame(index))
    odometry.landmarks()
    assert (keyframes[1].landmark >= 0).sum() > 100


@pytest.mark.parametrize("is_keyframe", [False, True])
def test_a_wrong_placement_does_not_survive(point_world, curve, monkeypatch, is_keyframe):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry({"keyframe.max_parallax": 0.001 if is_keyframe else 1.0})
    place = LocalMap.place
    wrong_frame = 12

    def placed(self, reference, view, *rest):
        found = place(self, reference, view, *rest)
        if world.index(view.stamp_ns) == wrong_frame:
            found.pose[:3, :3] = found.pose[:3, :3] @ rotation_matrix(np.array([0.0, np.radians(5.0), 0.0]))
            found.pose[:3, 3] += 0.5 * found.length
        return found

    monkeypatch.setattr(LocalMap, "place", placed)
    results = [odometry.process(world.frame(index)) for index in range(FRAMES)]
    later = range(wrong_frame + 4, FRAMES)
    scale = np.median(
        [
            np.linalg.norm(world.truth(0, i)[:3, 3]) / np.linalg.norm(results[i].pose[:3, 3])
            for i in range(6, 12)
        ]
    )
    for index in later:
        off = np.linalg.inv(world.truth(0, index)) @ np.block(
            [[results[index].pose[:3, :3], scale * results[index].pose[:3, 3:]], [np.zeros((1, 3)), 1.0]]
        )
        assert np.linalg.norm(off[:3, 3]) < 0.1
        assert np.degrees(np.arccos(min(1.0, (np.trace(off[:3, :3]) - 1.0) / 2.0))) < 0.5


def test_memory_does_not_grow_with_the_path(point_world, straight_poses):
    poses = straight_poses(200, (0.0, 0.0, 0.0))
    for index, pose in enumerate(poses):
        # To and fro, so that the points never end.
        pose[:3, 3] = [0.0, 0.0, 3.0 * np.sin(index / 10.0)]
    world = point_world(poses, count=600)
    odometry = world.odometry({"keyframe.max_parallax": 0.001})
    sizes = []
    for index in range(200):
        odometry.process(world.frame(index))
        odometry.landmarks()
        sizes.append((len(odometry._map._data.landmarks.host), len(odometry._map._data.landmarks.of)))
    assert max(sizes[-60:])[0] <= 1.2 * max(sizes[60:120])[0]
    assert len(odometry._map._data.keyframes) <= 20


def test_a_frame_does_not_wait_for_what_its_keyframe_asks_for(point_world, curve, monkeypatch):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    waited_for = [result.pose for result in world.run(FRAMES)]
    begun, go_on = threading.Event(), threading.Event()
    adjust = local_map.adjust_newest

    def adjusted(*given):
        begun.set()
        assert go_on.wait(60.0)
        adjust(*given)

    monkeypatch.setattr(local_map, "adjust_newest", adjusted)
    odometry = world.odometry()
    poses = []
    for index in range(FRAMES):
        poses.append(odometry.process(world.frame(index)).pose)
        if begun.wait(0.02) and not go_on.is_set():
            stopped_at = index
            go_on.set()
    # The frame had its result while the adjustment stood still, and all poses are those of any other run.
    assert stopped_at > 0
    assert np.array_equal(poses, waited_for)


def test_a_failure_of_the_adjustment_is_told_at_the_next_frame_and_a_reset_helps(
    point_world, curve, monkeypatch
):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry()

    def broken(*_given):
        raise np.linalg.LinAlgError("made up")

    monkeypatch.setattr(local_map, "adjust_newest", broken)
    frames = [world.frame(index) for index in range(FRAMES)]
    with pytest.raises(np.linalg.LinAlgError, match="made up"):
        deque(map(odometry.process, frames), maxlen=0)
    monkeypatch.undo()
    odometry.reset()
    states = [odometry.process(world.frame(index)).state for index in range(12, 16)]
    assert states == [State.INITIALIZING, *[State.TRACKING] * 3]


def test_a_reset_waits_for_the_adjustment_and_drops_what_it_ends_with(point_world, curve, monkeypatch):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry()
    begun = threading.Event()

    def broken(*_given):
        begun.set()
        # Long enough that the reset comes in the middle.
        time.sleep(0.2)
        raise np.linalg.LinAlgError("made up")

    monkeypatch.setattr(local_map, "adjust_newest", broken)
    for index in range(FRAMES):
        odometry.process(world.frame(index))
        if begun.wait(0.02):
            break
    assert begun.is_set()
    odometry.reset()
    assert len(odometry.landmarks().points) == 0
    assert odometry.process(world.frame(FRAMES - 1)).state is State.INITIALIZING


def test_a_motion_that_the_landmarks_contradict_is_no_tracking(point_world, curve, monkeypatch):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry()
    for index in range(10):
        odometry.process(world.frame(index))
    monkeypatch.setattr(LocalMap, "place", lambda *_given: None)
    result = odometry.process(world.frame(10))
    assert (result.state, result.reason) == (State.LOST, Reason.MAP_DISAGREES)
    assert result.relative_pose is result.rotation is result.step_length is None
    monkeypatch.undo()
    assert odometry.process(world.frame(11)).state is State.TRACKING


def _spoil(odometry):
    """Put all landmarks where there is nothing."""
    odometry.landmarks()
    ray = odometry._map._data.landmarks.ray
    ray[:, :2] = np.random.default_rng(3).uniform(-0.5, 0.5, (len(ray), 2))


def test_a_map_that_was_spoilt_begins_anew_on_the_same_path(point_world, curve):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry()
    results = [odometry.process(world.frame(index)) for index in range(12)]
    _spoil(odometry)
    results += [odometry.process(world.frame(index)) for index in range(12, FRAMES)]
    anew = results[12]
    assert (anew.state, anew.reason) == (State.TRACKING, Reason.MAP_DISAGREES)
    # Nothing but the speed so far tells the length.
    assert anew.step_deviation == np.inf
    assert {result.state for result in results[13:]} == {State.TRACKING}
    assert {result.segment for result in results} == {0}
    steps = np.linalg.norm(np.diff([result.pose[:3, 3] for result in results], axis=0), axis=1)
    assert np.median(steps[16:]) == pytest.approx(np.median(steps[6:11]), rel=0.2)
    assert _path_error(world, results) < 0.02


@pytest.mark.parametrize("leaps", [False, True])
def test_two_views_alone_are_believed_only_beside_the_motion_so_far(point_world, curve, monkeypatch, leaps):
    for index in range(12, FRAMES):
        # From then on the camera is elsewhere: to the side, and back.
        curve[index][:3, 3] += leaps * (2.0 * curve[index][:3, 0] - 1.5 * curve[index][:3, 2])
    world = point_world(curve, count=4000, noise_px=0.3, depth=(4.0, 25.0))
    odometry = world.odometry()
    for index in range(12):
        odometry.process(world.frame(index))
    odometry.landmarks()
    find = local_map.pose_from_landmarks
    monkeypatch.setattr(local_map, "pose_from_landmarks", lambda *given: replace(find(*given), agree=0))
    result = odometry.process(world.frame(12))
    assert result.reason is Reason.MAP_DISAGREES
    assert result.state is (State.LOST if leaps else State.TRACKING)


def test_a_calibration_that_comes_later_finds_a_map(point_world, curve):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry()
    odometry.set_camera(None)
    waiting = [odometry.process(world.frame(index)).state for index in range(3)]
    odometry.set_camera(world.camera)
    states = [odometry.process(world.frame(index)).state for index in range(3, 10)]
    assert waiting == [State.WAITING_FOR_CALIBRATION] * 3
    assert states[-6:] == [State.TRACKING] * 6


def test_another_resolution_goes_on_with_the_speed_so_far(point_world, curve):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry()
    results = [odometry.process(world.frame(index)) for index in range(12)]
    odometry.resume(odometry.prepare(world.frame(11)), world.camera)
    results += [odometry.process(world.frame(index)) for index in range(12, 20)]
    steps = np.linalg.norm(np.diff([result.pose[:3, 3] for result in results], axis=0), axis=1)
    assert results[-1].segment == results[0].segment
    assert steps[11] == pytest.approx(np.median(steps[6:11]), rel=0.3)
    assert np.median(steps[13:]) == pytest.approx(np.median(steps[6:11]), rel=0.3)


def test_a_change_to_the_map_while_running_starts_anew(point_world, curve):
    world = point_world(curve, count=4000, noise_px=0.3, depth=(2.0, 25.0))
    odometry = world.odometry({"reference": "previous"})
    for index in range(3):
        odometry.process(world.frame(index))
    odometry.update(replace(odometry.config, reference="map"))
    states = [odometry.process(world.frame(index)).state for index in range(3, 7)]
    assert states == [State.INITIALIZING, *[State.TRACKING] * 3]


@pytest.mark.parametrize("source", ["camera_height", "twist_topic", "odometry_topic"])
def test_a_map_takes_its_metres_from_a_metric_source(point_world, straight_poses, source):
    world = point_world(straight_poses(FRAMES, (0.05, 0.0, 0.12)), count=1500, noise_px=0.1, outliers=0.0)
    if source == "camera_height":
        rng = np.random.default_rng(2)
        depth = rng.uniform(2.5, 9.0, 1500)
        across = rng.uniform(-0.6, 0.6, 1500) * depth
        world._points = np.column_stack([across, np.where(rng.random(1500) < 0.7, 1.4, -0.5), depth])
    odometry = world.odometry({"scale.source": source, "scale.camera_height": 1.4, "scale.window": 10.0})
    results = []
    for index in range(FRAMES):
        stamp = world.frame(index).stamp_ns
        odometry.add_velocity(stamp, np.array([0.5, 0.0, 1.2]))
        odometry.add_odometry(stamp, world.poses[index][:3, 3])
        results.append(odometry.process(world.frame(index)))
    assert results[-1].metric
    walked = np.linalg.norm(results[-1].pose[:3, 3] - results[FRAMES // 2].pose[:3, 3])
    assert walked == pytest.approx(0.13 * (FRAMES - 1 - FRAMES // 2), rel=0.05)


def test_the_frames_before_the_map_begins_are_told_in_its_unit(point_world, straight_poses):
    world = point_world(straight_poses(6, (0.075, 0.0, 0.0)), count=2000, noise_px=0.05, outliers=0.0)
    steps = np.linalg.norm(np.diff([result.pose[:3, 3] for result in world.run(6)], axis=0), axis=1)
    assert steps.max() < 1.2 * steps.min()
