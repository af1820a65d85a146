# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the local map meets, each frame gets a state with its reason, and no number is lost or NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.matching.types import Matches
from drcn_ros.odometry import Reason, State, bundle_adjustment, map_adjustment

FRAMES = 14
# When the trouble begins: the map has some keyframes by then.
TROUBLE = 6

# Fixtures that give classes or patch modules are the same for every example.
_few = settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_steps = st.tuples(st.floats(-0.2, 0.2), st.floats(-0.1, 0.1), st.floats(0.1, 0.4))
_yaws = st.floats(-0.03, 0.03)


def _sound(odometry, frame):
    """Process a frame, check all that is told about it, and return it."""
    result = odometry.process(frame)
    assert result.stamp_ns == frame.stamp_ns
    assert isinstance(result.state, State)
    assert isinstance(result.reason, Reason)
    assert result.detail
    assert np.isfinite(result.pose).all()
    assert np.allclose(result.pose[:3, :3] @ result.pose[:3, :3].T, np.eye(3), atol=1e-9)
    assert (result.state is State.TRACKING) == (result.relative_pose is not None)
    assert (result.state is State.TRACKING) == (result.step_length is not None)
    if result.relative_pose is not None:
        assert np.isfinite(result.relative_pose.rotation).all()
        assert np.isfinite(result.relative_pose.covariance).all()
        assert np.linalg.norm(result.relative_pose.translation) == pytest.approx(1.0)
        assert 0.0 <= result.step_length < np.inf
        assert result.step_deviation >= 0.0
    landmarks = odometry.landmarks()
    assert np.isfinite(landmarks.points).all()
    assert (landmarks.variance >= 0.0).all()
    return result


def _run(world, trouble=None, odometry=None, frames=FRAMES):
    """Process frames; `trouble` gets the odometry once, before the frame at which it begins."""
    odometry = odometry or world.odometry()
    results = []
    for index in range(frames):
        if index == TROUBLE and trouble is not None:
            trouble(odometry)
        results.append(_sound(odometry, world.frame(index)))
    return results


def _turned(world, results, first, last):
    """Return the error of the rotation between two frames, degrees."""
    told = results[first].pose[:3, :3].T @ results[last].pose[:3, :3]
    cosine = 0.5 * (np.trace(told.T @ world.truth(first, last)[:3, :3]) - 1.0)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _steps_are_even(results, first):
    """Return whether equal true steps are told as equal from a frame on."""
    lengths = np.linalg.norm(np.diff([result.pose[:3, 3] for result in results[first:]], axis=0), axis=1)
    return lengths.max() < 1.3 * lengths.min()


@_few
@given(nearest=st.floats(1e5, 1e9), step=_steps, yaw=_yaws)
def test_landmarks_at_infinity_tell_a_turn_and_no_translation(
    point_world, straight_poses, nearest, step, yaw
):
    world = point_world(straight_poses(FRAMES, step, yaw), count=600, depth=(nearest, 10.0 * nearest))
    results = _run(world)
    told = {result.state for result in results[1:]}
    assert told <= {State.ROTATION_ONLY, State.STATIONARY}
    assert {result.reason for result in results[1:]} <= {Reason.LOW_PARALLAX, Reason.NO_MOTION}
    assert _turned(world, results, 0, FRAMES - 1) < 0.2
    assert not results[-1].pose[:3, 3].any()


@_few
@given(
    tilt=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
    step=st.tuples(st.floats(0.1, 0.3), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
)
def test_landmarks_on_a_plane_are_tracked_or_called_ambiguous(point_world, straight_poses, tilt, step):
    world = point_world(straight_poses(FRAMES, step), count=900)
    x, y = world._points[:, 0] / world._points[:, 2], world._points[:, 1] / world._points[:, 2]
    depth = 6.0 / (1.0 - tilt[0] * x - tilt[1] * y)
    world._points = np.column_stack([x * depth, y * depth, depth])
    results = _run(world)
    for result in results[1:]:
        assert result.reason in (Reason.OK, Reason.PLANAR_AMBIGUITY, Reason.STALE_REFERENCE)
    if max(np.abs(tilt)) > 0.2:
        assert sum(result.state is State.TRACKING for result in results) > FRAMES // 2


@_few
@given(part=st.sampled_from([0.3, 1.0]), step=_steps, yaw=_yaws)
def test_landmarks_behind_the_camera_are_got_over(point_world, straight_poses, part, step, yaw):
    def mirror(odometry):
        """Put landmarks where a camera that looked back would have them."""
        marks = odometry._map._data.landmarks
        marks.ray[: int(part * len(marks.ray))] *= -1.0

    world = point_world(straight_poses(FRAMES + 2, step, yaw), count=900)
    results = _run(world, mirror, frames=FRAMES + 2)
    for result in results[1:]:
        assert result.reason in (Reason.OK, Reason.MAP_DISAGREES, Reason.STALE_REFERENCE)
    assert results[-1].state is State.TRACKING


@_few
@given(lasts=st.integers(1, 4), known=st.booleans(), step=_steps, yaw=_yaws)
def test_keyframes_without_landmarks_are_got_over(
    point_world, straight_poses, monkeypatch, lasts, known, step, yaw
):
    """Frames whose matches belong to no keypoint, or with no match at all, as a matcher may give them."""
    world = point_world(straight_poses(FRAMES + 4, step, yaw), count=900)
    extract, match = world.extract, world.match
    nowhere = []

    def extracted(image):
        features = extract(image)
        if TROUBLE <= image.flat[0] < TROUBLE + lasts:
            nowhere.append(features.descriptors)
        return features

    def matched(reference, current):
        found = match(reference, current)
        if not any(each is features.descriptors for each in nowhere for features in (reference, current)):
            return found
        if not known:
            return Matches.empty()
        none = np.full(len(found), -1, np.int64)
        return replace(found, reference_index=none, current_index=none)

    monkeypatch.setattr(world, "extract", extracted)
    monkeypatch.setattr(world, "match", matched)
    results = _run(world, frames=FRAMES + 4)
    states = [result.state for result in results]
    assert nowhere
    if known:
        assert states[1:] == [State.TRACKING] * (len(results) - 1)
    else:
        assert {result.reason for result in results[TROUBLE : TROUBLE + lasts]} <= {
            Reason.FEW_MATCHES,
            Reason.STALE_REFERENCE,
        }
    assert states[-3:] == [State.TRACKING] * 3
    assert _turned(world, results, len(results) - 4, len(results) - 1) < 0.3


@_few
@given(zoom=st.floats(0.5, 2.0), step=_steps, yaw=_yaws)
def test_a_calibration_that_changes_starts_a_new_path(point_world, straight_poses, zoom, step, yaw):
    world = point_world(straight_poses(FRAMES, step, yaw), count=900)

    def change(odometry):
        camera = world.camera
        world.camera = Camera(640, 480, zoom * camera.fx, zoom * camera.fy, camera.cx, camera.cy)
        odometry.set_camera(world.camera)

    results = _run(world, change)
    if zoom == 1.0:
        return
    assert [result.segment for result in results] == [0] * TROUBLE + [1] * (FRAMES - TROUBLE)
    assert results[TROUBLE].reason is Reason.FIRST_FRAME
    assert (results[TROUBLE].pose == np.eye(4)).all()
    assert [result.state for result in results[TROUBLE + 1 :]] == [State.TRACKING] * (FRAMES - TROUBLE - 1)
    assert _turned(world, results, TROUBLE, FRAMES - 1) < 0.3


@_few
@given(seconds=st.one_of(st.floats(-1000.0, -1.0), st.floats(6.0, 1e6)), step=_steps, yaw=_yaws)
def test_a_jump_of_the_clock_starts_a_new_path(point_world, straight_poses, seconds, step, yaw):
    world = point_world(straight_poses(FRAMES, step, yaw), count=900)
    odometry = world.odometry()
    results = []
    for index in range(FRAMES):
        frame = world.frame(index)
        later = round(1e9 * seconds) if index >= TROUBLE else 0
        results.append(_sound(odometry, replace(frame, stamp_ns=max(frame.stamp_ns + later, index))))
    if seconds > 0.0:
        assert results[TROUBLE].reason is Reason.CLOCK_JUMP
        assert (results[TROUBLE].pose == np.eye(4)).all()
    else:
        assert {result.reason for result in results[TROUBLE:]} & {Reason.CLOCK_JUMP, Reason.LATE_FRAME}
    assert results[-1].state is State.TRACKING


def _raises(*_given):
    msg = "SVD did not converge"
    raise np.linalg.LinAlgError(msg)


def _no_step(*_given):
    return None


def _not_finite(_problem, bundle, *_given):
    return replace(bundle, positions=np.full_like(bundle.positions, np.nan))


def _away(_problem, bundle, *_given):
    return replace(bundle, inverse=10.0 * bundle.inverse)


@pytest.mark.parametrize("step", [_raises, _no_step, _not_finite, _away])
@pytest.mark.parametrize("lasts", [3, FRAMES])
def test_a_solver_that_fails_costs_no_frame(point_world, straight_poses, monkeypatch, step, lasts):
    world = point_world(straight_poses(FRAMES, (0.05, 0.0, 0.3), 0.01), count=900)
    adjustments = []
    adjust, moved = map_adjustment.adjust, bundle_adjustment._Problem.moved
    rotation = bundle_adjustment.nearest_rotation

    def adjusted(*given):
        fails = 1 <= len(adjustments) < 1 + lasts
        adjustments.append(fails)
        name, found = ("nearest_rotation", rotation) if step is _raises else ("moved", moved)
        where = bundle_adjustment if step is _raises else bundle_adjustment._Problem
        monkeypatch.setattr(where, name, step if fails else found)
        return adjust(*given)

    monkeypatch.setattr(map_adjustment, "adjust", adjusted)
    results = _run(world, odometry=world.odometry({"keyframe.max_parallax": 0.005}))
    assert sum(adjustments) >= 3
    assert [result.state for result in results[1:]] == [State.TRACKING] * (FRAMES - 1)
    assert {result.segment for result in results} == {0}
    assert _turned(world, results, 0, FRAMES - 1) < 0.5
    assert _steps_are_even(results, 4)


@_few
@given(at=st.integers(1, FRAMES - 5), step=_steps, yaw=_yaws)
def test_a_reset_forgets_the_map_with_all_that_is_being_refined(point_world, straight_poses, at, step, yaw):
    world = point_world(straight_poses(FRAMES, step, yaw), count=900)
    odometry = world.odometry({"keyframe.max_parallax": 0.005})
    results = []
    for index in range(FRAMES):
        if index == at:
            odometry.reset()
            assert len(odometry.landmarks()) == 0
        results.append(_sound(odometry, world.frame(index)))
    assert [result.segment for result in results] == [0] * at + [1] * (FRAMES - at)
    assert (results[at].pose == np.eye(4)).all()
    assert [result.state for result in results[at + 1 :]] == [State.TRACKING] * (FRAMES - at - 1)
    assert _turned(world, results, at, FRAMES - 1) < 0.3


def test_a_frame_of_nothing_but_wrong_matches_leaves_the_map_as_it_was(point_world, straight_poses):
    world = point_world(straight_poses(FRAMES, (0.05, 0.0, 0.3), 0.01), count=900)

    def shake(_odometry):
        world.poses[TROUBLE] = world.poses[TROUBLE] @ np.block(
            [
                [rotation_matrix(np.array([0.0, 0.0, np.pi])), np.full((3, 1), 40.0)],
                [np.zeros((1, 3)), np.ones((1, 1))],
            ]
        )

    results = _run(world, shake)
    assert results[TROUBLE].state is State.LOST
    assert {result.segment for result in results} == {0}
    assert results[-1].state is State.TRACKING
    assert _turned(world, results, 0, FRAMES - 1) < 0.5
