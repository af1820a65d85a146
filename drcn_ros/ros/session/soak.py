# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the real node for many frames and watches its memory, threads, files and bookkeeping."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path as PathMessage
from numpy.typing import NDArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, PointCloud2

from drcn_ros.configuration import Value
from drcn_ros.errors import DrcnError
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.config import NODE_NAME
from drcn_ros.ros.session.camera_publisher import CAMERA_INFO_TOPIC, IMAGE_TOPIC, CameraPublisher
from drcn_ros.ros.session.domain import private_domain
from drcn_ros.ros.session.node_process import NodeProcess
from drcn_ros.ros.session.soak_report import Sample, SoakReport

SETTLING_FRAMES = 500
_SAMPLE_EVERY = 100
_PATIENCE_S = 120.0
# Images that the node is given ahead of its answers; all of them fit into the queues between the processes.
_MOST_AHEAD = 10
# Radii of the window's way, pixels.
_AROUND = (200, 180)
_TOPICS = {
    "keypoints": PointCloud2,
    "matches": PointCloud2,
    "pose": PoseWithCovarianceStamped,
    "path": PathMessage,
    "match_image/compressed": CompressedImage,
    "status": DiagnosticStatus,
}


def soak(
    frames: int,
    rate_hz: float,
    size: tuple[int, int],
    parameters: Mapping[str, Value],
    log: Path,
    profile: Path | None,
    on_frame: Callable[[], Any] = lambda: None,
) -> SoakReport:
    """Publish `frames` images at `rate_hz` and watch the node, whether it keeps up or not.

    With `processing` every_frame images wait for the node instead, so that it processes each.

    Args:
        frames: number of images.
        rate_hz: images a second.
        size: (width, height) of the images.
        parameters: of the node, over its defaults.
        log: receives the node's output.
        profile: Fast DDS profile.
        on_frame: called after each image.

    Raises:
        DrcnError: the node ended, or did not come up.
    """
    remaps = {"image": IMAGE_TOPIC, "camera_info": CAMERA_INFO_TOPIC}
    with ExitStack() as stack:
        domain_id = stack.enter_context(private_domain())
        context = Context()
        rclpy.init(context=context, domain_id=domain_id)
        stack.callback(rclpy.shutdown, context=context)
        process = stack.enter_context(NodeProcess(domain_id, parameters, log, remaps, profile))
        run = _Run(context, process, _Pictures(*size))
        stack.callback(run.close)
        return run.run(frames, rate_hz, parameters.get("processing") == "every_frame", on_frame)


class _Pictures:
    """A window that goes round over a large random texture: the same places are seen again and again."""

    def __init__(self, width: int, height: int) -> None:
        focal = 0.8 * width
        self.camera = Camera(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
        coarse = np.random.default_rng(0).integers(0, 256, (90, 110), dtype=np.uint8)
        around = (width + 2 * _AROUND[0], height + 2 * _AROUND[1])
        self._texture = np.asarray(cv2.resize(coarse, around), np.uint8)

    def at(self, index: int) -> NDArray[np.uint8]:
        angle = 0.03 * index
        left, top = round(_AROUND[0] * (1 + np.cos(angle))), round(_AROUND[1] * (1 + np.sin(angle)))
        return self._texture[top : top + self.camera.height, left : left + self.camera.width]


class _Run:
    def __init__(self, context: Context, process: NodeProcess, pictures: _Pictures) -> None:
        self._process = process
        self._pictures = pictures
        self._node = Node("drcn_soak", context=context)
        self._camera = CameraPublisher(self._node, pictures.camera)
        self._statuses = self._last_number = 0
        self._counts: dict[str, int] = {}
        for name, kind in _TOPICS.items():
            callback = self._on_status if name == "status" else _ignore
            depth = 1000 if name == "status" else 10
            self._node.create_subscription(kind, f"/{NODE_NAME}/{name}", callback, depth)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self._node)

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()

    def run(self, frames: int, rate_hz: float, in_step: bool, on_frame: Callable[[], Any]) -> SoakReport:
        self._spin_until(lambda: self._camera.subscribers > 0, "the node did not subscribe")
        self._spin_until(lambda: bool(self._counts), "the node sent no diagnostics")
        watched = psutil.Process(self._process.pid)
        settled = min(SETTLING_FRAMES, frames // 2)
        samples = []
        start = time.monotonic()
        for index in range(frames):
            self._spin_for(start + index / rate_hz - time.monotonic())
            if in_step:
                self._wait_for_answers(index)
            self._camera.publish(Frame(time.time_ns(), self._pictures.at(index)))
            on_frame()
            if index >= settled and (index - settled) % _SAMPLE_EVERY == 0:
                self._process.check()
                samples.append(_sample(watched, index))
        self._spin_until(self._has_settled, "the node did not come to an end with the frames")
        samples.append(_sample(watched, frames))
        return SoakReport(
            published=frames,
            received=self._counts["received"],
            processed=self._counts["processed"],
            dropped=self._counts["dropped"],
            statuses=self._statuses,
            last_number=self._last_number,
            samples=tuple(samples),
            seconds=time.monotonic() - start,
        )

    def _wait_for_answers(self, published: int) -> None:
        """Wait until all but a few of the images published were answered or dropped."""
        self._spin_until(
            lambda: published - self._last_number - self._counts.get("dropped", 0) <= _MOST_AHEAD,
            "the node did not answer",
        )

    def _has_settled(self) -> bool:
        """Whether nothing changed between two diagnostics, and no frame waits."""
        before = dict(self._counts)
        self._counts.clear()
        self._spin_until(lambda: bool(self._counts), "the node sent no diagnostics")
        return self._counts == before and self._counts["waiting"] == 0

    def _spin_for(self, seconds: float) -> None:
        end = time.monotonic() + max(0.0, seconds)
        while True:
            self._executor.spin_once(timeout_sec=max(0.0, end - time.monotonic()))
            if time.monotonic() >= end:
                return

    def _spin_until(self, condition: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not condition():
            self._process.check()
            self._executor.spin_once(timeout_sec=0.1)
            if time.monotonic() > end:
                msg = f"{complaint} within {_PATIENCE_S:.0f} s"
                raise DrcnError(msg)

    def _on_status(self, message: DiagnosticStatus) -> None:
        self._statuses += 1
        self._last_number = next(int(entry.value) for entry in message.values if entry.key == "number")

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        values = {entry.key: entry.value for entry in message.status[0].values}
        self._counts = {name: int(values[name]) for name in ("received", "processed", "dropped", "waiting")}


def _sample(process: psutil.Process, frame: int) -> Sample:
    return Sample(frame, process.memory_info().rss / 1e6, process.num_threads(), process.num_fds())


def _ignore(_message: Any) -> None:
    pass
