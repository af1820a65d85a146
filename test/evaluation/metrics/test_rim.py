# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A calibration that is wrong at the rim is told from the residuals of a run, a right one is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.configuration import build
from drcn_ros.evaluation.estimates import Correspondences, FrameEstimate
from drcn_ros.evaluation.evaluate import evaluate
from drcn_ros.evaluation.metrics.rim import RimCheck, RimResiduals
from drcn_ros.evaluation.metrics_file import RunInfo
from drcn_ros.evaluation.runner import run_direct
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.two_view import estimate_two_view
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import in_force
from drcn_ros.odometry import OdometryConfig, State
from drcn_ros.scenes import paths
from drcn_ros.scenes.rooms import room
from drcn_ros.scenes.sequence import RenderedSequence
from drcn_ros.sequences import Selection
from drcn_ros.sequences.rendered import Rendered

CAMERA = Camera(416, 312, 300.0, 300.0, 207.5, 155.5)
AHEAD, ASIDE = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.1])


def bent(camera: Camera, k1: float) -> Camera:
    return replace(camera, distortion=Distortion.PLUMB_BOB, coefficients=(k1, 0.0, 0.0, 0.0, 0.0))


def estimated(rotation: np.ndarray, direction: np.ndarray) -> FrameEstimate:
    return FrameEstimate(
        stamp_ns=0,
        state=State.TRACKING,
        reason="OK",
        detail="",
        keypoints=400,
        matches=400,
        inliers=400,
        parallax_px=None,
        reference_stamp_ns=0,
        rotation=rotation,
        direction=direction,
        pose=np.eye(4),
        segment=0,
        latency_ms={},
    )


def checked(k1: float, direction: np.ndarray, frames: int = 30, noise_px: float = 0.2) -> RimCheck:
    """Judge pairs of views through a lens of `k1` that are taken for views through a pinhole."""
    residuals = RimResiduals(CAMERA)
    random = np.random.default_rng(5)
    lens = bent(CAMERA, k1)
    for _ in range(frames):
        depth = random.uniform(2.0, 10.0, 400)
        points = np.column_stack([random.uniform([-0.65, -0.5], [0.65, 0.5], (400, 2)), np.ones(400)])
        points *= depth[:, None]
        rotation = rotation_matrix(random.normal(0.0, 0.02, 3))
        moved = (points - 0.3 * direction / np.linalg.norm(direction)) @ rotation
        pixels = [lens.project(seen[:, :2] / seen[:, 2:]) for seen in (points, moved)]
        pixels = [places + noise_px * random.standard_normal(places.shape) for places in pixels]
        found = estimate_two_view(*pixels, CAMERA, TwoViewConfig(), None, np.zeros(400, bool))
        assert found.pose is not None
        estimate = estimated(found.pose.rotation, found.pose.translation)
        residuals.add(estimate, Correspondences(*(p.astype(np.float32) for p in pixels), found.inliers))
    return residuals.check()


@pytest.mark.parametrize("k1", [0.03, -0.03])
def test_a_wrong_lens_is_told_with_its_sign_and_size(k1: float):
    check = checked(k1, ASIDE)
    corner = np.hypot(208.0, 156.0) / 300.0
    # What the true lens pushes outwards has to be pulled inwards.
    assert check.percent == pytest.approx(-100 * k1 * corner**2, rel=0.3)
    assert check.rim_px == pytest.approx(-k1 * corner**3 * 300.0, rel=0.3)
    assert check.deviation_percent < 0.3
    assert "calibrate again" in check.note


def test_a_right_lens_is_left_alone():
    check = checked(0.0, ASIDE)
    assert abs(check.percent) < 4 * check.deviation_percent
    assert check.note == ""
    assert check.rings_px == pytest.approx([0.2] * 5, abs=0.04)


def test_a_camera_that_goes_straight_ahead_cannot_tell():
    check = checked(0.015, AHEAD)
    assert check.frames < 10
    assert (check.percent, check.note) == (None, "")


def test_without_a_calibration_or_matches_nothing_is_told():
    assert RimResiduals(None).check() == RimCheck((None,) * 5, 0, None, None, None)
    assert checked(0.0, ASIDE, frames=0).percent is None


def told(residuals: RimResiduals, points: np.ndarray, shift: tuple[float, float], times: int = 1) -> RimCheck:
    """Add a pair whose points all moved alike, some times, and return the check."""
    moved = (points + shift).astype(np.float32)
    matches = Correspondences(points.astype(np.float32), moved, np.ones(len(points), bool))
    for _ in range(times):
        residuals.add(estimated(np.eye(3), np.array([1.0, 0.0, 0.0])), matches)
    return residuals.check()


@pytest.mark.parametrize("spread", [0.0, 1e-3, 50.0])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.0, 0.0), (3.0, 0.5)])
def test_degenerate_pairs_give_finite_numbers_or_none(spread: float, shift: tuple[float, float]):
    points = 150.0 + spread * np.random.default_rng(3).standard_normal((60, 2))
    check = told(RimResiduals(CAMERA), points, shift, times=12)
    assert all(ring is None or np.isfinite(ring) for ring in check.rings_px)
    assert check.percent is None or np.isfinite([check.percent, check.deviation_percent, check.rim_px]).all()


def test_a_fisheye_is_judged_up_to_63_degrees():
    camera = Camera(400, 400, 130.0, 130.0, 199.5, 199.5, Distortion.EQUIDISTANT, (0.0, 0.0, 0.0, 0.0))
    points = np.random.default_rng(3).uniform(0.0, 400.0, (3000, 2))
    check = told(RimResiduals(camera), points, (2.0, 0.0), times=12)
    assert check.percent is None or np.isfinite(check.percent)
    assert check.rings_px[0] is not None
    assert check.rings_px[-1] is None


@pytest.mark.parametrize(("k1", "wrong"), [(0.0, False), (0.015, True)])
def test_the_report_of_a_run_says_so(tmp_path: Path, k1: float, wrong: bool):
    camera = Camera(320, 240, 230.0, 230.0, 159.5, 119.5)
    path = paths.orbit((5.2, 3.0, 0.7), 1.9, 1.4, np.radians(12.0), start=np.pi)
    sequence = Rendered(RenderedSequence(room, path, 30, 10.0, camera), "room")
    sequence.camera = bent(camera, k1)
    config = build(OdometryConfig, {"matcher.name": "sift", "matcher.max_keypoints": 800})
    steps = run_direct(sequence, Selection(), config)
    about = RunInfo("room", "scene", "sift", in_force(MatcherConfig(name="sift", device="cpu")))
    content = evaluate(steps, sequence, lambda: about, tmp_path / "run")
    assert content["rim"]["frames"] > 10
    said = [note for note in content["notes"] if "calibrate again" in note]
    assert bool(said) == wrong
    page = (tmp_path / "run" / "report.html").read_text()
    assert ("calibrate again" in page) == wrong
    assert "px from the centre to the rim" in page
