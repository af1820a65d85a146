# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two nodes in namespaces on one machine, each a process, each with its own camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import Trigger

from drcn_ros.ros.session.domain import private_domain
from drcn_ros.ros.session.node_process import NodeProcess

pytestmark = pytest.mark.dds

SIDES = ("left", "right")
FRAMES = 5
# Pixels from frame to frame: the cameras go opposite ways.
SHIFTS = {"left": 6.0, "right": -6.0}


@pytest.fixture
def both(tmp_path: Path, kit: Any) -> Iterator[Any]:
    """A camera and a listener on the domain of two running nodes."""
    with private_domain() as domain_id:
        nodes = [
            NodeProcess(
                domain_id,
                {
                    "matcher.name": "orb",
                    "matcher.max_keypoints": 400,
                    "processing": "every_frame",
                    "odom_frame": f"{side}/odom",
                },
                tmp_path / f"{side}.log",
                remaps={"__ns": f"/{side}"},
                profile=kit.PROFILE,
            )
            for side in SIDES
        ]
        camera, listener = kit.Camera(domain_id), kit.Listener(domain_id)
        yield camera, listener
        camera.close()
        listener.close()
        assert [node.stop() for node in nodes] == [0, 0]


def test_two_nodes_in_namespaces_hear_and_tell_only_their_own(both: Any, kit: Any) -> None:
    camera, listener = both
    for side in SIDES:
        camera.advertise(f"/{side}/camera_info", CameraInfo)
        camera.advertise(f"/{side}/image", Image)
        listener.listen(f"/{side}/vo_node/status", DiagnosticStatus)
        listener.listen(f"/{side}/vo_node/pose", PoseWithCovarianceStamped)
    listener.listen("/diagnostics", DiagnosticArray)

    def stamp(side: str, index: int) -> int:
        return int(1_700_000_000e9) + index * 50_000_000 + SIDES.index(side)

    def show(index: int) -> None:
        for side in SIDES:
            # With every image, as drivers send it: the node takes it without a guarantee, so one may be lost.
            camera.publish(f"/{side}/camera_info", kit.camera_info())
            picture = kit.texture(shift=SHIFTS[side] * index)
            camera.publish(f"/{side}/image", kit.image(picture, stamp(side, index)))
        for side in SIDES:
            kit.wait_until(lambda side=side: len(listener.messages(f"/{side}/vo_node/status")) > index)

    def segment(side: str) -> int:
        return int(kit.values(listener.messages(f"/{side}/vo_node/status")[-1])["segment"])

    for index in range(FRAMES):
        show(index)
    for side in SIDES:
        statuses = listener.messages(f"/{side}/vo_node/status")
        assert {status.name for status in statuses} == {f"/{side}/vo_node"}
        stamps = [kit.values(status)["stamp"] for status in statuses]
        assert stamps == [f"{stamp(side, n) // 10**9}.{stamp(side, n) % 10**9:09d}" for n in range(FRAMES)]
        assert kit.values(statuses[-1])["state"] == "TRACKING"
        poses = listener.messages(f"/{side}/vo_node/pose")
        assert {pose.header.frame_id for pose in poses} == {f"{side}/odom"}
        # The picture goes to the left where the camera goes to the right.
        assert poses[-1].pose.pose.position.x * SHIFTS[side] > 0.0
    before = [segment(side) for side in SIDES]
    assert listener.call(Trigger, "/left/vo_node/reset", Trigger.Request()).success
    show(FRAMES)
    assert [segment(side) for side in SIDES] == [before[0] + 1, before[1]]
    for side in SIDES:
        listener.wait_for(
            "/diagnostics", lambda message, side=side: message.status[0].name.startswith(f"/{side}/vo_node:")
        )
