# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A sequence is played over real DDS with its stamps, its clock and its pace."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drcn_ros.odometry.types import Frame
from drcn_ros.ros.session.camera_publisher import CameraPublisher
from drcn_ros.ros.session.domain import private_domain
from drcn_ros.ros.session.player import Player

pytestmark = pytest.mark.dds
START = 1_700_000_000_000_000_000
STEP = 50_000_000
IMAGE, INFO = "/camera/image_raw", "/camera/camera_info"


class Listener:
    """Subscribes to the topics of a camera."""

    def __init__(self, domain_id: int) -> None:
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from rclpy.qos import QoSProfile
        from rosgraph_msgs.msg import Clock
        from sensor_msgs.msg import CameraInfo, Image

        self.images: list[int] = []
        self.infos: list[int] = []
        self.clock: list[int] = []
        self.context = Context()
        self.context.init(domain_id=domain_id)
        self.node = Node("listener", context=self.context)
        quality = QoSProfile(depth=100)
        self.node.create_subscription(
            Image, IMAGE, lambda m: self.images.append(_ns(m.header.stamp)), quality
        )
        self.node.create_subscription(
            CameraInfo, INFO, lambda m: self.infos.append(_ns(m.header.stamp)), quality
        )
        self.node.create_subscription(Clock, "/clock", lambda m: self.clock.append(_ns(m.clock)), quality)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()

    def _take(self, stamps: list[int], message: Any) -> None:
        stamps.append(_ns(message.header.stamp))

    def close(self) -> None:
        self.executor.shutdown()
        self.thread.join()
        self.node.destroy_node()
        self.context.shutdown()


def _ns(stamp: Any) -> int:
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def until(condition: Callable[[], bool], patience_s: float = 60.0) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.01)


@pytest.fixture
def domain_id() -> Iterator[int]:
    with private_domain() as given:
        yield given


@pytest.fixture
def listener(domain_id: int) -> Iterator[Listener]:
    made = Listener(domain_id)
    yield made
    made.close()


@pytest.fixture
def player(listener: Listener) -> Iterator[Callable[..., Player]]:
    from rclpy.node import Node

    node = Node("camera", context=listener.context)
    yield lambda **options: Player(node, CameraPublisher(node, None), **options)
    node.destroy_node()


def frames(count: int = 5) -> list[Frame]:
    return [Frame(START + index * STEP, np.full((24, 32), index, np.uint8)) for index in range(count)]


def test_every_frame_arrives_with_its_stamp_while_the_clock_runs_ahead(listener, player):
    playing = player()
    assert playing.wait_for_subscriber(lambda: None, 60)
    told: list[int] = []
    begin = time.monotonic()
    assert playing.play(frames(), lambda frame: told.append(frame.stamp_ns)) == 5
    assert time.monotonic() - begin >= 4 * 0.05
    playing.close()
    expected = [frame.stamp_ns for frame in frames()]
    until(lambda: len(listener.images) == 5 and len(listener.infos) == 5)
    assert listener.images == listener.infos == told == expected
    until(lambda: bool(listener.clock) and listener.clock[-1] == expected[-1])
    assert listener.clock == sorted(listener.clock)
    assert set(expected) <= set(listener.clock)
    assert len(listener.clock) > 5


def test_a_higher_rate_plays_faster(listener, player):
    slow, fast = player(rate=0.5, clock=False), player(rate=50.0, clock=False)
    durations = []
    for playing in (slow, fast):
        begin = time.monotonic()
        playing.play(frames(), lambda frame: None)
        durations.append(time.monotonic() - begin)
    assert durations[0] >= 4 * 0.1
    assert durations[1] < durations[0]
    assert listener.clock == []


def test_a_pause_stops_frames_and_clock_and_an_end_ends(listener, player):
    playing = player()
    playing.wait_for_subscriber(lambda: None, 60)
    counts: list[int] = []

    def on_frame(frame: Frame) -> None:
        counts.append(frame.stamp_ns)
        if len(counts) == 2:
            playing.controls.paused = True

    thread = threading.Thread(target=playing.play, args=(frames(), on_frame))
    thread.start()
    until(lambda: len(counts) == 2)
    time.sleep(0.4)
    paused_clock = len(listener.clock)
    time.sleep(0.3)
    assert len(counts) == 2
    assert len(listener.clock) == paused_clock
    playing.controls.paused = False
    until(lambda: len(counts) == 3)
    playing.controls.ended = True
    thread.join(10)
    assert not thread.is_alive()
    assert len(counts) < 5


def test_waiting_for_a_subscriber_is_told_once_and_can_be_given_up(domain_id):
    from rclpy.context import Context
    from rclpy.node import Node

    context = Context()
    context.init(domain_id=domain_id)
    node = Node("camera", context=context)
    told: list[None] = []
    assert not Player(node, CameraPublisher(node, None)).wait_for_subscriber(lambda: told.append(None), 0.2)
    assert told == [None]
    node.destroy_node()
    context.shutdown()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for frame in frames(4):
        cv2.imwrite(str(tmp_path / f"{frame.stamp_ns}.png"), frame.image)
    return tmp_path


@pytest.fixture
def command(domain_id: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        environment = {**os.environ, "ROS_DOMAIN_ID": str(domain_id)}
        words = [sys.executable, "-m", "drcn_ros", "play", *arguments]
        pipe = subprocess.PIPE
        started.append(
            subprocess.Popen(words, env=environment, stderr=pipe, stdout=pipe, stdin=stdin, text=True)
        )
        return started[-1]

    yield start
    # A player that a failed test left behind would play on into the next one.
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_command_plays_an_input_to_its_end(listener, command, images):
    process = command(str(images), "--step", "2")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"played 2 frames of {images}" in errors
    until(lambda: len(listener.images) == 2)
    assert listener.images == [START, START + 2 * STEP]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_goes_on_until_it_is_interrupted_and_ends_well(listener, command, images, number):
    process = command(str(images), "--loop", "--rate", "4")
    until(lambda: len(listener.images) > 8)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert listener.images[4] == listener.images[0] == START


def test_space_pauses_and_goes_on(listener, command, images):
    terminal, inner = pty.openpty()
    process = command(str(images), "--loop", "--rate", "2", stdin=inner)
    try:
        until(lambda: len(listener.images) > 2)
        os.write(terminal, b" ")
        time.sleep(0.5)
        paused = len(listener.images)
        time.sleep(0.5)
        assert len(listener.images) == paused
        os.write(terminal, b" ")
        until(lambda: len(listener.images) > paused)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        os.close(terminal)
        os.close(inner)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere"], "input nowhere does not exist"), (["--rate", "0", "x"], r"rate 0.0: must be above 0")],
)
def test_a_mistake_is_one_line_and_exit_code_2(command, arguments, message):
    process = command(*arguments)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert message in errors
    assert len(errors.strip().splitlines()) == 1
