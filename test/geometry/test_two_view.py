# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The motion between two views: right where it can be told, a reason where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drcn_ros.benchmarks.geometry.benchmark import run_geometry_benchmark
from drcn_ros.benchmarks.point_pairs import CAMERA, TRANSLATING, Disturbance, PointPair, point_pair
from drcn_ros.configuration import build
from drcn_ros.geometry import two_view
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.epipolar import moved, sampson, sampson_jacobian
from drcn_ros.geometry.ray_pairs import ray_pairs
from drcn_ros.geometry.robust import NOISE_RANGE
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.rotation_only import fit_rotation
from drcn_ros.geometry.selection import Model
from drcn_ros.geometry.two_view import Failure, TwoView, estimate_two_view

FISHEYE = Camera(800, 800, 280.0, 280.0, 399.5, 399.5, Distortion.EQUIDISTANT, (0.02, -0.01, 0.002, 0.0))


def estimate(pair: PointPair, camera: Camera = CAMERA, **values: object) -> TwoView:
    config = build(TwoViewConfig, values)
    return estimate_two_view(pair.reference_points, pair.current_points, camera, config)


def angle_deg(first: np.ndarray, second: np.ndarray) -> float:
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def rotation_deg(matrix: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1.0) / 2.0, -1.0, 1.0))))


@pytest.mark.parametrize("estimator", ["poselib", "magsac"])
@pytest.mark.parametrize("regime", ["forward", "sideways", "turning", "large parallax"])
def test_a_translation_is_found_among_wrong_matches(regime, estimator):
    for seed in range(3):
        pair = point_pair(regime, seed, 400, Disturbance(noise_px=0.4, outliers=0.4))
        result = estimate(pair, estimator=estimator)
        assert result.model is Model.GENERAL
        assert result.pose is not None
        assert rotation_deg(result.pose.rotation.T @ pair.rotation) < 0.2
        assert angle_deg(result.pose.translation, pair.translation) < 2.5
        assert (result.inliers & ~pair.correct).sum() < 0.1 * result.inliers.sum()
        assert result.inliers[pair.correct].mean() > 0.9


@pytest.mark.parametrize(("regime", "model"), [("rotation", Model.ROTATION), ("standing", Model.IDENTITY)])
@pytest.mark.parametrize("noise", [0.1, 0.5, 1.5])
def test_without_parallax_no_translation_is_told(regime, model, noise):
    for seed in range(5):
        pair = point_pair(regime, seed, 400, Disturbance(noise_px=noise, smooth_px=0.1, outliers=0.3))
        result = estimate(pair)
        assert result.model is model
        assert result.pose is None
        assert result.rotation is not None
        assert rotation_deg(result.rotation.T @ pair.rotation) < 0.1


def test_the_same_seed_gives_the_same_pose():
    pair = point_pair("sideways", 3, 400, Disturbance(outliers=0.5))
    first, second = estimate(pair), estimate(pair)
    assert first.pose is not None
    assert second.pose is not None
    assert np.array_equal(first.pose.matrix(), second.pose.matrix())


def test_a_fisheye_is_used_up_to_its_rim():
    pair = point_pair("sideways", 1, 500, Disturbance(noise_px=0.3, outliers=0.2), camera=FISHEYE)
    result = estimate(pair, FISHEYE)
    assert result.pose is not None
    assert rotation_deg(result.pose.rotation.T @ pair.rotation) < 0.1
    assert angle_deg(result.pose.translation, pair.translation) < 1.0
    assert result.inliers[pair.correct].mean() > 0.9


def test_matches_outside_the_lens_model_are_dropped_and_counted():
    pair = point_pair("forward", 0, 200, camera=CAMERA)
    pair.reference_points[:7] = np.nan
    result = estimate(pair)
    assert result.dropped == 7
    assert not result.inliers[:7].any()
    assert result.model is Model.GENERAL


def test_two_motions_of_a_plane_are_no_pose_unless_the_motion_so_far_decides():
    pair = point_pair("turning", 0, 400, Disturbance(noise_px=0.2, outliers=0.1), planar=True)
    assert estimate(pair).failure is Failure.PLANAR
    predicted = (pair.rotation, pair.translation / np.linalg.norm(pair.translation))
    config = TwoViewConfig()
    result = estimate_two_view(pair.reference_points, pair.current_points, CAMERA, config, predicted)
    assert result.planar
    assert result.pose is not None
    assert angle_deg(result.pose.translation, pair.translation) < 5.0


def test_the_covariance_is_symmetric_positive_and_has_an_unknown_length():
    pair = point_pair("turning", 2, 300)
    pose = estimate(pair).pose
    assert pose is not None
    assert np.array_equal(pose.covariance, pose.covariance.T)
    assert np.linalg.eigvalsh(pose.covariance).min() > 0.0
    assert pose.translation @ pose.covariance[:3, :3] @ pose.translation == pytest.approx(100.0, rel=1e-3)


@pytest.mark.parametrize(("matches", "noise"), [(60, 0.3), (300, 0.5)])
def test_the_error_is_as_large_as_the_covariance_says_also_with_few_matches(matches, noise):
    disturbance = Disturbance(noise_px=noise, outliers=0.0)
    reports = run_geometry_benchmark(30, matches, disturbance, TwoViewConfig())
    squared = [report.squared_error for report in reports if report.squared_error is not None]
    assert len(squared) == len(TRANSLATING)
    # Five degrees of freedom: the mean of 150 lies within 4.3 and 5.8 in 99 of 100 cases.
    assert 4.3 < np.mean(squared) < 5.8


def degenerate_points() -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    number = st.one_of(
        st.floats(-1e4, 1e4),
        st.sampled_from([0.0, np.nan, np.inf, -np.inf, 1e30, 320.0, 319.5]),
    )

    @st.composite
    def points(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
        count = draw(st.integers(0, 40))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        kind = draw(st.sampled_from(["random", "equal", "line", "all one", "mixed", "integer"]))
        reference = rng.uniform(0.0, 640.0, (count, 2))
        current = rng.uniform(0.0, 640.0, (count, 2))
        if kind == "equal":
            current = reference.copy()
        elif kind == "line":
            reference = np.outer(rng.random(count), [600.0, 300.0]) + 10.0
            current = reference + np.array([3.0, 1.5])
        elif kind == "all one":
            reference[:] = current[:] = draw(number)
        elif kind == "mixed" and count:
            reference[draw(st.integers(0, count - 1))] = draw(number)
            current[draw(st.integers(0, count - 1)), 0] = draw(number)
        elif kind == "integer":
            reference, current = np.rint(reference / 100.0), np.rint(current / 100.0)
        return reference, current

    return points()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(points=degenerate_points(), camera=st.sampled_from([CAMERA, FISHEYE]), fewest=st.sampled_from([6, 15]))
def test_no_points_raise_or_give_a_number_that_is_not_finite(points, camera, fewest):
    config = build(TwoViewConfig, {"min_inliers": fewest})
    result = estimate_two_view(*points, camera, config)
    assert (result.model is None) == (result.failure is not None)
    assert (result.pose is not None) == (result.model is Model.GENERAL)
    assert len(result.inliers) == len(points[0])
    for array in (result.rotation, result.rotation_covariance, result.pose and result.pose.covariance):
        assert array is None or np.isfinite(array).all()
    if result.pose is not None:
        assert np.linalg.norm(result.pose.translation) == pytest.approx(1.0)


@pytest.mark.parametrize("regime", ["forward", "turning"])
def test_derivatives_of_the_residuals_agree_with_differences(regime):
    camera = Camera(
        640, 480, 480.0, 480.0, 319.5, 239.5, Distortion.PLUMB_BOB, (-0.28, 0.07, 1e-3, 5e-4, 0.0)
    )
    pair = point_pair(regime, 1, 200, camera=camera)
    pairs, _ = ray_pairs(pair.reference_points, pair.current_points, camera)
    pose = pair.rotation, pair.translation / np.linalg.norm(pair.translation)
    _, jacobian = sampson_jacobian(pairs, *pose)
    for axis, step in enumerate(1e-6 * np.eye(5)):
        ahead, behind = sampson(pairs, *moved(*pose, step)), sampson(pairs, *moved(*pose, -step))
        assert jacobian[axis] == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**20),
    count=st.integers(0, 300),
    mirrored=st.sampled_from([(1, 1), (-1, 1), (1, -1), (-1, -1)]),
    wrong=st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_matches_of_mirrored_and_arbitrary_points_tell_no_absurd_motion(seed, count, mirrored, wrong):
    random = np.random.default_rng(seed)
    size = np.array([CAMERA.width - 1.0, CAMERA.height - 1.0])
    reference = random.uniform(0.0, size, (count, 2))
    current = (reference - 0.5 * size) * mirrored + 0.5 * size + random.normal(0.0, 0.5, (count, 2))
    replaced = random.random(count) < wrong
    current[replaced] = random.uniform(0.0, size, (int(replaced.sum()), 2))
    result = estimate_two_view(reference, current, CAMERA, TwoViewConfig())
    if result.model is None:
        assert result.parallax_px is None
        assert not result.inliers.any()
        return
    assert result.rotation is not None
    assert result.parallax_px <= np.linalg.norm(size)
    # What agrees with a motion lies in front of both cameras.
    normalised = CAMERA.ray_columns(current[result.inliers])[0]
    rays = np.vstack([normalised, np.ones(normalised.shape[1])])
    assert ((result.rotation @ rays)[2] > 0.0).all()


def test_what_neither_a_turn_nor_standing_explains_is_neither():
    """A translation whose direction is unknown, beside matches too imprecise for a turn to fit."""
    random = np.random.default_rng(4)
    reference = random.uniform((250.0, 0.0), (CAMERA.width - 1.0, CAMERA.height - 1.0), (120, 2))
    turned = rotation_matrix(np.array([0.0, np.radians(15.0), 0.0]))
    rays = np.column_stack([CAMERA.normalise(reference), np.ones(120)]) @ turned
    current = CAMERA.project(rays[:, :2] / rays[:, 2:]) + random.normal(0.0, 3.2, (120, 2))
    evidence = two_view._Evidence(*ray_pairs(reference, current, CAMERA), 120)
    turn = fit_rotation(evidence.pairs, turned)
    told = two_view._without_translation(evidence, turn, 0.8, np.ones(120, bool), TwoViewConfig())
    assert turn.noise_px < NOISE_RANGE[1]
    assert (told.model, told.failure) == (None, Failure.DEGENERATE)


def test_a_half_turn_about_the_axis_is_a_rotation():
    points = np.random.default_rng(0).uniform(0, (CAMERA.width - 1, CAMERA.height - 1), (300, 2))
    turned = np.array([2 * CAMERA.cx, 2 * CAMERA.cy]) - points
    result = estimate_two_view(points, turned, CAMERA, TwoViewConfig())
    assert result.model is Model.ROTATION
    assert rotation_deg(result.rotation) == pytest.approx(180.0, abs=1e-3)


@pytest.mark.parametrize("fewest", [6, 15])
@pytest.mark.parametrize(
    ("width", "height", "focal"), [(640, 480, 500.0), (160, 120, 130.0), (416, 128, 80.0)]
)
def test_wrong_matches_tell_no_motion_however_many_they_are(width, height, focal, fewest):
    camera = Camera(width, height, focal, focal, 0.5 * width, 0.5 * height)
    random = np.random.default_rng(fewest)
    for count in (*range(20, 260, 20), 500, 500, 1000):
        points = random.uniform(0.0, (width - 1, height - 1), (2, count, 2))
        result = estimate_two_view(*points, camera, build(TwoViewConfig, {"min_inliers": fewest}))
        assert result.failure in (Failure.FEW_INLIERS, Failure.CHANCE, Failure.DEGENERATE)


def test_as_many_matches_as_wrong_ones_bring_together_by_chance_are_no_motion():
    """Of 500 wrong matches in a small image some 20 agree with a motion; 24 right ones of 60 are a motion."""
    camera = Camera(160, 120, 130.0, 130.0, 79.5, 59.5)
    chance = 0
    for seed in range(12):
        points = np.random.default_rng(seed).uniform(0.0, (159, 119), (2, 500, 2))
        chance += estimate_two_view(*points, camera, TwoViewConfig()).failure is Failure.CHANCE
        pair = point_pair("forward", seed, 60, Disturbance(noise_px=0.3, outliers=0.6), camera=camera)
        result = estimate(pair, camera)
        assert result.model is not None
    assert chance >= 3
