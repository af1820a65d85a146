# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From one image message to one result: decoding, calibration, odometry, and what happens when they fail."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.conversion.images import image_from_compressed, image_from_message
from drcn_ros.conversion.stamps import SECOND_NS, image_stamp_ns
from drcn_ros.conversion.video import DecodedImage
from drcn_ros.errors import DrcnError, ImageError
from drcn_ros.foreign.value_range import ValueRange
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry import Frame, OdometryConfig, Reason, Result, VisualOdometry
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.mask import ImageMask
from drcn_ros.odometry.preparation import PreparedFrame
from drcn_ros.odometry.rolling_shutter import with_readout
from drcn_ros.ros.messages.convert import nanoseconds
from drcn_ros.ros.node.budget import SMALLEST_SIDE, Budget, keypoints_at
from drcn_ros.ros.node.failures import GIVEN_UP, failed_result, in_one_line, is_out_of_memory
from drcn_ros.ros.node.working_size import enlarged, reduced


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


@dataclass(frozen=True)
class PreparedMessage:
    """An image message, decoded and with its features.

    Attributes:
        stamp_ns, frame_id: of the image.
        image: as decoded, or None when it could not be.
        camera: the calibration that was there, or None.
        scale: by which the image was to be made smaller for the network.
        factors: by which it was, across and down.
        begun: moment at which it was taken up, of `time.perf_counter`.
        decode_ms: wall time of the decoding.
        frame: for the odometry, or None where `error` tells what failed.
        before: the frame before at this frame's resolution, where that has just changed, or None.
    """

    stamp_ns: int
    frame_id: str
    image: NDArray[np.uint8] | None
    camera: Camera | None
    scale: float
    factors: tuple[float, float]
    begun: float
    decode_ms: float
    frame: PreparedFrame | None
    before: PreparedFrame | None
    error: Exception | None


class Processor:
    """Feeds the odometry with messages.

    Changes of the calibration or the configuration and resets may come from any thread at any time; they hold
    from the next frame on.

    Args:
        odometry: to be fed.
        with_descriptors: whether results hold descriptors.
        budget: chooses the working resolution, or None: then that is the image's.
    """

    def __init__(
        self, odometry: VisualOdometry, with_descriptors: bool = False, budget: Budget | None = None
    ) -> None:
        self._odometry = odometry
        self._budget = budget
        self._wanted = odometry.config
        self._last: PreparedMessage | None = None
        self.with_descriptors = with_descriptors
        self.readout_s = 0.0
        self._camera: Camera | None = None
        self._reset = False
        self._last_pose = np.eye(4)
        self._last_segment = 0
        self._scale = 1.0
        self._values = ValueRange()

    def set_camera(self, camera: Camera | None) -> None:
        """Take another calibration."""
        self._camera = camera

    def update(self, config: OdometryConfig) -> None:
        """Take another configuration."""
        self._wanted = config

    def reset(self) -> None:
        """Start anew."""
        self._reset = True

    def set_mask(self, mask: NDArray[np.uint8]) -> None:
        """Leave pixels out of the images from now on: those that are 0 in a picture (H, W) of one of them."""
        self._odometry.set_mask(ImageMask(picture=mask))

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
        return self.place(self.prepare(message))

    def prepare(self, message: Any) -> PreparedMessage:
        """Decode an `Image` or a `CompressedImage` and extract its features; what fails is told by `place`.

        One thread may prepare the next message while another places the last.
        """
        begin = decoded = time.perf_counter()
        camera, scale = self._camera, self._scale
        image, frame, before, error, factors = None, None, None, None, (1.0, 1.0)
        # Of an impossible stamp the seconds are told.
        stamp_ns = int(message.header.stamp.sec) * SECOND_NS
        try:
            stamp_ns = image_stamp_ns(message)
            image = self._decode(message)
            decoded = time.perf_counter()
            scale = self._choose_scale(image)
            before = self._prepare_last(image.shape, scale)
            small = reduced(image, scale)
            # The same factors as the image's, so that a calibration for another size still does not fit.
            factors = (small.shape[1] / image.shape[1], small.shape[0] / image.shape[0])
            frame = self._odometry.prepare(Frame(stamp_ns, small), self.with_descriptors)
        except Exception as caught:
            # Whatever fails in the network, the next frame gets its chance.
            error = caught
        decode_ms = 1e3 * (decoded - begin)
        frame_id = message.header.frame_id
        prepared = PreparedMessage(
            stamp_ns, frame_id, image, camera, scale, factors, begin, decode_ms, frame, before, error
        )
        if self._budget is not None:
            self._last = prepared
        return prepared

    def place(self, prepared: PreparedMessage) -> Processed:
        """Return what became of a prepared message; nothing raises."""
        if self._reset:
            self._reset = False
            self._odometry.reset()
        try:
            result = self._place(prepared)
        except ImageError as error:
            result = self._failure(prepared.stamp_ns, Reason.BAD_IMAGE, str(error))
        except Exception as error:
            if is_out_of_memory(error):
                text = self._shrink(prepared)
                if isinstance(error, DrcnError):
                    text = f"{error}; {text}"
                result = self._failure(prepared.stamp_ns, Reason.OUT_OF_MEMORY, text)
            else:
                result = self._failure(prepared.stamp_ns, Reason.INTERNAL_ERROR, in_one_line(error))
            self._odometry.reset()
        self._last_pose, self._last_segment = result.pose, result.segment
        if self._budget is not None and prepared.before is None and result.reason not in GIVEN_UP:
            self._budget.add(prepared.scale, 1e3 * (time.perf_counter() - prepared.begun))
        return Processed(
            prepared.frame_id, prepared.image, prepared.camera, result, prepared.decode_ms, prepared.scale
        )

    def landmarks(self) -> MapPoints | None:
        """Return the landmarks after the message that was placed last; of the thread that places."""
        return self._odometry.landmarks()

    def _decode(self, message: Any) -> NDArray[np.uint8]:
        if isinstance(message, DecodedImage):
            if message.image is None:
                raise message.error or ImageError("the video gave no image")
            return message.image
        decode = image_from_message if hasattr(message, "encoding") else image_from_compressed
        return decode(message, self._values)

    def _choose_scale(self, image: NDArray[np.uint8]) -> float:
        """Return the scale for an image, and give the odometry the configuration that goes with it."""
        scale, config = self._scale, self._wanted
        if self._budget is not None:
            height, width = image.shape[:2]
            scale = min(scale, self._budget.scale((width, height)))
            count = keypoints_at(scale, config.matcher.max_keypoints)
            config = replace(config, matcher=replace(config.matcher, max_keypoints=count))
        if config != self._odometry.config:
            self._odometry.update(config)
        return scale

    def _prepare_last(self, shape: tuple[int, ...], scale: float) -> PreparedFrame | None:
        """Return the last frame at a scale that has just changed, or None where that is of no use."""
        last = self._last
        if last is None or last.scale == scale or last.image is None or last.image.shape != shape:
            return None
        return self._odometry.prepare(Frame(last.stamp_ns, reduced(last.image, scale)))

    def _place(self, prepared: PreparedMessage) -> Result:
        if prepared.frame is None:
            assert prepared.error is not None
            raise prepared.error
        camera, (across, down) = prepared.camera, prepared.factors
        if camera is not None and (across, down) != (1.0, 1.0):
            camera = camera.scaled(round(camera.width * across), round(camera.height * down))
        if prepared.before is not None and camera is not None:
            self._odometry.resume(prepared.before, camera)
        self._odometry.set_camera(camera)
        result = self._odometry.place(prepared.frame)
        if camera is not None and self.readout_s > 0.0:
            result = with_readout(result, self.readout_s, camera.mean_focal)
        return result if (across, down) == (1.0, 1.0) else enlarged(result, 1.0 / across, 1.0 / down)

    def _shrink(self, prepared: PreparedMessage) -> str:
        self._odometry.reset()
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        image, largest, scale = prepared.image, self._wanted.matcher.max_image_size, prepared.scale
        if image is not None and largest:
            # The matcher reduces images beyond that size in any case.
            scale = min(scale, largest / max(image.shape[:2]))
        if image is None or 0.5 * scale * min(image.shape[:2]) < SMALLEST_SIDE:
            return "free memory on the device, or choose a smaller matcher or image"
        # Of two frames at once that met the same limit, only the first makes the images smaller.
        self._scale = min(self._scale, 0.5 * scale)
        return f"going on at {self._scale:g} of the image's size"

    def _failure(self, stamp_ns: int, reason: Reason, detail: str) -> Result:
        return failed_result(stamp_ns, reason, detail, self._last_pose, self._last_segment)
