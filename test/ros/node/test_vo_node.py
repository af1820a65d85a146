# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path as PathMessage
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from drcn_ros.ros.messages.convert import nanoseconds
from drcn_ros.ros.session.recorder import cloud_rows

pytestmark = pytest.mark.dds

TOPICS = {
    "keypoints": PointCloud2,
    "matches": PointCloud2,
    "relative_pose": PoseWithCovarianceStamped,
    "pose": PoseWithCovarianceStamped,
    "path": PathMessage,
    "status": DiagnosticStatus,
    "match_image": Image,
    "match_image/compressed": CompressedImage,
}


def test_a_stream_of_images_gives_every_topic_with_the_stamps_of_the_images(start: Any, kit: Any) -> None:
    setup = start(processing="every_frame")
    for name, kind in TOPICS.items():
        setup.listener.listen(f"/vo_node/{name}", kind)
    setup.listener.listen("/diagnostics", DiagnosticArray)
    setup.camera.advertise("/camera_info", CameraInfo)
    setup.camera.advertise("/image", Image)
    setup.camera.publish("/camera_info", kit.camera_info())
    setup.listener.wait_for("/diagnostics")
    stamps = [setup.next_stamp() for _ in range(4)]
    images = [kit.image(kit.texture(shift=9.0 * n), stamp) for n, stamp in enumerate(stamps)]
    setup.camera.publish("/image", *images)
    last = f"{stamps[-1] // 10**9}.{stamps[-1] % 10**9:09d}"
    setup.listener.wait_for("/vo_node/status", lambda status: kit.values(status)["stamp"] == last)
    setup.listener.wait_for("/vo_node/path", lambda path: len(path.poses) > 1)
    for name in ("keypoints", "matches", "match_image", "match_image/compressed"):
        setup.listener.wait_for(
            f"/vo_node/{name}", lambda message: nanoseconds(message.header.stamp) == stamps[-1]
        )
        got = [nanoseconds(message.header.stamp) for message in setup.listener.messages(f"/vo_node/{name}")]
        assert got == stamps, name
    rows = cloud_rows(setup.listener.messages("/vo_node/matches")[-1])
    assert len(rows) > 50
    frames = 3 - stamps.index(nanoseconds_of(rows[0]))
    assert frames > 0
    assert np.median(rows["ref_u"] - rows["u"]) == pytest.approx(9.0 * frames, abs=0.5)


def nanoseconds_of(row: Any) -> int:
    return int(row["ref_sec"]) * 10**9 + int(row["ref_nanosec"])


def ended(setup: Any, kit: Any) -> int:
    """Wait until the process has ended by itself and return its code."""
    return int(kit.wait_until(lambda: setup.node.code() is not None and [setup.node.code()])[0])


def errors(setup: Any) -> list[str]:
    lines = setup.log.read_text().splitlines()
    assert "Traceback" not in setup.log.read_text()
    return [line for line in lines if "[ERROR]" in line or "[FATAL]" in line]


def test_a_misspelt_parameter_is_told_and_two_interrupts_end_it_without_a_word(start: Any, kit: Any) -> None:
    setup = start(matcher__max_keypoint=10)
    setup.wait_for_log("active: images from /image")
    assert "[WARN]" in setup.wait_for_log("did you mean matcher.max_keypoints?")
    for _ in range(2):
        os.kill(setup.node.pid, signal.SIGINT)
    assert ended(setup, kit) == 0
    assert errors(setup) == []


def test_an_interrupt_while_it_loads_ends_it_without_a_word(start: Any, kit: Any) -> None:
    setup = start(matcher__name="drcn")
    kit.wait_until(lambda: setup.log.exists())
    time.sleep(1.0)
    os.kill(setup.node.pid, signal.SIGTERM)
    # A process so young that Python has not come to the program's first line dies of the signal itself.
    assert ended(setup, kit) in (0, -signal.SIGTERM)
    assert errors(setup) == []


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"matcher__name": "surf"}, "parameter matcher.name: 'surf' is unknown, choose one of drcn, "),
        ({"matcher__name": "drcn", "matcher__weights": "/nowhere/w.safetensors"}, "/nowhere/w.safetensors"),
    ],
    ids=["parameter", "weights"],
)
def test_what_keeps_it_from_starting_is_one_line_and_code_1(
    start: Any, kit: Any, parameters: dict[str, Any], complaint: str
) -> None:
    setup = start(**parameters)
    assert ended(setup, kit) == 1
    (line,) = errors(setup)
    assert complaint in line
