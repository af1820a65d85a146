# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A frame of the demo at several sizes: what it takes on this machine, and if it gives what others get."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.threads import use_threads
from drcn_ros.odometry.types import Frame, Latency, Result
from drcn_ros.odometry.visual_odometry import VisualOdometry
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.scenes.sequence import CAMERA

SIZES = ((320, 240), (640, 480), (1280, 960))
# Of the demo's frames. A network is recorded at the second image of a size; the last one is timed.
_FRAMES = (0, 5, 10, 15)
# Places are told apart to so many parts of a pixel.
_PARTS = 10
_DIGITS = 8


@dataclass(frozen=True)
class DemoFrame:
    """What became of one frame.

    Attributes:
        width, height: of the images, pixels.
        latency: of the stages.
        state: of the odometry.
        keypoints, matches, inliers: how many.
        image: digest of the pixels.
        result: digest of keypoints and matches, rounded to a tenth of a pixel.
    """

    width: int
    height: int
    latency: Latency
    state: str
    keypoints: int
    matches: int
    inliers: int
    image: str
    result: str


def demo_frames(
    config: OdometryConfig, sizes: Sequence[tuple[int, int]] | None = None
) -> Iterator[DemoFrame]:
    """Yield a frame of each size, `SIZES` where none are given, run with a configuration.

    Raises:
        DrcnError: the matcher cannot be made, memory does not suffice, or the demo's textures are missing.
    """
    use_threads(config.threads)
    for width, height in SIZES if sizes is None else sizes:
        focal = CAMERA.fx * width / CAMERA.width
        camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
        scene = scenario("demo", _FRAMES[-1] + 1, camera=camera)
        odometry = VisualOdometry(config, camera)
        for index in _FRAMES:
            image = scene.image(index)
            result = odometry.process(Frame(int(scene.stamps_ns[index]), image))
        yield DemoFrame(
            width=width,
            height=height,
            latency=result.latency,
            state=result.state.value,
            keypoints=len(result.keypoints),
            matches=len(result.matches),
            inliers=int(result.inliers.sum()),
            image=_digest(image.tobytes()),
            result=_digest(_places(result)),
        )


def _places(result: Result) -> bytes:
    matches = result.matches
    places = (result.keypoints.points, matches.reference_points, matches.current_points)
    return b"".join(np.rint(_PARTS * points.astype(np.float64)).astype("<i4").tobytes() for points in places)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]
