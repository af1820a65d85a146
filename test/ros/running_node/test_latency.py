# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A running node keeps its latency within a budget, and overlaps its stages without losing order or count."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from drcn_ros.geometry.camera import Camera
from drcn_ros.ros.messages.convert import nanoseconds
from drcn_ros.ros.session.recorder import cloud_rows
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.sequences.trajectories.quaternions import rotations_from_quaternions

pytestmark = pytest.mark.dds


def start_with_camera(start: Callable[..., Any], kit: Any, **parameters: Any) -> Any:
    setup = start(**parameters)
    for topic, kind in (("/image", Image), ("/camera_info", CameraInfo)):
        setup.camera.advertise(topic, kind)
    # The node takes calibration by best effort: a single message may get lost.
    setup.camera.stream("/camera_info", [kit.camera_info()] * 40, 10.0)
    return setup


def show_until_calibrated(setup: Any, kit: Any) -> int:
    """Show an image until it is answered with the calibration; return how often."""
    for number in range(1, 100):
        status = kit.values(setup.show(kit.image(kit.texture(), setup.next_stamp())))
        if status["state"] != "WAITING_FOR_CALIBRATION":
            return number
    raise AssertionError("the calibration never came")


def test_a_budget_that_is_too_small_makes_images_small_and_is_told(
    start: Callable[..., Any], kit: Any
) -> None:
    setup = start_with_camera(start, kit, max_latency_ms=1.0)
    setup.listener.listen("/vo_node/matches", PointCloud2)
    setup.listener.listen("/diagnostics", DiagnosticArray)
    show_until_calibrated(setup, kit)
    statuses = []
    for index in range(8):
        picture = kit.texture(shift=6.0 * index)
        statuses.append(kit.values(setup.show(kit.image(picture, setup.next_stamp()))))
    assert {(status["working_scale"], status["max_latency_ms"]) for status in statuses} == {
        ("0.400", "1.000")
    }
    assert statuses[-1]["state"] == "TRACKING"
    assert {status["segment"] for status in statuses} == {statuses[0]["segment"]}
    rows = cloud_rows(setup.listener.wait_for("/vo_node/matches", lambda cloud: cloud.width > 50))
    assert max(rows["u"]) > 400.0
    assert np.allclose(rows["x"], (rows["u"] - 319.5) / 500.0, atol=1e-5)
    setup.wait_for_log("working at 0.4 of the image's size")
    setup.listener.wait_for(
        "/diagnostics", lambda array: "choose a faster matcher or a larger budget" in array.status[0].message
    )


@pytest.fixture(scope="module")
def walk() -> list[tuple[np.ndarray, np.ndarray]]:
    """Images of a walk around a room, and T_world_camera of each."""
    rendered = scenario("orbit", 5, rate=5.0, camera=Camera(640, 480, 500.0, 500.0, 319.5, 239.5))
    return [(image, pose) for (_, image), pose in zip(rendered.frames(), rendered.poses, strict=True)]


# Far above and far below what a frame takes anywhere.
@pytest.mark.parametrize(
    ("limit_ms", "scale", "keypoints"), [(1.0, "0.400", "160"), (60000.0, "1.000", "400")]
)
def test_poses_are_right_at_any_working_size(
    start: Callable[..., Any], kit: Any, walk: Any, limit_ms: float, scale: str, keypoints: str
) -> None:
    parameters = {"matcher__name": "sift", "matcher__max_keypoints": 400}
    setup = start_with_camera(start, kit, max_latency_ms=limit_ms, **parameters)
    topic = "/vo_node/relative_pose"
    setup.listener.listen(topic, PoseWithCovarianceStamped)
    show_until_calibrated(setup, kit)
    places = {}
    for index, (image, truth) in enumerate(walk):
        # So long after the texture that tracking starts anew.
        stamp = setup.next_stamp(0.2 if index else 10.0)
        status = kit.values(setup.show(kit.image(image, stamp, "rgb8")))
        places[status["stamp"]] = truth
        assert status["working_scale"] == scale
        assert status["keypoints"] == keypoints
        assert status["state"] == ("TRACKING" if index else "INITIALIZING")
        if index:
            message = setup.listener.wait_for(
                topic, lambda message, stamp=stamp: nanoseconds(message.header.stamp) == stamp
            )
            assert_pose(message.pose.pose, np.linalg.inv(places[status["reference_stamp"]]) @ truth)


def assert_pose(pose: Any, truth: np.ndarray) -> None:
    turn, step = pose.orientation, pose.position
    rotation = rotations_from_quaternions(np.array([[turn.x, turn.y, turn.z, turn.w]]))[0]
    assert angle_deg(0.5 * (np.trace(rotation.T @ truth[:3, :3]) - 1.0)) < 0.5
    direction = truth[:3, 3] / np.linalg.norm(truth[:3, 3])
    assert angle_deg(direction @ np.array([step.x, step.y, step.z])) < 5.0


def angle_deg(cosine: float) -> float:
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@contextmanager
def held_up(pid: int) -> Iterator[None]:
    """Let a process run for moments only, further and further apart, while the block runs."""
    done = threading.Event()

    def hold() -> None:
        pause = 0.1
        while not done.is_set():
            os.kill(pid, signal.SIGSTOP)
            done.wait(pause)
            os.kill(pid, signal.SIGCONT)
            done.wait(0.003)
            pause *= 1.02

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_under_load_images_become_smaller_and_grow_again_when_it_goes(
    start: Callable[..., Any], kit: Any
) -> None:
    setup = start_with_camera(start, kit, max_latency_ms=1000.0)
    show_until_calibrated(setup, kit)
    index = 0

    def scale() -> float:
        nonlocal index
        index += 1
        picture = kit.texture(shift=6.0 * (index % 50))
        return float(kit.values(setup.show(kit.image(picture, setup.next_stamp())))["working_scale"])

    usual = scale()
    with held_up(setup.node.pid):
        loaded = kit.wait_until(lambda: next((s for s in [scale()] if s < usual), None))
    assert loaded < usual
    kit.wait_until(lambda: scale() > loaded, "the size did not grow again")
    line = setup.wait_for_log("of the image's size: frames took")
    assert "max_latency_ms is 1000" in line


def test_without_a_budget_images_keep_their_size(start: Callable[..., Any], kit: Any) -> None:
    setup = start_with_camera(start, kit, pipeline=False)
    status = kit.values(setup.show(kit.image(kit.texture(), setup.next_stamp())))
    assert (status["working_scale"], status["max_latency_ms"]) == ("1.000", "0.000")


@pytest.mark.parametrize("pipeline", [True, False], ids=["overlapping", "one after another"])
def test_every_frame_of_a_burst_is_answered_in_order(
    start: Callable[..., Any], kit: Any, pipeline: bool
) -> None:
    setup = start_with_camera(start, kit, pipeline=pipeline, processing="every_frame")
    shown = show_until_calibrated(setup, kit)
    burst = [kit.image(kit.texture(shift=6.0 * index), setup.next_stamp()) for index in range(1, 12)]
    setup.camera.publish("/image", *burst)
    topic = "/vo_node/status"
    kit.wait_until(lambda: len(setup.listener.messages(topic)) == shown + 11)
    answers = [kit.values(status) for status in setup.listener.messages(topic)]
    assert [answer["number"] for answer in answers] == [str(number) for number in range(1, shown + 12)]
    stamps = [f"{m.header.stamp.sec}.{m.header.stamp.nanosec:09d}" for m in burst]
    assert [answer["stamp"] for answer in answers[shown:]] == stamps
    assert {answer["state"] for answer in answers[shown:]} == {"TRACKING"}
