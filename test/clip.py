# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A short clip with exact ground truth, from which the tests write every kind of input."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from drcn_ros.geometry.camera import Camera
from drcn_ros.scenes import paths
from drcn_ros.scenes.photographs import PICTURES
from drcn_ros.scenes.sequence import RenderedSequence
from drcn_ros.scenes.surfaces import Rectangle, box, rectangle
from drcn_ros.scenes.textures import hang, picture, plaster
from drcn_ros.sequences.base import ImageSequence, Shot
from drcn_ros.sequences.trajectories.trajectory import Trajectory

FRAMES = 8
CAMERA = Camera(320, 240, 230.0, 231.0, 159.5, 119.0)


class Clip(ImageSequence):
    """Frames in memory."""

    def __init__(self, scene: RenderedSequence) -> None:
        super().__init__("clip", "clip in memory")
        self.camera = scene.camera
        self.ground_truth = Trajectory.from_poses(scene.stamps_ns, scene.poses)
        self.stamps_ns = [int(stamp) for stamp in scene.stamps_ns]
        self.images = [scene.image(index) for index in range(len(scene))]

    def __len__(self) -> int:
        return len(self.images)

    def shots(self) -> Iterator[Shot]:
        for stamp, image in zip(self.stamps_ns, self.images, strict=True):
            yield Shot(stamp, partial(np.copy, image))

    def save(self, index: int, path: Path) -> None:
        """Write an image as a file in a folder that need not exist."""
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), cv2.cvtColor(self.images[index], cv2.COLOR_RGB2BGR))


def _covered(seed: int):
    def texture(columns: int, lines: int) -> np.ndarray:
        surface = plaster(columns, lines, photo="gravel.png", tint=(180, 160, 140), seed=seed)
        random = np.random.default_rng(seed)
        for left in range(20, columns - 140, 150):
            for top in range(20, lines - 140, 150):
                hang(surface, picture(str(random.choice(PICTURES)), random), left, top, 90, frame=4)
        return surface

    return texture


def _scene() -> list[Rectangle]:
    detail = 120.0
    return [
        rectangle((5, 3, 2.6), (0, -6, 0), (0, 0, -2.6), _covered(1), detail),
        rectangle((-1, 3, 2.6), (6, 0, 0), (0, 0, -2.6), _covered(2), detail),
        rectangle((5, -3, 2.6), (-6, 0, 0), (0, 0, -2.6), _covered(3), detail),
        rectangle((-1, 3, 0), (6, 0, 0), (0, -6, 0), _covered(4), detail),
        *box((2.6, -0.9, 0.0), (3.2, -0.2, 1.1), lambda face: _covered(10 + face), detail),
        *box((2.0, 0.7, 0.0), (2.5, 1.2, 0.9), lambda face: _covered(20 + face), detail),
    ]


def clip() -> Clip:
    path = paths.drive((0, 0, 1.3), 0.05, [(1.0, 0.8, -0.1)], sway=1.0)
    return Clip(RenderedSequence(_scene, path, FRAMES, 10.0, CAMERA))
