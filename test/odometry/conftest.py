# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A world of points with a matcher that sees it: the image only tells which frame it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from drcn_ros.configuration import build
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.base import Matcher, check_image
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.types import Features, Matches
from drcn_ros.odometry import Frame, OdometryConfig, Result, VisualOdometry


class PointWorld(Matcher[Features]):
    """Matches the projections of fixed points, seen with seeded noise; the first pixel tells the frame.

    Attributes:
        camera: of all frames.
        poses: (4, 4) T_world_cur of each frame; frame i is an image that is filled with i.
        outliers: part of the points that are seen at a random place.
        crate: displacement (3,) of an object at a frame, or None where there is none; it covers the middle
            third of the image, and its matches come first.
        matched_with: `min_score` at each match.
    """

    name = "points"

    def __init__(
        self,
        poses: list[np.ndarray],
        count: int = 400,
        noise_px: float = 0.2,
        outliers: float = 0.1,
        depth: tuple[float, float] = (2.0, 12.0),
        crate: Callable[[int], np.ndarray] | None = None,
    ) -> None:
        super().__init__(MatcherConfig())
        self.camera = Camera(640, 480, 500.0, 500.0, 319.5, 239.5)
        self.poses = poses
        self.matched_with: list[float] = []
        self._noise, self._outliers = noise_px, outliers
        rng = np.random.default_rng(7)
        z = rng.uniform(*depth, count)
        spread = rng.uniform(-1.2, 1.2, (count, 2)) * [0.9, 0.7]
        self._points = np.column_stack([spread * z[:, None], z])
        self._crate = crate
        self.on_crate = (np.abs(spread) < [0.3, 0.3]).all(axis=1) & (crate is not None)
        order = np.argsort(~self.on_crate, kind="stable")
        self._points, self.on_crate = self._points[order], self.on_crate[order]
        self._points[self.on_crate, :2] *= 2.0 / self._points[self.on_crate, 2:]
        self._points[self.on_crate, 2] = 2.0 + 0.1 * rng.random(int(self.on_crate.sum()))

    def frame(self, index: int, period: float = 0.1) -> Frame:
        image = np.tile(np.arange(640) % 200 + 20, (480, 1)).astype(np.uint8)
        image[0, 0] = index
        return Frame(int((10.0 + index * period) * 1e9), image)

    def index(self, stamp_ns: int, period: float = 0.1) -> int:
        return round((stamp_ns * 1e-9 - 10.0) / period)

    def odometry(self, settings: dict[str, object] | None = None) -> VisualOdometry:
        """Return an odometry that sees this world, with some parameters other than by default."""
        config = build(OdometryConfig, settings or {})
        self.config = config.matcher
        return VisualOdometry(config, self.camera, self)

    def run(self, frames: int, settings: dict[str, object] | None = None) -> list[Result]:
        """Return the results of the first frames."""
        odometry = self.odometry(settings)
        return [odometry.process(self.frame(index)) for index in range(frames)]

    def truth(self, reference: int, current: int) -> np.ndarray:
        return np.linalg.inv(self.poses[reference]) @ self.poses[current]

    def extract(self, image: np.ndarray) -> Features:
        check_image(image)
        index = int(image.flat[0])
        rng = np.random.default_rng(index)
        world = np.linalg.inv(self.poses[index])
        points = self._points.copy()
        if self._crate is not None:
            points[self.on_crate] += self._crate(index)
        seen = points @ world[:3, :3].T + world[:3, 3]
        pixels = seen[:, :2] / seen[:, 2:] * self.camera.fx + [self.camera.cx, self.camera.cy]
        pixels += rng.normal(0.0, self._noise, pixels.shape)
        wrong = rng.random(len(pixels)) < self._outliers
        pixels[wrong] = rng.uniform(0.0, [639.0, 479.0], (int(wrong.sum()), 2))
        inside = (seen[:, 2] > 0.1) & (pixels >= 0.0).all(axis=1) & (pixels <= [639.0, 479.0]).all(axis=1)
        rows = rng.permutation(np.flatnonzero(inside))
        points = torch.tensor(pixels[rows], dtype=torch.float32)
        ones = torch.ones(len(rows))
        # The descriptor holds the identity of the point, which is what a perfect one would tell.
        identity = torch.tensor(rows[:, None], dtype=torch.float32)
        return Features((image.shape[1], image.shape[0]), points, ones, ones, identity)

    def match(self, reference: Features, current: Features) -> Matches:
        self.matched_with.append(self.config.min_score)
        assert reference.descriptors is not None
        assert current.descriptors is not None
        _, rows, columns = np.intersect1d(
            reference.descriptors.numpy(), current.descriptors.numpy(), return_indices=True
        )
        return Matches(
            reference.points.numpy()[rows],
            current.points.numpy()[columns],
            np.ones(len(rows), np.float32),
            rows.astype(np.int64),
            columns.astype(np.int64),
        )


def _pose(translation: np.ndarray, yaw: float) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 0] = pose[2, 2] = np.cos(yaw)
    pose[0, 2], pose[2, 0] = np.sin(yaw), -np.sin(yaw)
    pose[:3, 3] = translation
    return pose


@pytest.fixture
def straight_poses() -> Callable[..., list[np.ndarray]]:
    """Makes poses that advance by `step` (3,) metres and turn by `yaw` radians a frame."""

    def make(count: int, step: tuple[float, float, float], yaw: float = 0.0) -> list[np.ndarray]:
        return [_pose(index * np.array(step), index * yaw) for index in range(count)]

    return make


@pytest.fixture
def point_world() -> type[PointWorld]:
    """The class of worlds of points, to be made from a list of poses."""
    return PointWorld
