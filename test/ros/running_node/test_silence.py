# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A running node that lacks something says what. The tests run in their order, each one step further on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from drcn_ros.ros.session.recorder import cloud_rows

pytestmark = pytest.mark.dds


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    changes = {"qos_overrides./image.subscription.reliability": "reliable", "scale.source": "twist_topic"}
    setup = kit.Setup(tmp_path_factory.mktemp("silence"), **changes)
    setup.listener.listen("/diagnostics", DiagnosticArray)
    yield setup
    assert setup.close() == 0


def wait_for_diagnosis(setup: Any, kit: Any, text: str, level: bytes = DiagnosticStatus.WARN) -> str:
    """Return the message of the next diagnostics that holds `text` at `level`."""
    seen = len(setup.listener.messages("/diagnostics"))

    def find() -> str | None:
        for array in setup.listener.messages("/diagnostics")[seen:]:
            if text in array.status[0].message and array.status[0].level == level:
                return str(array.status[0].message)
        return None

    return str(kit.wait_until(find, f"no diagnostics with {text!r}"))


def test_without_a_camera_it_names_all_that_is_missing_once(setup: Any, kit: Any) -> None:
    wait_for_diagnosis(setup, kit, "waiting for images: no publisher on /image (sensor_msgs/msg/Image)")
    wait_for_diagnosis(setup, kit, "waiting for calibration: no publisher on /camera_info")
    wait_for_diagnosis(setup, kit, "waiting for the scale: no publisher on /twist (geometry_msgs/msg/Twist")
    setup.wait_for_log("no publisher on /image")
    assert setup.log.read_text().count("no publisher on /image") == 1


def test_a_publisher_with_another_quality_of_service_is_named_at_once_with_the_remedy(
    setup: Any, kit: Any
) -> None:
    remedy = "set qos_overrides./image.subscription.reliability to best_effort"
    setup.camera.advertise("/image", Image, "BEST_EFFORT", match=False)
    try:
        setup.wait_for_log(remedy)
        # The middleware tells an endpoint before it tells the name of its node.
        assert remedy in wait_for_diagnosis(setup, kit, "(/test_camera)")
    finally:
        setup.camera.withdraw("/image")


def test_a_publisher_of_another_type_is_named_with_the_remedy(setup: Any, kit: Any) -> None:
    setup.camera.advertise("/image", CompressedImage, match=False)
    try:
        text = wait_for_diagnosis(setup, kit, "sends sensor_msgs/msg/CompressedImage")
        assert "expected is sensor_msgs/msg/Image; set image_transport to compressed" in text
    finally:
        setup.camera.withdraw("/image")


def test_a_publisher_that_sends_nothing_is_named(setup: Any, kit: Any) -> None:
    setup.camera.advertise("/image", Image)
    text = wait_for_diagnosis(setup, kit, "/image has a publisher, but nothing arrives")
    assert "no publisher on /image" not in text


def test_without_calibration_it_publishes_keypoints_and_matches_and_says_that_it_waits(
    setup: Any, kit: Any
) -> None:
    for topic in ("keypoints", "matches"):
        setup.listener.listen(f"/vo_node/{topic}", PointCloud2)
    for shift in (0.0, 6.0):
        status = setup.show(kit.image(kit.texture(shift=shift), setup.next_stamp()))
        assert kit.values(status)["state"] == "WAITING_FOR_CALIBRATION"
        assert status.level == DiagnosticStatus.WARN
    rows = cloud_rows(setup.listener.wait_for("/vo_node/matches", lambda cloud: cloud.width > 50))
    assert (rows["x"] != rows["x"]).all(), "normalised coordinates cannot be known"
    assert setup.listener.wait_for("/vo_node/keypoints").width > 50


def test_an_uncalibrated_camera_info_is_named(setup: Any, kit: Any) -> None:
    setup.camera.advertise("/camera_info", CameraInfo)
    # The node takes calibration by best effort, and on a loaded machine a single message may get lost.
    setup.camera.stream("/camera_info", [kit.camera_info(k=[0.0] * 9)] * 10, 5.0)
    text = wait_for_diagnosis(setup, kit, "waiting for calibration: camera_info is uncalibrated: K[0] is 0")
    assert "no publisher on /camera_info" not in text


def test_a_late_calibration_is_taken(setup: Any, kit: Any) -> None:
    setup.camera.stream("/camera_info", [kit.camera_info()] * 10, 5.0)
    setup.wait_for_log("calibration")
    shifts = iter(range(0, 400, 6))

    def state() -> str:
        return str(
            kit.values(setup.show(kit.image(kit.texture(shift=next(shifts)), setup.next_stamp())))["state"]
        )

    kit.wait_until(lambda: state() == "TRACKING", "the calibration was not taken")
    assert "waiting for calibration" not in wait_for_diagnosis(setup, kit, "waiting for the scale")


def test_unusable_images_are_named(setup: Any, kit: Any) -> None:
    seen = len(setup.listener.messages("/diagnostics"))

    def named() -> Any:
        setup.show(kit.image(kit.texture(), setup.next_stamp(), "hsv8"))
        statuses = [array.status[0] for array in setup.listener.messages("/diagnostics")[seen:]]
        return next((s for s in statuses if "waiting for usable images: encoding 'hsv8'" in s.message), None)

    status = kit.wait_until(named)
    assert status.level == DiagnosticStatus.WARN
    assert "waiting for calibration" not in status.message


def test_after_a_message_of_no_bytes_the_node_says_to_start_the_camera_again(setup: Any, kit: Any) -> None:
    setup.show(kit.image(kit.texture(), setup.next_stamp()))
    setup.camera.order("publish", "/image", b"")
    wait_for_diagnosis(setup, kit, "ends what a reliable subscription gets; start its publisher again")
    setup.camera.withdraw("/image")
    # The same image once more, after the one before the message of no bytes.
    assert kit.values(setup.show(kit.image(kit.texture(), setup.next_stamp())))["state"] == "STATIONARY"


def test_two_cameras_on_one_topic_and_two_nodes_of_one_name_are_told(setup: Any, kit: Any) -> None:
    setup.camera.advertise("/image", Image)
    others = [
        setup.listener.node.create_publisher(Image, "/image", 1),
        setup.listener.node.create_publisher(DiagnosticStatus, "/vo_node/status", 1),
    ]
    try:
        setup.wait_for_log("/image has 2 publishers")
        setup.wait_for_log("2 nodes are named /vo_node and publish /vo_node/status")
    finally:
        for publisher in others:
            setup.listener.node.destroy_publisher(publisher)
