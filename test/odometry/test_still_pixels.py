# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the image that stand still while the camera moves, and cameras that truly stand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from drcn_ros.configuration import build
from drcn_ros.matching import create_matcher
from drcn_ros.matching.types import Features
from drcn_ros.odometry import Frame, OdometryConfig, Result, State, VisualOdometry
from drcn_ros.sequences import Selection, open_sequence

ROAD = Path(os.environ.get("DRCN_SHARED", "")) / "data" / "road"
HEIGHT = 480


@pytest.fixture
def banded(point_world) -> Callable[..., object]:
    """Makes a world of points of which the lower part of the image is covered by a textured band."""

    class Banded(point_world):
        part = 0.4
        crowd: Callable[[int], np.ndarray] | None = None

        def extract(self, image: np.ndarray) -> Features:
            found = super().extract(image)
            index = int(image.flat[0])
            rng = np.random.default_rng(3)
            top = HEIGHT * (1.0 - self.part)
            count = int(900 * self.part)
            fixed = rng.uniform([5.0, min(top + 5.0, 475.0)], [635.0, 475.0], (count, 2))
            fixed += np.random.default_rng(1000 + index).normal(0.0, 0.05, fixed.shape)
            kept = found.points[:, 1] < top
            points = torch.cat([found.points[kept], torch.tensor(fixed, dtype=torch.float32)])
            assert found.descriptors is not None
            names = torch.arange(count, dtype=torch.float32)[:, None] + 100_000.0
            names = torch.cat([found.descriptors[kept], names])
            ones = torch.ones(len(points))
            return Features(found.size, points, ones, ones, names)

    def make(poses: list[np.ndarray], part: float, **arguments: object) -> object:
        world = Banded(poses, **arguments)
        world.part = part
        return world

    return make


def direction_error(result: Result, world, index: int) -> float:
    truth = world.truth(world.index(result.reference_stamp_ns), index)[:3, 3]
    cosine = result.relative_pose.translation @ truth / np.linalg.norm(truth)
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def winding(count: int) -> list[np.ndarray]:
    """Poses of a camera that advances and turns to and fro."""
    poses = []
    for index in range(count):
        pose, yaw = np.eye(4), 0.06 * np.sin(0.4 * index)
        pose[0, 0] = pose[2, 2] = np.cos(yaw)
        pose[0, 2], pose[2, 0] = np.sin(yaw), -np.sin(yaw)
        pose[:3, 3] = [0.0, 0.0, 0.12 * index]
        poses.append(pose)
    return poses


@pytest.mark.parametrize("part", [0.15, 0.3, 0.45])
def test_a_band_that_stands_still_neither_stops_the_camera_nor_bends_its_path(banded, part):
    world = banded(winding(40), part, count=1500, depth=(2.0, 20.0), noise_px=0.15)
    results = world.run(40)
    assert all(result.state is State.TRACKING for result in results[1:])
    errors = [direction_error(result, world, index) for index, result in enumerate(results) if index]
    assert np.median(errors) < 1.0
    left_out = results[-1].left_out
    assert left_out is not None
    rows = left_out.shape[0]
    assert left_out[round(rows * (1.0 - part)) + 1 :].mean() > 0.9
    assert not left_out[: round(rows * (1.0 - part)) - 1].any()
    assert results[-1].still_part == pytest.approx(part, abs=0.05)
    assert results[-1].keypoints.points[:, 1].max() < HEIGHT * (1.0 - part) + 30


def test_a_band_does_not_stop_a_camera_that_never_turns(banded, straight_poses):
    world = banded(straight_poses(12, (0.0, 0.0, 0.15)), 0.45, count=1500, depth=(2.0, 12.0))
    assert {result.state for result in world.run(12)[1:]} == {State.TRACKING}


def test_a_camera_that_stands_is_stationary_whatever_stands_still_in_it(banded):
    poses = winding(30)
    world = banded(poses + [poses[-1]] * 15, 0.3, count=1500, depth=(2.0, 20.0), noise_px=0.15)
    results = world.run(45)
    assert [result.state for result in results[-8:]] == [State.STATIONARY] * 8


def test_a_camera_that_stands_before_a_moving_crowd_is_stationary(point_world, straight_poses):
    class Crowd(point_world):
        """Half of the points belong to people, each of whom walks a way of his own."""

        def extract(self, image: np.ndarray) -> Features:
            found = super().extract(image)
            index = int(image.flat[0])
            assert found.descriptors is not None
            names = found.descriptors[:, 0].numpy().astype(int)
            person = names % 24
            walk = np.random.default_rng(11).normal(0.0, 4.0, (24, 2)) * [1.0, 0.2]
            moving = torch.tensor((person < 12)[:, None] * walk[person] * index, dtype=torch.float32)
            return replace(found, points=found.points + moving)

    for poses in (straight_poses(12, (0.0, 0.0, 0.0)), None):
        if poses is None:
            # A camera that has driven before knows its world, and so what stands still.
            poses = winding(10)
            poses += [poses[-1]] * 8
        world = Crowd(poses, count=900, noise_px=0.15, outliers=0.02)
        states = [result.state for result in world.run(len(poses))]
        assert states[-4:] == [State.STATIONARY] * 4


def test_what_stood_still_counts_again_once_it_moves(banded):
    poses = winding(70)
    world = banded(poses, 0.3, count=4000, depth=(6.0, 20.0), noise_px=0.15)
    odometry = world.odometry()
    for index in range(35):
        last = odometry.process(world.frame(index))
    assert last.still_part > 0.2
    world.part = 0.0
    for index in range(35, 70):
        last = odometry.process(world.frame(index))
    assert last.still_part < 0.05


def test_a_mask_drops_keypoints_before_they_are_counted():
    rng = np.random.default_rng(4)
    image = cv2.GaussianBlur(rng.integers(0, 256, (240, 320), np.uint8), (0, 0), 1.0)
    for name in ("drcn", "d2net", "anchored", "sift", "orb"):
        settings = {"matcher.name": name, "matcher.max_keypoints": 60, "mask": "0,0.5 1,0.5 1,1 0,1"}
        config = build(OdometryConfig, settings)
        odometry = VisualOdometry(config, None, create_matcher(config.matcher))
        points = odometry.process(Frame(1, image)).keypoints.points
        assert 50 <= len(points) <= 60, name
        assert points[:, 1].max() < 122.0, name


def road_frames(part: float, count: int) -> Iterator[Frame]:
    rng = np.random.default_rng(5)
    texture = None
    for frame in open_sequence(ROAD).frames(Selection(limit=count)):
        image = frame.image.copy()
        height, width = image.shape[:2]
        rows = round(height * part)
        if texture is None:
            coarse = [
                cv2.resize(rng.uniform(0, 255, (rows // s + 2, width // s + 2)), (width, rows))
                for s in (2, 4, 8)
            ]
            texture = sum(coarse) / 3.0
        noisy = np.clip(texture + rng.normal(0.0, 2.0, texture.shape), 0, 255).astype(np.uint8)
        image[height - rows :] = noisy if image.ndim == 2 else noisy[..., None]
        yield replace(frame, image=image)


@pytest.mark.skipif(not ROAD.is_dir(), reason="needs the recorded road of DRCN_SHARED")
@pytest.mark.parametrize(("part", "largest"), [(0.15, 0.1), (0.3, 0.15), (0.45, 0.2)])
def test_a_band_over_a_recorded_road_never_stops_the_car(part, largest):
    source = open_sequence(ROAD)
    assert source.ground_truth is not None
    odometry = VisualOdometry(OdometryConfig(), source.camera)
    errors = []
    # Beyond these frames the car brakes to a stop.
    for frame in road_frames(part, 34):
        result = odometry.process(frame)
        if result.reference_stamp_ns is None:
            continue
        assert result.state is not State.STATIONARY, result.detail
        poses, known = source.ground_truth.at([result.reference_stamp_ns, frame.stamp_ns])
        if result.rotation is not None and known.all():
            off = result.rotation.T @ (poses[0][:3, :3].T @ poses[1][:3, :3])
            errors.append(np.degrees(np.arccos(np.clip((np.trace(off) - 1.0) / 2.0, -1.0, 1.0))))
    assert len(errors) > 30
    assert np.median(errors) < largest
