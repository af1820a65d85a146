# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node that makes a map: collects frames, maps them in a thread of its own, tells how it fares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.node import Node
from std_srvs.srv import Trigger

from drcn_ros.errors import ConfigurationError, DrcnError
from drcn_ros.geometry.types import Array
from drcn_ros.mapping import TrackedFrame
from drcn_ros.ros.mapping.config import MAP_NODE_NAME, MapNodeConfig
from drcn_ros.ros.mapping.current_map import CurrentMap
from drcn_ros.ros.mapping.frames import FrameCollector
from drcn_ros.ros.mapping.inputs import MapInputs
from drcn_ros.ros.mapping.outputs import MapOutputs
from drcn_ros.ros.messages import convert
from drcn_ros.ros.node.parameters import NodeParameters
from drcn_ros.ros.node.problem_log import PATIENCE_S, ProblemLog, Throttle
from drcn_ros.ros.node.transforms import BaseTransform
from drcn_ros.ros.node.worker import Worker

_COLLECT_PERIOD_S = 0.05
_SHOW_PERIOD_S = 1.0


class MapNode(Node):
    """Keeps a pose graph of what `vo_node` publishes; subscribes to nothing else.

    Raises:
        ConfigurationError: a parameter given at start is refused.
        MissingDependencyError: GTSAM is not installed, or TF is needed and tf2_ros is not.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(MAP_NODE_NAME, automatically_declare_parameters_from_overrides=True, **arguments)
        self._settings = NodeParameters(self, MapNodeConfig, "the node runs; set it at start")
        for text in self._settings.unknown:
            self.get_logger().warning(text)
        config = self.config
        self._base = BaseTransform(self, config.base_frame) if config.base_frame else None
        self._collector = FrameCollector(self._base_from_camera, config.patience)
        # Of the map there is one at a time, and the worker, the services and the timers use it.
        self._lock = threading.Lock()
        self._current = CurrentMap(config)
        if config.load_map:
            self.get_logger().info(self._current.load(config.map_folder))
        self._shown = -1
        self._mapping_ms: list[float] = []
        self._failures = self._late = self._taken = 0
        self._frame_came = time.monotonic()
        self._log, self._throttle = ProblemLog(), Throttle()
        self._outputs = MapOutputs(self, self.get_logger().warning)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.add_on_set_parameters_callback(self._on_parameters)
        self.create_service(Trigger, "~/save_map", self._on_save)
        self.create_service(Trigger, "~/load_map", self._on_load)
        self.create_service(Trigger, "~/reset", self._on_reset)
        self._worker = Worker(_as_it_is, self._map, config.queue_size, newest_wins=False, overlap=False)
        self._inputs = MapInputs(self, config.odometry, self._on_message, self._tell)
        # Timers of a steady clock, because a paused simulation must not silence the node.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_COLLECT_PERIOD_S, self._collect, clock=steady)
        self.create_timer(_SHOW_PERIOD_S, self._show, clock=steady)
        self.get_logger().info(f"ready: frames from {self.resolve_topic_name(f'{config.odometry}/status')}")

    @property
    def config(self) -> MapNodeConfig:
        """The configuration that the parameters make."""
        return self._settings.config

    def close(self, timeout: float) -> bool:
        """End the thread that maps; return whether it ended in time."""
        return self._worker.stop(timeout)

    # Called by the executor.

    def _on_message(self, topic: str, message: Any) -> None:
        now = time.monotonic()
        self._frame_came = now
        self._collector.add(topic, message, now)
        self._collect()

    def _collect(self) -> None:
        for frame in self._collector.take(time.monotonic()):
            if not self._worker.submit(frame):
                text = f"{self.config.queue_size} frames wait already (queue_size), so new ones are left out"
                self._tell(text)
        if self._collector.complaint:
            self._tell(f"a message is left out: {self._collector.complaint}", key="damaged")
            self._collector.complaint = ""

    def _base_from_camera(self, camera_frame: str) -> Array | None:
        return np.eye(4) if self._base is None else self._base.lookup(camera_frame)

    def _on_save(self, _request: Any, response: Any) -> Any:
        return self._answer(response, self._current.save)

    def _on_load(self, _request: Any, response: Any) -> Any:
        self._collector.reset()
        return self._answer(response, self._current.load)

    def _answer(self, response: Any, work: Callable[[str], str]) -> Any:
        """Save or load, and tell how it went."""
        try:
            with self._lock:
                response.message = work(self.config.map_folder)
            response.success = True
            self.get_logger().info(response.message)
        except DrcnError as error:
            response.success, response.message = False, str(error)
            self.get_logger().error(response.message)
        return response

    def _on_reset(self, _request: Any, response: Any) -> Any:
        with self._lock:
            self._current.reset()
        self._collector.reset()
        response.success, response.message = True, "a new map begins with the next frame"
        return response

    def _on_parameters(self, changes: list[Any]) -> SetParametersResult:
        try:
            config = self._settings.propose(changes, running=True)
        except ConfigurationError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self._settings.accept(config)
        self._collector.patience_s = config.patience
        return SetParametersResult(successful=True)

    # Called by the worker.

    def _map(self, frame: TrackedFrame) -> None:
        begin = time.perf_counter()
        config = self.config
        try:
            with self._lock:
                placed = self._current.add(frame)
        except Exception as error:
            # One frame that cannot be mapped must not end the thread that maps all others.
            self._failures += 1
            text = f"a frame is left out: {type(error).__name__}: {error}; please report it"
            self._tell(text, key="failure")
            return
        self._mapping_ms.append(1e3 * (time.perf_counter() - begin))
        if placed is None:
            return
        ahead = frame.stamp_ns + round(1e9 * config.transform_tolerance)
        self._outputs.publish_pose(placed.pose, frame.stamp_ns, config.map_frame)
        self._outputs.publish_correction(
            placed.correction, ahead, config.map_frame, self._collector.odom_frame, config.publish_tf
        )

    # What is shown once a second.

    def _show(self) -> None:
        config = self.config
        with self._lock:
            version, count = self._current.version, len(self._current)
            path = self._current.mapper.keyframe_path() if version != self._shown and count else None
            graph = self._current.mapper.graph() if path is not None else None
        if path is not None and graph is not None:
            self._outputs.publish_path(path, config.map_frame)
            self._outputs.publish_graph(graph, int(path.stamps_ns[-1]), config.map_frame)
        self._shown = version
        self._tell_how_it_fares()

    def _tell_how_it_fares(self) -> None:
        now = time.monotonic()
        problems = self._problems(now)
        for text in self._log.due(problems, now):
            self.get_logger().warning(text)
        lasting = [problems[key] for key in self._log.lasting(now)] + list(self._outputs.missing.values())
        level = DiagnosticStatus.WARN if lasting else DiagnosticStatus.OK
        values = self._values()
        summary = "; ".join(lasting) or f"{values['keyframes']} keyframes, {values['loops']} loops"
        name = f"{self.get_fully_qualified_name()}: map"
        status = convert.diagnostic_status(name, "map", level, summary, values)
        self._outputs.publish_status(status)
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _problems(self, now: float) -> dict[str, str]:
        """Return what is worth a line again and again; what is not installed has been told once."""
        problems = {}
        if now - self._frame_came > PATIENCE_S:
            problems["frames"] = f"waiting for frames: {self._inputs.silence()}"
        counts = self._collector.counts
        if counts.late > self._late and counts.taken == self._taken:
            problems["late"] = (
                "frames come with stamps before those of the map (a recording that begins again?); "
                "call ~/reset for a new map"
            )
        self._late, self._taken = counts.late, counts.taken
        if self._base is not None and self._base.problem:
            problems["base"] = f"frames wait: {self._base.problem}"
        if self._current.without_descriptors:
            problems["descriptors"] = (
                "the keypoints have no descriptors, so that no place is known again; set publish_descriptors "
                "of vo_node to true"
            )
        return problems

    def _values(self) -> dict[str, object]:
        counts, worked = self._collector.counts, self._worker.counts()
        took, self._mapping_ms = self._mapping_ms, []
        with self._lock:
            told = self._current.values()
        return {
            **told,
            "frames": counts.taken,
            "lost": counts.lost,
            "incomplete": counts.incomplete,
            "late_or_twice": counts.late,
            "damaged": counts.damaged,
            "waiting": worked.waiting,
            "dropped": worked.dropped,
            "failures": self._failures,
            "mapping_ms": _mean(took),
            "mapping_ms_largest": max(took, default=None),
        }

    def _tell(self, text: str, key: str = "") -> None:
        if self._throttle.allows(key or text, time.monotonic()):
            self.get_logger().warning(text)


def _as_it_is(frame: TrackedFrame) -> TrackedFrame:
    return frame


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None
