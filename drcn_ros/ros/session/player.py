# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Plays a sequence as camera topics, with the clock of the recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.messages.convert import time_message
from drcn_ros.ros.session.camera_publisher import CameraPublisher

# How often /clock moves between two frames, and how soon a pause or an end is noticed.
_TICK_S = 0.02
# Readers get this long to acknowledge the last image.
_FAREWELL_S = 2.0


@dataclass
class Controls:
    """What a person may change while a sequence plays.

    Attributes:
        paused: the clock stands still.
        ended: stop as soon as possible.
    """

    paused: bool = False
    ended: bool = False


class Player:
    """Publishes frames at the pace of their stamps.

    Args:
        node: makes the publisher of `/clock`.
        camera: publishes the frames.
        rate: times as fast as recorded.
        clock: whether to publish `/clock`.
    """

    def __init__(self, node: Node, camera: CameraPublisher, rate: float = 1.0, clock: bool = True) -> None:
        self.controls = Controls()
        self._camera = camera
        self._rate = rate
        quality = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self._clock = node.create_publisher(Clock, "/clock", quality) if clock else None

    def wait_for_subscriber(self, on_wait: Callable[[], None], timeout_s: float | None = None) -> bool:
        """Wait until somebody takes the images; return whether somebody does.

        Args:
            on_wait: called once if nobody is there yet.
            timeout_s: give up after this long, or never.
        """
        end = None if timeout_s is None else time.monotonic() + timeout_s
        told = False
        while not self._camera.image_subscribers and not self.controls.ended:
            if end is not None and time.monotonic() >= end:
                return False
            if not told:
                on_wait()
                told = True
            time.sleep(_TICK_S)
        return not self.controls.ended

    def play(self, frames: Iterable[Frame], on_frame: Callable[[Frame], None]) -> int:
        """Publish the frames once; return their number.

        Args:
            frames: in order of time.
            on_frame: told each frame after it was published.
        """
        count = 0
        now_ns: int | None = None
        due_s = time.monotonic()
        for frame in frames:
            due_s = self._wait_until(frame.stamp_ns, now_ns, due_s)
            if self.controls.ended:
                break
            now_ns = frame.stamp_ns
            self._tick(now_ns)
            self._camera.publish(frame)
            count += 1
            on_frame(frame)
        return count

    def close(self) -> None:
        """Wait until readers have the last image, so that it is not lost with the publisher."""
        self._camera.flush(Duration(seconds=_FAREWELL_S))

    def _wait_until(self, stamp_ns: int, now_ns: int | None, due_s: float) -> float:
        """Let the clock run from `now_ns` to `stamp_ns`; return when, on the wall clock, that is."""
        if now_ns is None:
            return time.monotonic()
        begin_s = due_s
        due_s += (stamp_ns - now_ns) * 1e-9 / self._rate
        while not self.controls.ended:
            wall_s = time.monotonic()
            if self.controls.paused:
                time.sleep(_TICK_S)
                pause_s = time.monotonic() - wall_s
                begin_s, due_s = begin_s + pause_s, due_s + pause_s
                continue
            left_s = due_s - wall_s
            if left_s <= 0:
                break
            self._tick(now_ns + int(max(0.0, wall_s - begin_s) * self._rate * 1e9))
            time.sleep(min(left_s, _TICK_S))
        # A slow decoder must not make later frames hurry.
        return max(due_s, time.monotonic() - _TICK_S)

    def _tick(self, stamp_ns: int) -> None:
        if self._clock is not None:
            self._clock.publish(Clock(clock=time_message(stamp_ns)))


@contextmanager
def player(
    camera: Camera | None, image_topic: str, camera_info_topic: str, rate: float = 1.0, clock: bool = True
) -> Iterator[Player]:
    """Give a player with a node of its own.

    Args:
        camera: calibration to publish, or None for an uncalibrated camera.
        image_topic, camera_info_topic: where to publish.
        rate: times as fast as recorded.
        clock: whether to publish `/clock`.
    """
    context = Context()
    context.init()
    node = Node("drcn_play", context=context)
    try:
        yield Player(node, CameraPublisher(node, camera, image_topic, camera_info_topic), rate, clock)
    finally:
        node.destroy_node()
        context.shutdown()
