# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The life-cycle node: brings inputs, odometry and outputs together."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Any

import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool, Trigger

from drcn_ros.errors import ConfigurationError, DrcnError
from drcn_ros.geometry.camera import Camera
from drcn_ros.matching import create_matcher
from drcn_ros.odometry import Reason, State, VisualOdometry
from drcn_ros.ros import messages
from drcn_ros.ros.cameras import camera_from_message, shows_rectified
from drcn_ros.ros.config import NodeConfig
from drcn_ros.ros.inputs import Inputs
from drcn_ros.ros.outputs import Outputs
from drcn_ros.ros.parameters import NodeParameters
from drcn_ros.ros.processor import Processed, Processor
from drcn_ros.ros.statistics import Percentiles, Rate
from drcn_ros.ros.warm_up import warm_up
from drcn_ros.ros.watch import PATIENCE_S, Throttle, Watch
from drcn_ros.ros.worker import Counts, Worker

NODE_NAME = "vo_node"

_SUCCESS = TransitionCallbackReturn.SUCCESS
_FAILURE = TransitionCallbackReturn.FAILURE
_DIAGNOSTICS_PERIOD_S = 1.0
_PATH_PERIOD_S = 0.5
# A frame being worked on may take seconds with a large network on a CPU.
_STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class _Incoming:
    message: Any
    arrived: float


@dataclass
class _Activity:
    """What an active node has seen so far; times are of the monotonic clock."""

    since: float
    image: float
    usable_image: float
    camera_info: float | None = None
    problem_of_image: str = ""
    problem_of_camera: str = ""


class VoNode(LifecycleNode):
    """Learned visual odometry: images and calibration in; keypoints, matches and poses out.

    Raises:
        ConfigurationError: a parameter given at start is refused.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(NODE_NAME, automatically_declare_parameters_from_overrides=True, **arguments)
        self._parameters_of_node = NodeParameters(self)
        for text in self._parameters_of_node.unknown:
            self.get_logger().warning(text)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._odometry: VisualOdometry | None = None
        self._processor: Processor | None = None
        self._outputs: Outputs | None = None
        self._inputs: Inputs | None = None
        self._worker: Worker[_Incoming] | None = None
        self._active = False
        self._ended = Counts(0, 0, 0, 0)
        self._watch = Watch()
        self._throttle = Throttle()
        start = time.monotonic()
        self._activity = _Activity(start, start, start)
        self._received_rate, self._processed_rate = Rate(start), Rate(start)
        self._total_ms, self._age_ms = Percentiles(), Percentiles()
        self._last: Processed | None = None
        self._rejected = 0
        self._clock_jumps = 0
        self._segments = 0
        self._calibration: tuple[Any, ...] | None = None
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_service(Trigger, "~/reset", self._on_reset)
        self.create_service(SetBool, "~/enable", self._on_enable)
        # Timers of a steady clock, because a paused simulation must not silence the node.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_DIAGNOSTICS_PERIOD_S, self._on_diagnostics, clock=steady)
        self.create_timer(_PATH_PERIOD_S, self._on_path, clock=steady)

    @property
    def config(self) -> NodeConfig:
        """The configuration that the parameters make."""
        return self._parameters_of_node.config

    def bring_up(self) -> bool:
        """Configure and activate; return whether both succeeded."""
        return self.trigger_configure() == _SUCCESS and self.trigger_activate() == _SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model, warm it up, make the publishers."""
        begin = time.monotonic()
        config = self.config
        try:
            matcher = create_matcher(config.matcher)
            warm_up(config, matcher)
            self._odometry = VisualOdometry(config, matcher=matcher)
        except DrcnError as error:
            self.get_logger().error(f"cannot configure: {error}")
            self._release()
            return _FAILURE
        self._processor = Processor(self._odometry)
        self._outputs = Outputs(self, self.get_fully_qualified_name(), config)
        self._calibration = None
        seconds = time.monotonic() - begin
        self.get_logger().info(f"configured: matcher {config.matcher.name}, ready after {seconds:.1f} s")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe."""
        outcome = super().on_activate(state)
        try:
            self._start()
        except DrcnError as error:
            self.get_logger().error(f"cannot activate: {error}")
            super().on_deactivate(state)
            return _FAILURE
        self._active = True
        assert self._inputs is not None
        topics = " and ".join(entry.topic for entry in self._inputs.images)
        self.get_logger().info(
            f"active: images from {topics}, calibration from {self._inputs.camera_info.topic}"
        )
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and let the frame being worked on end."""
        self._active = False
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and the publishers, device memory included."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything."""
        self._active = False
        self._stop()
        self._release()
        return super().on_shutdown(state)

    def stop(self, timeout: float) -> bool:
        """End the thread that works on frames; return whether it ended in time."""
        worker, self._worker = self._worker, None
        return worker is None or worker.stop(timeout)

    def _start(self) -> None:
        """Start the worker and subscribe."""
        assert self._processor is not None
        config = self.config
        now = time.monotonic()
        self._activity = _Activity(now, now, now)
        # Whatever was seen before a pause is no reference for what comes after it.
        self._processor.reset()
        live = config.processing == "live"
        self._worker = Worker(self._work, 1 if live else config.queue_size, newest_wins=live)
        self._inputs = Inputs(self, config, self._on_image, self._on_camera_info, self._tell)

    def _stop(self) -> None:
        if self._inputs is not None:
            self._inputs.close()
            self._inputs = None
        if self._worker is not None:
            self._worker.stop(_STOP_TIMEOUT_S)
            counts = self._worker.counts()
            self._worker = None
            self._ended = Counts(
                self._ended.received + counts.received,
                self._ended.processed + counts.processed,
                self._ended.dropped + counts.dropped,
                0,
            )

    def _release(self) -> None:
        if self._outputs is not None:
            self._outputs.close()
        self._outputs = self._odometry = self._processor = self._last = None
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    # Called by the executor.

    def _on_image(self, message: Any) -> None:
        now = time.monotonic()
        self._activity.image = now
        self._received_rate.add(now)
        if self._worker is not None and not self._worker.submit(_Incoming(message, now)):
            self._warn_throttled(
                "queue", f"{self.config.queue_size} frames wait already, so new ones are dropped (queue_size)"
            )

    def _on_camera_info(self, message: Any) -> None:
        self._activity.camera_info = time.monotonic()
        region = message.roi
        calibration = (
            message.width,
            message.height,
            message.distortion_model,
            tuple(message.d),
            tuple(message.k),
            tuple(message.p),
            (message.binning_x, message.binning_y),
            (region.x_offset, region.y_offset, region.width, region.height),
        )
        # NaN differs from itself, so a calibration with one is looked at again each time; no harm.
        if calibration == self._calibration or self._processor is None:
            return
        first, self._calibration = self._calibration is None, calibration
        camera: Camera | None = None
        try:
            camera = camera_from_message(message, self._is_rectified())
        except ConfigurationError as error:
            self._activity.problem_of_camera = str(error)
        else:
            self._activity.problem_of_camera = ""
            text = "calibration received" if first else "calibration changed, tracking starts anew"
            self.get_logger().info(f"{text}: {camera.width}x{camera.height}, {camera.distortion.value}")
        self._processor.set_camera(camera)

    def _is_rectified(self) -> bool:
        choice = self.config.rectified
        return choice == "true" or (choice == "auto" and shows_rectified(self.resolve_topic_name("image")))

    def _on_reset(self, _request: Any, response: Any) -> Any:
        response.success = self._processor is not None
        response.message = "tracking starts anew with the next frame"
        if self._processor is None:
            response.message = "the node is not configured, so there is nothing to reset"
        else:
            self._processor.reset()
        return response

    def _on_enable(self, request: Any, response: Any) -> Any:
        response.success = self._active
        if not self._active:
            response.message = "the node is not active; activate it with `ros2 lifecycle set`"
        elif request.data == (self._inputs is not None):
            response.message = "enabled already" if request.data else "disabled already"
        elif request.data:
            self._start()
            response.message = "enabled; tracking starts anew"
        else:
            self._stop()
            response.message = "disabled: unsubscribed until enabled again"
        return response

    def _on_parameters(self, changes: list[Any]) -> SetParametersResult:
        try:
            config = self._parameters_of_node.propose(changes, running=self._odometry is not None)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if config != self.config:
            self._parameters_of_node.accept(config)
            if self._processor is not None and self._outputs is not None:
                self._processor.update(config)
                self._outputs.update(config)
        return SetParametersResult(successful=True)

    def _on_path(self) -> None:
        if self._outputs is not None:
            self._outputs.publish_path()

    def _on_diagnostics(self) -> None:
        now = time.monotonic()
        problems = self._problems(now)
        for text in self._watch.look(problems, now):
            self.get_logger().warning(text)
        lasting = [problems[key] for key in self._watch.lasting(now)]
        array = DiagnosticArray(status=[self._diagnostic(now, lasting)])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    # Called by the worker.

    def _work(self, incoming: _Incoming) -> None:
        processor, outputs = self._processor, self._outputs
        if processor is None or outputs is None:
            return
        processed = processor.process(incoming.message)
        result = processed.result
        now = time.monotonic()
        age_ms = 1e3 * (now - incoming.arrived)
        if result.reason is Reason.BAD_IMAGE:
            self._rejected += 1
            self._activity.problem_of_image = result.detail
            self._warn_throttled("image", f"image refused: {result.detail}")
        else:
            self._activity.usable_image = now
        if result.reason is Reason.CLOCK_JUMP:
            self._clock_jumps += 1
        if self._last is not None and result.segment != self._last.result.segment:
            self._segments += 1
        self._last = processed
        outputs.publish(processed, {"age_ms": age_ms})
        self._processed_rate.add(time.monotonic())
        self._total_ms.add(result.latency.total_ms + processed.decode_ms)
        self._age_ms.add(1e3 * (time.monotonic() - incoming.arrived))

    # What is missing, and the summary of it.

    def _problems(self, now: float) -> dict[str, str]:
        """Return what the node lacks at this moment; a `Watch` decides what is worth telling."""
        inputs, activity = self._inputs, self._activity
        if inputs is None:
            return {}
        problems = {}
        silent = 0.2 * PATIENCE_S
        if now - activity.image > silent:
            problems["image"] = "waiting for images: " + "; or ".join(
                entry.silence() for entry in inputs.images
            )
        elif now - activity.usable_image > silent and activity.problem_of_image:
            problems["image"] = f"waiting for usable images: {activity.problem_of_image}"
        if activity.problem_of_camera:
            problems["camera_info"] = f"waiting for calibration: {activity.problem_of_camera}"
        elif self._calibration is None:
            problems["camera_info"] = f"waiting for calibration: {inputs.camera_info.silence()}"
        elif self._last is not None and self._last.result.reason is Reason.CALIBRATION_MISMATCH:
            problems["camera_info"] = f"waiting for calibration: {self._last.result.detail}"
        return problems

    def _diagnostic(self, now: float, lasting: list[str]) -> DiagnosticStatus:
        counts = self._counts()
        last = None if self._last is None else self._last.result
        if self._odometry is None:
            summary, level = "not configured", DiagnosticStatus.OK
        elif not self._active:
            summary, level = "not active", DiagnosticStatus.OK
        elif self._inputs is None:
            summary, level = "disabled", DiagnosticStatus.OK
        elif lasting:
            summary, level = "; ".join(lasting), DiagnosticStatus.WARN
        elif last is None:
            summary, level = "waiting for the first image", DiagnosticStatus.OK
        else:
            summary = f"{last.state.value}: {last.reason.value}"
            lost = last.state in (State.LOST, State.WAITING_FOR_CALIBRATION)
            level = DiagnosticStatus.WARN if lost else DiagnosticStatus.OK
        values: dict[str, object] = {
            "state": "" if last is None else last.state.value,
            "reason": "" if last is None else last.reason.name,
            "received": counts.received,
            "processed": counts.processed,
            "dropped": counts.dropped,
            "waiting": counts.waiting,
            "rejected": self._rejected,
            "restarts": self._segments,
            "clock_jumps": self._clock_jumps,
            "received_hz": self._received_rate.hertz(now),
            "processed_hz": self._processed_rate.hertz(now),
            "latency_ms_p50": self._total_ms.at(50.0),
            "latency_ms_p95": self._total_ms.at(95.0),
            "age_ms_p50": self._age_ms.at(50.0),
            "age_ms_p95": self._age_ms.at(95.0),
            "device_memory_mb": _device_memory_mb(),
        }
        name = f"{self.get_fully_qualified_name()}: odometry"
        return messages.diagnostic_status(name, self.config.matcher.device, level, summary, values)

    def _counts(self) -> Counts:
        now = self._worker.counts() if self._worker is not None else Counts(0, 0, 0, 0)
        return Counts(
            self._ended.received + now.received,
            self._ended.processed + now.processed,
            self._ended.dropped + now.dropped,
            now.waiting,
        )

    def _tell(self, text: str) -> None:
        self._warn_throttled(text, text)

    def _warn_throttled(self, key: str, text: str) -> None:
        if self._throttle.allows(key, time.monotonic()):
            self.get_logger().warning(text)


def _device_memory_mb() -> float | None:
    if not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.memory_allocated()) / 2**20
