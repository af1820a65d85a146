# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From one image message to one result: decoding, calibration, odometry, and what happens when they fail."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.conversion.images import image_from_compressed, image_from_message
from drcn_ros.errors import ImageError
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.odometry import Frame, Latency, OdometryConfig, Reason, Result, State, Tracks, VisualOdometry
from drcn_ros.ros.messages import nanoseconds

# Reasons of frames that did not come through the odometry.
GIVEN_UP = (Reason.BAD_IMAGE, Reason.OUT_OF_MEMORY, Reason.INTERNAL_ERROR)

# After the device ran out of memory images are halved, but not below this shorter side.
_SMALLEST_SIDE = 120


@dataclass(frozen=True)
class Processed:
    """One frame with all that was made of it.

    Attributes:
        frame_id: of the image.
        image: as decoded, or None when it could not be.
        camera: the calibration that served, or None.
        result: of the odometry; where nothing could be processed, an empty one with the reason.
        decode_ms: wall time of the decoding.
        working_scale: by which the image was made smaller for the network.
    """

    frame_id: str
    image: NDArray[np.uint8] | None
    camera: Camera | None
    result: Result
    decode_ms: float
    working_scale: float


class Processor:
    """Feeds the odometry with messages.

    Changes of the calibration or the configuration and resets may come from any thread at any time; they hold
    from the next frame on.

    Args:
        odometry: to be fed.
        with_descriptors: whether results hold descriptors.
    """

    def __init__(self, odometry: VisualOdometry, with_descriptors: bool = False) -> None:
        self._odometry = odometry
        self.with_descriptors = with_descriptors
        self._camera: Camera | None = None
        self._config: OdometryConfig | None = None
        self._reset = False
        self._last_pose = np.eye(4)
        self._last_segment = 0
        self._scale = 1.0

    def set_camera(self, camera: Camera | None) -> None:
        """Take another calibration."""
        self._camera = camera

    def update(self, config: OdometryConfig) -> None:
        """Take another configuration."""
        self._config = config

    def reset(self) -> None:
        """Start anew."""
        self._reset = True

    def take_scale(self, message: Any) -> None:
        """Take a `TwistWithCovarianceStamped` or an `Odometry` that tells the metric scale."""
        stamp_ns = nanoseconds(message.header.stamp)
        if hasattr(message, "pose"):
            position = message.pose.pose.position
            self._odometry.add_odometry(stamp_ns, np.array([position.x, position.y, position.z]))
        else:
            linear = message.twist.twist.linear
            self._odometry.add_velocity(stamp_ns, np.array([linear.x, linear.y, linear.z]))

    def process(self, message: Any) -> Processed:
        """Return what became of an `Image` or a `CompressedImage`; nothing raises."""
        stamp_ns = nanoseconds(message.header.stamp)
        camera, scale, image = self._camera, self._scale, None
        begin = decoded = time.perf_counter()
        try:
            self._take_changes()
            image = _decode(message)
            decoded = time.perf_counter()
            result = self._run(stamp_ns, image, camera, scale)
        except ImageError as error:
            result = self._failure(stamp_ns, Reason.BAD_IMAGE, str(error))
        except Exception as error:
            # Whatever fails in the network or the geometry, the next frame gets its chance.
            if is_out_of_memory(error):
                result = self._failure(stamp_ns, Reason.OUT_OF_MEMORY, self._shrink(image))
            else:
                result = self._failure(stamp_ns, Reason.INTERNAL_ERROR, _place(error))
            self._odometry.reset()
        self._last_pose, self._last_segment = result.pose, result.segment
        return Processed(message.header.frame_id, image, camera, result, 1e3 * (decoded - begin), scale)

    def _take_changes(self) -> None:
        if self._reset:
            self._reset = False
            self._odometry.reset()
        config, self._config = self._config, None
        if config is not None:
            self._odometry.update(config)

    def _run(self, stamp_ns: int, image: NDArray[np.uint8], camera: Camera | None, scale: float) -> Result:
        if scale == 1.0:
            self._odometry.set_camera(camera)
            return self._odometry.process(Frame(stamp_ns, image), self.with_descriptors)
        height, width = image.shape[:2]
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if camera is not None:
            # The same factors as the image's, so that a calibration for another size still does not fit.
            camera = camera.scaled(
                round(camera.width * size[0] / width), round(camera.height * size[1] / height)
            )
        self._odometry.set_camera(camera)
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        result = self._odometry.process(Frame(stamp_ns, small), self.with_descriptors)
        return enlarged(result, width / size[0], height / size[1])

    def _shrink(self, image: NDArray[np.uint8] | None) -> str:
        self._odometry.reset()
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        if image is None or 0.5 * self._scale * min(image.shape[:2]) < _SMALLEST_SIDE:
            return "free memory on the device, or choose a smaller matcher or image"
        self._scale *= 0.5
        return f"going on at {self._scale:g} of the image's size"

    def _failure(self, stamp_ns: int, reason: Reason, detail: str) -> Result:
        floats, ids = np.zeros(0, np.float32), np.zeros(0, np.uint32)
        return Result(
            stamp_ns=stamp_ns,
            state=State.LOST,
            reason=reason,
            detail=detail,
            keypoints=Keypoints(np.zeros((0, 2), np.float32), floats, floats),
            tracks=Tracks(ids, ids),
            reference_stamp_ns=None,
            matches=Matches.empty(),
            inliers=np.zeros(0, bool),
            relative_pose=None,
            pose=self._last_pose,
            metric=False,
            segment=self._last_segment,
            parallax_px=None,
            latency=Latency(),
        )


def enlarged(result: Result, across: float, down: float) -> Result:
    """Return a result of a smaller image in the pixels of one that is `across` x `down` times as large."""
    factors = np.array([across, down], np.float32)

    def back(points: NDArray[np.float32]) -> NDArray[np.float32]:
        return (points + np.float32(0.5)) * factors - np.float32(0.5)

    mean = 0.5 * (across + down)
    keypoints, matches = result.keypoints, result.matches
    return replace(
        result,
        keypoints=replace(
            keypoints, points=back(keypoints.points), scales=(keypoints.scales * mean).astype(np.float32)
        ),
        matches=replace(
            matches,
            reference_points=back(matches.reference_points),
            current_points=back(matches.current_points),
        ),
        parallax_px=None if result.parallax_px is None else result.parallax_px * mean,
    )


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error of numpy, OpenCV or torch means that memory ran out, on the host or the device."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem or "insufficient memory" in text
    return isinstance(error, RuntimeError) and ("allocate memory" in text or "out of memory" in text)


def _decode(message: Any) -> NDArray[np.uint8]:
    decode: Callable[[Any], NDArray[np.uint8]] = (
        image_from_message if hasattr(message, "encoding") else image_from_compressed
    )
    return decode(message)


def _place(error: Exception) -> str:
    """Return an error and where it happened, in one line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({last.filename}:{last.lineno}); please report it"
