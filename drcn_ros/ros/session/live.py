# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded sequence through the real node: its own process, over DDS, as on a robot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from rclpy.context import Context
from rclpy.node import Node

from drcn_ros.configuration import Value
from drcn_ros.errors import DrcnError
from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.config import NODE_NAME
from drcn_ros.ros.session.camera_publisher import CAMERA_INFO_TOPIC, IMAGE_TOPIC, CameraPublisher
from drcn_ros.ros.session.domain import private_domain
from drcn_ros.ros.session.node_process import NodeProcess
from drcn_ros.ros.session.recorder import FrameRecord, Recorder

# Loading torch and the network on a busy small machine takes long.
_START_TIMEOUT_S = 120.0
_ANSWER_TIMEOUT_S = 60.0
# The status is published last, so the other topics are on their way when it arrives.
_REST_TIMEOUT_S = 2.0
# Both sides know of each other at different moments; what is sent in between is lost.
_DISCOVERY_S = 1.0
# Frames that are waited for one by one before the pace of a camera is chosen.
_PROBED = 6
# A camera at this multiple of the node's time per frame loses next to nothing.
_EASE = 1.25


@dataclass(frozen=True)
class LiveRun:
    """What came of playing a sequence.

    Attributes:
        published: `time.monotonic()` of each published frame, by its stamp.
        frames: what the node published, by stamp.
        rate_hz: images a second that were published, or None where each answer was waited for.
    """

    published: Mapping[int, float]
    frames: Mapping[int, FrameRecord]
    rate_hz: float | None

    def latencies_ms(self) -> list[float]:
        """Return the time from publishing an image to receiving its status, in order of the stamps."""
        return [
            (record.arrival_s - self.published[stamp]) * 1e3
            for stamp, record in self.frames.items()
            if record.status and stamp in self.published
        ]


class LiveSession:
    """A running node with a camera that publishes to it and a recorder that listens."""

    def __init__(self, process: NodeProcess, camera: CameraPublisher, recorder: Recorder) -> None:
        self._process = process
        self._camera = camera
        self._recorder = recorder
        self._published: dict[int, float] = {}

    def wait_until_ready(self) -> None:
        """Wait until the node subscribes and its answers can be heard.

        Raises:
            DrcnError: the node ended, or is not there in time.
        """
        end = time.monotonic() + _START_TIMEOUT_S
        while self._camera.subscribers < 1 or not self._recorder.is_connected():
            self._process.check()
            if time.monotonic() > end:
                msg = f"the node did not subscribe to {IMAGE_TOPIC} within {_START_TIMEOUT_S:.0f} s"
                raise DrcnError(msg)
            time.sleep(0.05)
        time.sleep(_DISCOVERY_S)

    def play_in_step(self, frames: Iterable[Frame], on_frame: Callable[[], None]) -> None:
        """Publish each frame and wait for its answer; nothing is lost with `processing: every_frame`.

        Raises:
            DrcnError: the node ended, or an answer did not come.
        """
        for frame in frames:
            self._publish(frame)
            end = time.monotonic() + _ANSWER_TIMEOUT_S
            while not self._recorder.wait_for_answers(len(self._published), 1.0):
                self._process.check()
                if time.monotonic() > end:
                    msg = f"the node gave no answer to the frame at {frame.stamp_ns} ns"
                    raise DrcnError(msg)
            on_frame()

    def answer_to(self, frame: Frame) -> FrameRecord:
        """Publish a frame, wait for all that the node publishes of it, and forget it.

        Raises:
            DrcnError: the node ended, or an answer did not come.
        """
        self.play_in_step([frame], lambda: None)
        return self._recorder.take(frame.stamp_ns, _REST_TIMEOUT_S)

    def play_at_rate(self, frames: Iterable[Frame], rate: float, on_frame: Callable[[], None]) -> float:
        """Publish the frames by their stamps, `rate` times as fast, without waiting for the node.

        Returns:
            Images per second.
        """
        count = 0
        begin = last = time.monotonic()
        first_stamp: int | None = None
        for frame in frames:
            first_stamp = frame.stamp_ns if first_stamp is None else first_stamp
            due = begin + (frame.stamp_ns - first_stamp) * 1e-9 / rate
            time.sleep(max(0.0, due - time.monotonic()))
            self._process.check()
            last = self._publish(frame)
            count += 1
            on_frame()
        self._settle()
        return (count - 1) / (last - begin) if count > 1 else 0.0

    def play_as_camera(self, frames: Iterable[Frame], on_frame: Callable[[], None]) -> float:
        """Publish the frames at a steady pace that this machine keeps up with, at most that of the stamps.

        Returns:
            Images per second.
        """
        iterator = iter(frames)
        probed = [frame for _, frame in zip(range(_PROBED), iterator, strict=False)]
        self.play_in_step(probed, on_frame)
        run = self.run(None)
        # The first frames of a process are slower than those that follow.
        needed_s = median(run.latencies_ms()[1:] or [0.0]) * 1e-3 * _EASE
        gaps = [(b.stamp_ns - a.stamp_ns) * 1e-9 for a, b in pairwise(probed)]
        rate = min(1.0, median(gaps) / needed_s) if gaps and needed_s > 0 else 1.0
        return self.play_at_rate(iterator, rate, on_frame)

    def run(self, rate_hz: float | None) -> LiveRun:
        """Return all that was published and answered so far."""
        return LiveRun(dict(self._published), self._recorder.frames(), rate_hz)

    def _publish(self, frame: Frame) -> float:
        moment = self._camera.publish(frame)
        self._published[frame.stamp_ns] = moment
        return moment

    def _settle(self) -> None:
        """Wait for the answers to the last frames; dropped ones never come."""
        answers = -1
        while answers < len(self._recorder.frames()):
            answers = len(self._recorder.frames())
            self._recorder.wait_for_answers(len(self._published), 2.0)


@contextmanager
def live_session(
    camera: Camera | None, parameters: Mapping[str, Value], log: Path, profile: Path | None
) -> Iterator[LiveSession]:
    """Start the node on a DDS domain of its own, and a camera and a recorder beside it.

    Args:
        camera: calibration that the camera publishes.
        parameters: of the node, by dotted name.
        log: receives the node's output.
        profile: Fast DDS profile, which large images need.

    Raises:
        DrcnError: the node does not start.
    """
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    if profile is not None:
        os.environ["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(profile)
        os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = str(profile)
    remaps = {"image": IMAGE_TOPIC, "camera_info": CAMERA_INFO_TOPIC}
    with ExitStack() as stack:
        domain_id = stack.enter_context(private_domain())
        context = Context()
        context.init(domain_id=domain_id)
        stack.callback(context.shutdown)
        node = Node("drcn_camera", context=context)
        stack.callback(node.destroy_node)
        recorder = Recorder(context, NODE_NAME)
        stack.callback(recorder.close)
        process = stack.enter_context(NodeProcess(domain_id, parameters, log, remaps, profile))
        session = LiveSession(process, CameraPublisher(node, camera), recorder)
        session.wait_until_ready()
        yield session
