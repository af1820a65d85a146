# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Poses, depths and scale come back from a start that is off; what is wrong is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.odometry.bundle_adjustment import Bundle, Observations, adjust

NOISE = 1e-3
KEYFRAMES, LANDMARKS = 7, 150
FREE = np.arange(2, KEYFRAMES)


@pytest.fixture
def scene():
    """Keyframes that advance and turn, landmarks hosted by the first four, seen by all later ones."""
    rng = np.random.default_rng(3)
    rotations = np.array([rotation_matrix(np.array([0.0, 0.02 * i, 0.0])) for i in range(KEYFRAMES)])
    positions = np.array([[0.1 * i, 0.01 * i, 0.8 * i] for i in range(KEYFRAMES)])
    host = rng.integers(0, 4, LANDMARKS)
    rays = np.column_stack([rng.uniform(-0.5, 0.5, (LANDMARKS, 2)), np.ones(LANDMARKS)])
    bundle = Bundle(rotations, positions, host, rays, 1.0 / rng.uniform(8.0, 40.0, LANDMARKS))
    landmark, keyframe = np.array(
        [(mark, seer) for mark in range(LANDMARKS) for seer in range(KEYFRAMES) if seer > host[mark]]
    ).T
    seen = Observations(landmark, keyframe, np.zeros((len(landmark), 2)), np.full(len(landmark), NOISE))
    points = np.einsum("nij,nj->ni", rotations[host], rays / bundle.inverse[:, None]) + positions[host]
    local = np.einsum("nji,nj->ni", rotations[keyframe], points[landmark] - positions[keyframe])
    exact = local[:, :2] / local[:, 2:]
    return bundle, replace(seen, rays=exact + rng.normal(0.0, 0.3 * NOISE, exact.shape))


def _off(bundle):
    """Return the bundle with free keyframes whose steps shrink by a tenth, turned, and wrong depths."""
    rotations, positions = bundle.rotations.copy(), bundle.positions.copy()
    anchor = positions[1]
    for index in FREE:
        rotations[index] = rotation_matrix(np.array([0.002, -0.003, 0.001])) @ rotations[index]
        positions[index] = anchor + 0.9 * (positions[index] - anchor)
    return replace(bundle, rotations=rotations, positions=positions, inverse=1.1 * bundle.inverse)


def _adjusted(bundle, seen, times=3):
    for _ in range(times):
        found = adjust(bundle, seen, FREE, np.full(len(FREE), 0.5))
        assert found is not None
        bundle = found.bundle
    return found


def test_a_shrunk_scale_goes_back_to_that_of_the_fixed_keyframes(scene):
    bundle, seen = scene
    found = _adjusted(_off(bundle), seen)
    assert np.abs(found.bundle.positions - bundle.positions).max() < 0.02
    assert np.abs(found.bundle.rotations - bundle.rotations).max() < 1e-3
    ratio = found.bundle.inverse / bundle.inverse
    assert abs(np.median(ratio) - 1.0) < 2e-3
    assert (found.bundle.positions[:2] == bundle.positions[:2]).all()


def test_the_variance_tells_the_error_of_a_depth(scene):
    bundle, seen = scene
    found = adjust(bundle, replace(seen, noise=0.3 * seen.noise), FREE, np.full(len(FREE), 0.5))
    normalised = (found.bundle.inverse - bundle.inverse) ** 2 / found.variance
    assert 0.3 < np.median(normalised) / 0.455 < 2.5


def test_wrong_observations_are_named_and_do_not_pull(scene):
    bundle, seen = scene
    wrong = np.random.default_rng(5).random(len(seen.landmark)) < 0.1
    rays = seen.rays.copy()
    rays[wrong] += 0.05
    found = _adjusted(_off(bundle), replace(seen, rays=rays))
    assert (found.disagrees[wrong]).mean() > 0.9
    assert (found.disagrees[~wrong]).mean() < 0.05
    assert np.abs(found.bundle.positions - bundle.positions).max() < 0.1


def test_too_little_is_no_bundle(scene):
    bundle, seen = scene
    few = Observations(seen.landmark[:20], seen.keyframe[:20], seen.rays[:20], seen.noise[:20])
    assert adjust(bundle, few, FREE, np.full(len(FREE), 0.5)) is None
    assert adjust(bundle, seen, FREE[:0], np.zeros(0)) is None


@pytest.mark.parametrize("depth", [1e-6, 1e6])
def test_landmarks_at_infinity_or_at_the_camera_leave_finite_poses(scene, depth):
    bundle, seen = scene
    found = adjust(replace(bundle, inverse=np.full(LANDMARKS, 1.0 / depth)), seen, FREE, np.full(5, 0.5))
    assert found is not None
    assert np.isfinite(found.bundle.positions).all()
    assert np.isfinite(found.bundle.inverse).all()
