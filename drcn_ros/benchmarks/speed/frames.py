# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The frames that speed is measured on: a camera moving through the rendered room, or any recording."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.types import Frame
from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.scenes.sequence import CAMERA, Sensor
from drcn_ros.sequences import SequenceOptions, open_sequence

_SCENARIO = "forward"
_NOISE = 2.0


def save_frames(
    path: Path, width: int, height: int, count: int, source: str = "", options: SequenceOptions | None = None
) -> None:
    """Write frames of a size, grey, and their camera to a file.

    Args:
        path: `.npz` file to write.
        width, height: of the frames, pixels.
        count: of frames.
        source: any input of the evaluation, resized; the rendered room when empty.
        options: what the input does not say itself.

    Raises:
        InputError: the input has fewer frames or no calibration.
    """
    if source:
        camera, stamps, images = _recorded(width, height, count, source, options)
    else:
        camera, stamps, images = _rendered(width, height, count)
    values = [camera.fx, camera.fy, camera.cx, camera.cy]
    np.savez(path, images=np.stack(images), stamps=np.array(stamps), camera=np.array(values))


def load_frames(path: Path) -> tuple[list[Frame], Camera]:
    """Return the frames that `save_frames` wrote, and their camera, without a lens."""
    with np.load(path) as file:
        images, stamps, values = file["images"], file["stamps"], file["camera"]
    height, width = images.shape[1:]
    fx, fy, cx, cy = map(float, values)
    frames = [Frame(int(stamp), image) for stamp, image in zip(stamps, images, strict=True)]
    return frames, Camera(width, height, fx, fy, cx, cy)


def _rendered(width: int, height: int, count: int) -> tuple[Camera, list[int], list[Image]]:
    focal = CAMERA.fx * width / CAMERA.width
    camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
    sequence = scenario(_SCENARIO, count, camera=camera, sensor=Sensor(noise=_NOISE))
    frames = list(sequence.frames())
    return camera, [stamp for stamp, _ in frames], [_grey(image) for _, image in frames]


def _recorded(
    width: int, height: int, count: int, source: str, options: SequenceOptions | None
) -> tuple[Camera, list[int], list[Image]]:
    sequence = open_sequence(source, options)
    if sequence.camera is None:
        msg = f"{source} has no calibration, without which there is no pose to measure the way to"
        raise InputError(msg)
    frames = list(islice(sequence.frames(), count))
    if len(frames) < count:
        msg = f"{source} has {len(frames)} frames, {count} are needed; ask for fewer with --frames"
        raise InputError(msg)
    images = [_resized(_grey(frame.image), width, height) for frame in frames]
    return sequence.camera.scaled(width, height), [frame.stamp_ns for frame in frames], images


def _grey(image: Image) -> Image:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _resized(image: Image, width: int, height: int) -> Image:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
