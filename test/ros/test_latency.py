# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A running node keeps its latency within a budget, and overlaps its stages without losing order or count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from drcn_ros.ros.recorder import cloud_rows

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
