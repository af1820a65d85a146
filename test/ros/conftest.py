# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A running node, a camera in a second process, and a subscriber in this one, over DDS."""

from __future__ import annotations

import os
import pickle
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
_MESSAGES = runpy.run_path(str(ROOT / "test" / "camera_messages.py"))
image_message, camera_info = _MESSAGES["image_message"], _MESSAGES["camera_info"]
make_result = runpy.run_path(str(ROOT / "test" / "ros" / "results.py"))["make_result"]
PROFILE = ROOT / "config" / "fastdds_shm.xml"
os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))
os.environ.setdefault("FASTDDS_DEFAULT_PROFILES_FILE", str(PROFILE))

# Nothing here takes this long; a loaded machine may.
PATIENCE_S = 120.0


class Camera:
    """Orders the camera process about."""

    def __init__(self, domain_id: int) -> None:
        environment = {**os.environ, "ROS_DOMAIN_ID": str(domain_id)}
        script = str(Path(__file__).with_name("camera_process.py"))
        self._process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._advertised: set[str] = set()

    def order(self, *order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump(order, self._process.stdin)
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)

    def advertise(self, topic: str, kind: Any, reliability: str = "RELIABLE", match: bool = True) -> None:
        """Offer a topic and, unless told otherwise, wait until the node has found it."""
        if topic in self._advertised:
            return
        package = kind.__module__.split(".")[0]
        self.order("advertise", topic, f"{package}/{kind.__name__}", reliability)
        self._advertised.add(topic)
        if match:
            wait_until(lambda: self.order("matched", topic) > 0)

    def withdraw(self, topic: str) -> None:
        self.order("withdraw", topic)
        self._advertised.discard(topic)

    def publish(self, topic: str, *messages: Any) -> None:
        from rclpy.serialization import serialize_message

        self.order("publish", topic, *(serialize_message(message) for message in messages))

    def stream(self, topic: str, messages: list[Any], hertz: float) -> None:
        from rclpy.serialization import serialize_message

        self.order("stream", topic, [serialize_message(message) for message in messages], hertz)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)


class Listener:
    """Subscribes to topics of the node in this process and keeps what comes.

    Args:
        domain_id: of the node.
        answers: whether the publishers' nodes answer calls; one that no executor runs does not.
    """

    def __init__(self, domain_id: int, answers: bool = True) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor

        self._answers = answers
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node("test_listener", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._messages: dict[str, list[Any]] = {}
        self._changed = threading.Condition()
        self._spinning = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def listen(self, topic: str, kind: Any, match: bool = True, raw: bool = False) -> None:
        """Subscribe to a topic and, unless told otherwise, wait until the node has found it.

        Messages that are `raw` are kept as the bytes that came.
        """
        if topic in self._messages:
            return
        self._messages[topic] = []

        def keep(message: Any) -> None:
            with self._changed:
                self._messages[topic].append(message)
                self._changed.notify_all()

        self.node.create_subscription(kind, topic, keep, 1000, raw=raw)
        if match:
            wait_until(lambda: self.node.count_publishers(topic) > 0)
            if self._answers:
                self._wait_to_be_found(topic)
            else:
                time.sleep(0.3)

    def _wait_to_be_found(self, topic: str) -> None:
        """Wait until the topic's publisher knows this subscription; it is not found on both sides at once.

        A participant announces its endpoints in their order, so a node that answers a client made later knows
        of the subscription before it.
        """
        from rcl_interfaces.srv import GetParameters

        for entry in self.node.get_publishers_info_by_topic(topic):
            name = f"{entry.node_namespace.rstrip('/')}/{entry.node_name}"
            client = self.node.create_client(GetParameters, f"{name}/get_parameters")
            # Not every publisher belongs to a node with parameters.
            if client.wait_for_service(1.0):
                client.call(GetParameters.Request(), timeout_sec=PATIENCE_S)
            self.node.destroy_client(client)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Take no message while the block runs."""
        with self._spinning:
            yield

    def _spin(self) -> None:
        while not self._closing:
            with self._spinning:
                self._executor.spin_once(timeout_sec=0.1)
            # A lock that is taken again at once would never be had by anybody else.
            time.sleep(0.0005)

    def messages(self, topic: str) -> list[Any]:
        with self._changed:
            return list(self._messages[topic])

    def wait_for(
        self, topic: str, wanted: Callable[[Any], bool] = lambda _: True, timeout: float = PATIENCE_S
    ) -> Any:
        """Return the first message that is wanted, also one that has come already."""
        seen = 0
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                messages = self._messages[topic]
                for message in messages[seen:]:
                    if wanted(message):
                        return message
                seen = len(messages)
                left = end - time.monotonic()
                if left <= 0.0:
                    pytest.fail(f"no such message on {topic} in {timeout} s; {seen} others came")
                self._changed.wait(left)

    def call(self, kind: Any, service: str, request: Any) -> Any:
        client = self.node.create_client(kind, service)
        assert client.wait_for_service(PATIENCE_S), service
        answer = client.call(request, timeout_sec=PATIENCE_S)
        self.node.destroy_client(client)
        return answer

    def close(self) -> None:
        import rclpy

        self._closing = True
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)


class Setup:
    """A node, a camera and a listener on a domain of their own."""

    def __init__(self, folder: Path, remaps: dict[str, str] | None = None, **parameters: Any) -> None:
        from drcn_ros.ros.session.domain import private_domain
        from drcn_ros.ros.session.node_process import NodeProcess

        self._domain = private_domain()
        self.domain_id = self._domain.__enter__()
        self.log = folder / "node.log"
        names = {name.replace("__", "."): value for name, value in parameters.items()}
        self.node = NodeProcess(
            self.domain_id, {"matcher.name": "orb", **names}, self.log, remaps=remaps, profile=PROFILE
        )
        self._stamp_ns = 1_700_000_000 * 10**9

    @cached_property
    def camera(self) -> Camera:
        """The camera, started when it is first wanted."""
        return Camera(self.domain_id)

    @cached_property
    def listener(self) -> Listener:
        """The listener, started when it is first wanted."""
        return Listener(self.domain_id)

    def wait_for_log(self, text: str) -> str:
        """Return the first line of the node's log that holds `text`."""

        def find() -> str | None:
            self.node.check()
            lines = self.log.read_text(errors="replace").splitlines()
            return next((line for line in lines if text in line), None)

        return str(wait_until(find, f"no line with {text!r} in the log"))

    def next_stamp(self, seconds: float = 0.05) -> int:
        """Return the stamp of the next frame, nanoseconds."""
        self._stamp_ns += round(seconds * 1e9)
        return self._stamp_ns

    def show(self, message: Any, topic: str = "/image") -> Any:
        """Publish an image message and return the values of its status."""
        self.camera.advertise(topic, type(message))
        self.listener.listen("/vo_node/status", _status_type())
        seen = len(self.listener.messages("/vo_node/status"))
        self.camera.publish(topic, message)
        stamp = f"{message.header.stamp.sec}.{message.header.stamp.nanosec:09d}"
        wait_until(
            lambda: any(
                values(status)["stamp"] == stamp
                for status in self.listener.messages("/vo_node/status")[seen:]
            ),
            f"no status for the image of {stamp}",
        )
        return next(
            status
            for status in self.listener.messages("/vo_node/status")[seen:]
            if values(status)["stamp"] == stamp
        )

    def close(self) -> int:
        for part in ("camera", "listener"):
            if part in vars(self):
                getattr(self, part).close()
        code = self.node.stop()
        self._domain.__exit__(None, None, None)
        return code


@contextmanager
def process(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with arguments on a domain of its own; end it with SIGTERM."""
    from drcn_ros.ros.session.domain import private_domain

    with log.open("wb") as output, private_domain() as domain_id:
        environment = {**os.environ, "ROS_DOMAIN_ID": str(domain_id)}
        running = subprocess.Popen(
            [sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            yield running
        finally:
            running.terminate()
            running.wait(PATIENCE_S)


def wait_until(condition: Callable[[], Any], complaint: str = "it did not happen") -> Any:
    """Return the first true value of `condition`; fail after `PATIENCE_S`."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"{complaint} in {PATIENCE_S} s")


def values(status: Any) -> dict[str, str]:
    """Return the values of a `DiagnosticStatus` by their key."""
    return {entry.key: entry.value for entry in status.values}


def _status_type() -> Any:
    from diagnostic_msgs.msg import DiagnosticStatus

    return DiagnosticStatus


def texture(width: int = 640, height: int = 480, shift: float = 0.0) -> np.ndarray:
    """Return a grey picture (H, W) full of corners, shifted to the left by `shift` pixels."""
    generator = np.random.default_rng(7)
    coarse = generator.integers(0, 256, (height // 12 + 2, width // 12 + 30), dtype=np.uint8)
    large = cv2.resize(coarse, None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC)
    moved = cv2.warpAffine(large, np.array([[1.0, 0.0, -shift], [0.0, 1.0, 0.0]]), (width, height))
    return np.ascontiguousarray(moved)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Setup]]:
    """Start a node with parameters (`matcher__name` for `matcher.name`) and what belongs to it."""
    setups: list[Setup] = []

    def make(remaps: dict[str, str] | None = None, **parameters: Any) -> Setup:
        setups.append(Setup(tmp_path, remaps, **parameters))
        return setups[-1]

    yield make
    for setup in setups:
        setup.close()


@pytest.fixture(scope="session")
def kit() -> SimpleNamespace:
    """The helpers of this file, for the tests that need them."""
    return SimpleNamespace(
        Setup=Setup,
        Camera=Camera,
        PROFILE=PROFILE,
        PATIENCE_S=PATIENCE_S,
        texture=texture,
        image=image_message,
        camera_info=camera_info,
        result=make_result,
        Listener=Listener,
        process=process,
        values=values,
        wait_until=wait_until,
    )


@pytest.fixture
def result() -> Any:
    """A result of four keypoints and three matches, the last of which has no keypoint."""
    return make_result()


@pytest.fixture
def result_with_descriptors() -> Any:
    """The same with descriptors of length four."""
    from drcn_ros.matching.types import Keypoints

    plain = make_result().keypoints
    descriptors = np.arange(16, dtype=np.float32).reshape(4, 4)
    return make_result(keypoints=Keypoints(plain.points, plain.scores, plain.scales, descriptors))


@pytest.fixture
def empty_result() -> Any:
    """A result of a frame in which nothing was found."""
    from drcn_ros.odometry import Reason
    from drcn_ros.ros.node.failures import failed_result

    usual = make_result()
    return failed_result(usual.stamp_ns, Reason.FEW_KEYPOINTS, usual.detail, usual.pose, usual.segment)
