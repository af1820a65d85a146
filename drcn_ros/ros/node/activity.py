# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One period in which the node takes images: subscriptions, the worker, and what it waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from drcn_ros.conversion.camera_info import calibration_from_message, shows_rectified
from drcn_ros.conversion.masks import mask_from_message
from drcn_ros.conversion.video import VideoTopic
from drcn_ros.errors import ConfigurationError, ImageError
from drcn_ros.geometry.calibration_change import largest_change_px
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry import Reason
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.messages.convert import nanoseconds
from drcn_ros.ros.node.clock_check import ClockCheck
from drcn_ros.ros.node.failures import GIVEN_UP
from drcn_ros.ros.node.inputs import Callbacks, Inputs
from drcn_ros.ros.node.outputs import Outputs
from drcn_ros.ros.node.problem_log import PATIENCE_S, Throttle
from drcn_ros.ros.node.processor import PreparedMessage, Processor
from drcn_ros.ros.node.statistics import NodeStatistics
from drcn_ros.ros.node.worker import Counts, Worker

# Shorter silences are not looked into; the reasons cost a look at the graph.
_SILENCE_S = 0.2 * PATIENCE_S
# A frame being worked on may take seconds with a large network on a CPU.
_STOP_TIMEOUT_S = 20.0
# Calibrations that differ by less at the rim of the image are one.
_SAME_CAMERA_PX = 0.1


@dataclass(frozen=True)
class _Incoming:
    message: Any
    arrived: float
    stamp_age_s: float


@dataclass(frozen=True)
class _Taken:
    prepared: PreparedMessage
    incoming: _Incoming


class Activity:
    """Subscribes, hands frames to the worker, publishes what comes of them.

    Args:
        node: for the subscriptions.
        config: of the node.
        processor, outputs, statistics: outlive this period.
        warn: writes a line into the log.

    Raises:
        ConfigurationError: the quality of service cannot be as asked.
    """

    def __init__(
        self,
        node: Any,
        config: NodeConfig,
        processor: Processor,
        outputs: Outputs,
        statistics: NodeStatistics,
        warn: Callable[[str], Any],
    ) -> None:
        self._node = node
        self._config = config
        self._processor = processor
        self._outputs = outputs
        self._statistics = statistics
        self._warn = warn
        self._throttle = Throttle()
        self._clock_check = ClockCheck()
        self._video = VideoTopic()
        self._image_came = self._image_served = time.monotonic()
        self._problem_of_image = self._problem_of_camera = ""
        self._calibration: tuple[Any, ...] | None = None
        self._calibrated = False
        self._camera: Camera | None = None
        self._told_still = False
        # Whatever was seen before a pause is no reference for what comes after it.
        processor.set_camera(None)
        processor.reset()
        self._scale_came = self._image_came
        callbacks = Callbacks(self._on_image, self._on_camera_info, self._on_scale, self._on_mask, self._tell)
        self._inputs = Inputs(node, config, callbacks)
        live = config.processing == "live"
        self._worker = Worker(
            self._prepare, self._finish, 1 if live else config.queue_size, live, config.pipeline
        )

    @property
    def topics(self) -> str:
        """Where images and calibration are taken from, in words."""
        images = " and ".join(entry.topic for entry in self._inputs.images)
        return f"images from {images}, calibration from {self._inputs.camera_info.topic}"

    def counts(self) -> Counts:
        """Return what became of the frames so far."""
        return self._worker.counts()

    def close(self, timeout: float = _STOP_TIMEOUT_S) -> bool:
        """Unsubscribe and let the frame being worked on end; return whether it ended in time."""
        self._inputs.close()
        ended = self._worker.stop(timeout)
        self._statistics.end(self._worker.counts())
        return ended

    def problems(self) -> dict[str, str]:
        """Return what the node lacks at this moment; a `ProblemLog` decides what is worth telling."""
        now = time.monotonic()
        inputs, last = self._inputs, self._statistics.last
        problems = {}
        if now - self._image_came > _SILENCE_S and not self._worker.counts().waiting:
            reasons = "; or ".join(entry.silence() for entry in inputs.images)
            problems["image"] = f"waiting for images: {reasons}"
        elif now - self._image_served > _SILENCE_S and self._problem_of_image:
            problems["image"] = f"waiting for usable images: {self._problem_of_image}"
        if self._problem_of_camera:
            problems["camera_info"] = f"waiting for calibration: {self._problem_of_camera}"
        elif self._calibration is None:
            problems["camera_info"] = f"waiting for calibration: {inputs.camera_info.silence()}"
        elif last is not None and last.result.reason is Reason.CALIBRATION_MISMATCH:
            problems["camera_info"] = f"waiting for calibration: {last.result.detail}"
        problems.update(self._doubles())
        if inputs.scale is not None and now - self._scale_came > _SILENCE_S:
            problems["scale"] = f"waiting for the scale: {inputs.scale.silence()}"
        if self._outputs.problem:
            problems["tf"] = f"poses wait: {self._outputs.problem}"
        return problems

    def _doubles(self) -> dict[str, str]:
        """Return what is there twice: two cameras make a path that jumps, two nodes answer twice."""
        problems = {}
        for entry in self._inputs.images:
            if len(names := entry.publishers()) > 1:
                text = f"{entry.topic} has {len(names)} publishers ({', '.join(names)}), whose frames mix"
                problems[f"publishers of {entry.topic}"] = f"{text}; remap one of them"
        status = self._node.resolve_topic_name("~/status")
        count = self._node.count_publishers(status)
        if count > 1:
            text = f"{count} nodes are named {self._node.get_fully_qualified_name()}"
            problems["name"] = f"{text} and publish {status}; end one or rename it with -r __node:=NAME"
        return problems

    def stamp_problem(self) -> str:
        """Return what is wrong with the stamps of the images, or an empty text."""
        return self._clock_check.problem()

    # Called by the executor.

    def _on_image(self, message: Any) -> None:
        now = time.monotonic()
        self._image_came = now
        # Packets of a video are decoded before any frame can be dropped: each needs those before it.
        for entry in self._video.unpack(message):
            self._take(entry, now)

    def _take(self, message: Any, now: float) -> None:
        self._statistics.receive(now)
        age = self._clock_check.add(
            nanoseconds(message.header.stamp), self._node.get_clock().now().nanoseconds
        )
        if not self._worker.submit(_Incoming(message, now, age)):
            text = f"{self._config.queue_size} frames wait already (queue_size), so new ones are dropped"
            self._warn_throttled("queue", text)

    def _on_camera_info(self, message: Any) -> None:
        calibration = _comparable(message)
        if calibration == self._calibration:
            return
        self._calibration = calibration
        choice = self._config.rectified
        rectified = choice == "true"
        if choice == "auto":
            rectified = shows_rectified(self._inputs.images[0].topic)
        camera: Camera | None = None
        try:
            found = calibration_from_message(message, rectified, self._config.camera.binning)
        except ConfigurationError as error:
            self._problem_of_camera = str(error)
        else:
            self._problem_of_camera = ""
            camera = found.camera
            if self._camera is not None and largest_change_px(self._camera, camera) < _SAME_CAMERA_PX:
                # Drivers with autofocus send a little another one with each image.
                return
            self._tell_calibration(camera, found.remarks)
        self._camera = camera
        self._processor.set_camera(camera)

    def _tell_calibration(self, camera: Camera, remarks: Sequence[str]) -> None:
        text = "calibration changed, tracking starts anew" if self._calibrated else "calibration received"
        lens = f"lens model {camera.distortion.value}"
        if not self._calibrated or self._throttle.allows("calibration", time.monotonic()):
            self._node.get_logger().info(f"{text}: {camera.width}x{camera.height} pixels, {lens}")
        for remark in remarks:
            self._tell(remark)
        self._calibrated = True

    def _on_scale(self, message: Any) -> None:
        self._scale_came = time.monotonic()
        self._processor.take_scale(message)

    def _on_mask(self, message: Any) -> None:
        try:
            self._processor.set_mask(mask_from_message(message))
        except ImageError as error:
            self._warn_throttled("mask", f"{self._inputs.mask.topic} is ignored: {error}")

    def _tell(self, text: str) -> None:
        self._warn_throttled(text, text)

    # Called by the worker, with `pipeline` in two threads.

    def _prepare(self, incoming: _Incoming) -> _Taken:
        return _Taken(self._processor.prepare(incoming.message), incoming)

    def _finish(self, taken: _Taken) -> None:
        processed = self._processor.place(taken.prepared)
        arrived = taken.incoming.arrived
        result = processed.result
        if result.reason in GIVEN_UP:
            self._problem_of_image = result.detail
            self._warn_throttled(result.reason.name, f"{result.reason.value}: {result.detail}")
        else:
            self._image_served = time.monotonic()
        if result.still_part > 0.0 and not self._told_still:
            self._told_still = True
            self._warn(
                f"{100.0 * result.still_part:.0f} % of the image stands still while the camera moves and is "
                "left out (a bonnet, an arm, a housing?); the parameter mask leaves it out from the start"
            )
        try:
            extra = {
                "age_ms": 1e3 * (time.monotonic() - arrived),
                "arrival_age_ms": 1e3 * taken.incoming.stamp_age_s,
                "number": self._statistics.next_number,
            }
            self._outputs.publish(processed, extra, self._processor.landmarks)
        except Exception as error:
            # One message that cannot be made must not end the thread that makes all others.
            self._warn_throttled("publish", f"cannot publish: {type(error).__name__}: {error}")
        self._statistics.process(processed, arrived)

    def _warn_throttled(self, key: str, text: str) -> None:
        if self._throttle.allows(key, time.monotonic()):
            self._warn(text)


def _comparable(message: Any) -> tuple[Any, ...]:
    """Return what of a `CameraInfo` determines the camera; NaN equals itself here."""
    region = message.roi
    return (
        message.width,
        message.height,
        message.distortion_model,
        repr(list(message.d)),
        message.k.tobytes(),
        message.p.tobytes(),
        (message.binning_x, message.binning_y),
        (region.x_offset, region.y_offset, region.width, region.height),
    )
