# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The life-cycle node: loads the model, takes images while it is active, tells how it fares."""

from __future__ import annotations

import dataclasses
import gc
import time
from typing import Any

import torch
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool, Trigger

from drcn_ros.errors import DrcnError
from drcn_ros.matching import create_matcher
from drcn_ros.matching.device import InForce, in_force
from drcn_ros.odometry import State, VisualOdometry
from drcn_ros.odometry.mask import read_mask
from drcn_ros.odometry.threads import use_threads
from drcn_ros.ros.config import NODE_NAME, NodeConfig
from drcn_ros.ros.messages import convert
from drcn_ros.ros.node.activity import Activity
from drcn_ros.ros.node.budget import Budget
from drcn_ros.ros.node.failures import is_out_of_memory
from drcn_ros.ros.node.outputs import Outputs
from drcn_ros.ros.node.parameters import NodeParameters
from drcn_ros.ros.node.problem_log import ProblemLog
from drcn_ros.ros.node.processor import Processor
from drcn_ros.ros.node.statistics import NOTHING, NodeStatistics
from drcn_ros.ros.node.transforms import import_tf2
from drcn_ros.ros.node.warm_up import measure, warm_up

_SUCCESS = TransitionCallbackReturn.SUCCESS
_FAILURE = TransitionCallbackReturn.FAILURE
_DIAGNOSTICS_PERIOD_S = 1.0
_PATH_PERIOD_S = 0.5


class VoNode(LifecycleNode):
    """Learned visual odometry: images and calibration in; keypoints, matches and poses out.

    Raises:
        ConfigurationError: a parameter given at start is refused.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(NODE_NAME, automatically_declare_parameters_from_overrides=True, **arguments)
        self._settings = NodeParameters(self, NodeConfig)
        for text in self._settings.unknown:
            self.get_logger().warning(text)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._processor: Processor | None = None
        self._budget: Budget | None = None
        self._outputs: Outputs | None = None
        self._activity: Activity | None = None
        self._in_force: InForce | None = None
        self._active = False
        self._statistics = NodeStatistics()
        self._problem_log = ProblemLog()
        self._told_stamps = False
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
        return self._settings.config

    def bring_up(self) -> bool:
        """Configure and activate; return whether both succeeded."""
        return self.trigger_configure() == _SUCCESS and self.trigger_activate() == _SUCCESS

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model, warm it up, make the publishers."""
        begin = time.monotonic()
        config = self.config
        try:
            matcher = create_matcher(config.matcher)
            use_threads(config.threads)
            warm_up(config, matcher)
            self._budget = None
            if config.max_latency_ms > 0.0:
                self._budget = Budget(config.max_latency_ms, measure(config, matcher))
            used = self._in_force = in_force(config.matcher)
            odometry = VisualOdometry(config, matcher=matcher)
            self._outputs = Outputs(self, self.get_fully_qualified_name(), config)
        except Exception as error:
            if not isinstance(error, DrcnError) and not is_out_of_memory(error):
                self.get_logger().error(f"cannot configure: {type(error).__name__}: {error}")
                raise
            self.get_logger().error(f"cannot configure: {error}")
            self._release()
            return _FAILURE
        self._processor = Processor(odometry, config.publish_descriptors, self._budget)
        self._processor.readout_s = config.camera.readout_time
        seconds = time.monotonic() - begin
        text = f"matcher {config.matcher.name} on {used.device}, precision {used.precision}"
        self.get_logger().info(f"configured: {text}, ready after {seconds:.1f} s")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe."""
        super().on_activate(state)
        try:
            self._start()
        except DrcnError as error:
            self.get_logger().error(f"cannot activate: {error}")
            super().on_deactivate(state)
            return _FAILURE
        self._active = True
        assert self._activity is not None
        self.get_logger().info(f"active: {self._activity.topics}")
        return _SUCCESS

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

    def close(self, timeout: float) -> bool:
        """End the thread that works on frames; return whether it ended in time."""
        activity, self._activity = self._activity, None
        return activity is None or activity.close(timeout)

    def _start(self) -> None:
        assert self._processor is not None
        assert self._outputs is not None
        self._activity = Activity(
            self, self.config, self._processor, self._outputs, self._statistics, self.get_logger().warning
        )

    def _stop(self) -> None:
        activity, self._activity = self._activity, None
        if activity is not None:
            activity.close()

    def _release(self) -> None:
        if self._outputs is not None:
            self._outputs.close()
        self._outputs = self._processor = self._in_force = None
        self._statistics.last = None
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def _on_reset(self, _request: Any, response: Any) -> Any:
        response.success = self._processor is not None
        if self._processor is None:
            response.message = "the node is not configured, so there is nothing to reset"
        else:
            self._processor.reset()
            response.message = "tracking starts anew with the next frame"
        return response

    def _on_enable(self, request: Any, response: Any) -> Any:
        response.success = self._active
        if not self._active:
            response.message = "the node is not active; run `ros2 lifecycle set` with activate first"
        elif request.data == (self._activity is not None):
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
            config = self._settings.propose(changes, running=self._processor is not None)
            if config.mask != self.config.mask:
                read_mask(config.mask)
            if config.publish_tf and not self.config.publish_tf:
                import_tf2("publish_tf")
        except DrcnError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if config != self.config:
            self._settings.accept(config)
            if self._processor is not None and self._outputs is not None:
                self._processor.update(config)
                self._processor.with_descriptors = config.publish_descriptors
                self._processor.readout_s = config.camera.readout_time
                self._outputs.update(config)
        return SetParametersResult(successful=True)

    def _on_path(self) -> None:
        if self._outputs is not None:
            self._outputs.publish_path()

    def _on_diagnostics(self) -> None:
        now = time.monotonic()
        problems = {} if self._activity is None else self._activity.problems()
        if self._budget is not None and self._activity is not None:
            if note := self._budget.take_note():
                self.get_logger().info(note)
            if problem := self._budget.problem():
                problems["latency"] = problem
        for text in self._problem_log.due(problems, now):
            self.get_logger().warning(text)
        level, summary = self._summary([problems[key] for key in self._problem_log.lasting(now)])
        if stamps := "" if self._activity is None else self._activity.stamp_problem():
            if not self._told_stamps:
                self.get_logger().warning(stamps)
            self._told_stamps = True
            level, summary = max(level, DiagnosticStatus.WARN), f"{summary}; {stamps}"
        values = self._statistics.values(NOTHING if self._activity is None else self._activity.counts())
        values["max_latency_ms"] = self.config.max_latency_ms
        values["stamps"] = stamps
        name = f"{self.get_fully_qualified_name()}: odometry"
        # Not known before the node is configured: CUDA may be asked for where there is none.
        used = self._in_force
        values.update({} if used is None else dataclasses.asdict(used))
        device = self.config.matcher.device if used is None else used.device
        status = convert.diagnostic_status(name, device, level, summary, values)
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _summary(self, lasting: list[str]) -> tuple[bytes, str]:
        """Return level and text of the diagnostics, given the problems that have lasted."""
        if self._processor is None:
            return DiagnosticStatus.OK, "not configured"
        if not self._active:
            return DiagnosticStatus.OK, "not active"
        if self._activity is None:
            return DiagnosticStatus.OK, "disabled"
        if lasting:
            return DiagnosticStatus.WARN, "; ".join(lasting)
        if self._statistics.last is None:
            return DiagnosticStatus.OK, "waiting for the first image"
        result = self._statistics.last.result
        bad = result.state in (State.LOST, State.WAITING_FOR_CALIBRATION)
        level = DiagnosticStatus.WARN if bad else DiagnosticStatus.OK
        return level, f"{result.state.value}: {result.reason.value}"
