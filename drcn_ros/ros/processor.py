# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From one image message to one result: decoding, calibration, odometry, and what happens when they fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.odometry import Frame, Latency, OdometryConfig, Reason, Result, State, Tracks, VisualOdometry
from drcn_ros.ros.images import image_from_compressed, image_from_message
from drcn_ros.ros.messages import nanoseconds


@dataclass(frozen=True)
class Processed:
    """One frame with all that was made of it.

    Attributes:
        frame_id: of the image.
        image: as decoded, or None when it could not be.
        camera: the calibration that served, or None.
        result: of the odometry; where nothing could be processed, an empty one with the reason.
        decode_ms: wall time of the decoding.
    """

    frame_id: str
    image: NDArray[np.uint8] | None
    camera: Camera | None
    result: Result
    decode_ms: float


class Processor:
    """Feeds the odometry with messages.

    Changes of the calibration or the configuration and resets may come from any thread at any time; they hold
    from the next frame on.
    """

    def __init__(self, odometry: VisualOdometry) -> None:
        self._odometry = odometry
        self._camera: Camera | None = None
        self._config: OdometryConfig | None = None
        self._reset = False
        self._last_pose = np.eye(4)
        self._last_segment = 0

    def set_camera(self, camera: Camera | None) -> None:
        """Take another calibration."""
        self._camera = camera

    def update(self, config: OdometryConfig) -> None:
        """Take another configuration."""
        self._config = config

    def reset(self) -> None:
        """Start anew."""
        self._reset = True

    def process(self, message: Any) -> Processed:
        """Return what became of an `Image` or a `CompressedImage`."""
        if self._reset:
            self._reset = False
            self._odometry.reset()
        config, self._config = self._config, None
        if config is not None:
            self._odometry.update(config)
        camera = self._camera
        self._odometry.set_camera(camera)
        stamp_ns = nanoseconds(message.header.stamp)
        begin = time.perf_counter()
        image = None
        decode: Callable[[Any], NDArray[np.uint8]] = (
            image_from_message if hasattr(message, "encoding") else image_from_compressed
        )
        try:
            image = decode(message)
            decoded = time.perf_counter()
            result = self._odometry.process(Frame(stamp_ns, image))
        except ImageError as error:
            decoded = time.perf_counter()
            result = self._failure(stamp_ns, Reason.BAD_IMAGE, str(error))
        self._last_pose, self._last_segment = result.pose, result.segment
        return Processed(message.header.frame_id, image, camera, result, 1e3 * (decoded - begin))

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
