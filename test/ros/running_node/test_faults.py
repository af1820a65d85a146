# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera can do wrong, to one running node, over DDS. After each fault the node must track again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from drcn_ros.ros.messages import convert

pytestmark = pytest.mark.dds


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    setup = kit.Setup(tmp_path_factory.mktemp("faults"))
    setup.listener.listen("/vo_node/status", DiagnosticStatus)
    setup.listener.listen("/diagnostics", DiagnosticArray)
    setup.camera.advertise("/camera_info", CameraInfo)
    setup.camera.advertise("/image", Image)
    yield setup
    assert setup.close() == 0
    assert "Traceback" not in setup.log.read_text()


@pytest.fixture
def camera(node: Any, kit: Any) -> Iterator[Any]:
    """The running node, tracking before the fault and again after it."""
    assert tracks(node, kit)
    yield node
    assert tracks(node, kit)


def calibrate(node: Any, kit: Any, **changes: Any) -> None:
    node.camera.publish("/camera_info", kit.camera_info(**changes))


def tracks(node: Any, kit: Any) -> bool:
    """Show the calibration and moving frames until one is tracked."""

    def moved() -> bool:
        # The node takes calibration by best effort: a single message may get lost.
        calibrate(node, kit)
        node.shift += 7.0
        return shown(node, kit, kit.texture(shift=node.shift % 100.0))["state"] == "TRACKING"

    node.shift = getattr(node, "shift", 0.0)
    return any(moved() for _ in range(20))


def answer_to_calibration(
    node: Any, kit: Any, key: str, wanted: str, **changes: Any
) -> dict[str, str] | None:
    """Send a calibration and a frame; return the values of its status if that has the wanted one."""
    calibrate(node, kit, **changes)
    values = shown(node, kit, kit.texture())
    return values if values[key] == wanted else None


def shown(node: Any, kit: Any, pixels: np.ndarray, **changes: Any) -> dict[str, str]:
    """Show one frame and return the values of its status."""
    message = kit.image(pixels, node.next_stamp())
    for name, value in changes.items():
        setattr(message, name, value)
    return kit.values(node.show(message))


def diagnosed(node: Any, kit: Any) -> dict[str, str]:
    """Return the values of the next diagnostics."""
    seen = len(node.listener.messages("/diagnostics"))
    kit.wait_until(lambda: len(node.listener.messages("/diagnostics")) > seen)
    return kit.values(node.listener.messages("/diagnostics")[-1].status[0])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"width": 0, "height": 0}, "0x0 pixels has no content"),
        ({"step": 100}, "step is 100 bytes, a row needs 640"),
        ({"height": 481}, "307200 bytes of data, height times step is 307840"),
        ({"encoding": "hsv8"}, "encoding 'hsv8' is not supported"),
    ],
    ids=["zero size", "step too small", "data too short", "unknown encoding"],
)
def test_an_image_that_contradicts_itself_is_named(
    camera: Any, kit: Any, changes: dict[str, Any], complaint: str
) -> None:
    values = shown(camera, kit, kit.texture(), **changes)
    assert (values["state"], values["reason"]) == ("LOST", "BAD_IMAGE")
    assert complaint in values["detail"]


def test_another_resolution_waits_for_its_calibration(camera: Any, kit: Any) -> None:
    values = shown(camera, kit, kit.texture(320, 240))
    assert (values["state"], values["reason"]) == ("WAITING_FOR_CALIBRATION", "CALIBRATION_MISMATCH")
    assert "image is 320x240, its calibration is for 640x480" in values["detail"]


def test_another_encoding_goes_on_tracking(camera: Any, kit: Any) -> None:
    camera.shift += 7.0
    grey = kit.texture(shift=camera.shift % 100.0)
    colour = kit.image(np.dstack([grey] * 3), camera.next_stamp(), "bgr8")
    assert kit.values(camera.show(colour))["state"] == "TRACKING"


@pytest.mark.parametrize("level", [0, 255, 128], ids=["black", "white", "grey"])
def test_frames_without_texture_are_lost_and_say_why(camera: Any, kit: Any, level: int) -> None:
    values = shown(camera, kit, np.full((480, 640), level, np.uint8))
    assert values["state"] == "LOST"
    assert values["reason"] in ("FEW_KEYPOINTS", "BLUR_OR_EXPOSURE")
    assert values["keypoints"] == "0"


def test_saturated_frames_have_a_state(camera: Any, kit: Any) -> None:
    saturated = np.clip(kit.texture().astype(int) * 4, 0, 255).astype(np.uint8)
    assert shown(camera, kit, saturated)["state"] in ("TRACKING", "LOST", "STATIONARY")


def test_the_same_frame_twice_makes_no_motion(camera: Any, kit: Any) -> None:
    pixels = kit.texture(shift=3.0)
    shown(camera, kit, pixels)
    values = shown(camera, kit, pixels)
    assert values["state"] in ("TRACKING", "STATIONARY", "LOST")
    assert float(values["parallax_px"] or 0.0) < 0.5


@pytest.mark.parametrize("seconds", [-5.0, 10.0], ids=["back", "ahead"])
def test_a_jump_of_the_clock_starts_tracking_anew_and_is_counted(
    camera: Any, kit: Any, seconds: float
) -> None:
    before = int(diagnosed(camera, kit)["clock_jumps"])
    message = kit.image(kit.texture(), camera.next_stamp(seconds))
    values = kit.values(camera.show(message))
    if seconds < 0.0:
        # The first two may be late ones.
        assert (values["state"], values["reason"]) == ("LOST", "LATE_FRAME")
        assert shown(camera, kit, kit.texture())["reason"] == "LATE_FRAME"
        values = shown(camera, kit, kit.texture())
    assert (values["state"], values["reason"]) == ("INITIALIZING", "CLOCK_JUMP")
    kit.wait_until(lambda: int(diagnosed(camera, kit)["clock_jumps"]) == before + 1)


def test_a_late_frame_is_left_out_and_counted(camera: Any, kit: Any) -> None:
    before = int(diagnosed(camera, kit)["late_frames"])
    # Where it was tracked last, so that nothing but the late frame could begin a segment.
    pixels = kit.texture(shift=camera.shift % 100.0)
    segment = shown(camera, kit, pixels)["segment"]
    late = kit.values(camera.show(kit.image(kit.texture(), camera.next_stamp(-0.03))))
    assert (late["state"], late["reason"]) == ("LOST", "LATE_FRAME")
    assert shown(camera, kit, pixels)["segment"] == segment
    kit.wait_until(lambda: int(diagnosed(camera, kit)["late_frames"]) == before + 1)


def test_stamps_of_another_clock_are_told(camera: Any, kit: Any) -> None:
    values = shown(camera, kit, kit.texture())
    assert abs(float(values["arrival_age_ms"])) > 60_000.0
    assert "another clock" in diagnosed(camera, kit)["stamps"]


def test_equal_stamps_do_not_end_tracking(camera: Any, kit: Any) -> None:
    segment = shown(camera, kit, kit.texture(shift=40.0))["segment"]
    values = kit.values(camera.show(kit.image(kit.texture(shift=40.0), camera.next_stamp(0.0))))
    assert values["state"] in ("TRACKING", "STATIONARY")
    assert values["segment"] == segment


@pytest.mark.parametrize(
    "changes",
    [
        {"k": [float("nan"), 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0]},
        {"k": [0.0] * 9},
        {"distortion_model": "secret", "d": [0.1]},
        {"k": [1.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0]},
        {"k": [500.0, 0.0, -1e6, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0]},
        {"k": [500.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 0.0]},
        {"d": [0.1, 0.2, 0.3]},
        {"distortion_model": "", "d": [0.1, 0.2, 0.3, 0.4]},
    ],
    ids=[
        "NaN in K",
        "K[0] is zero",
        "unknown lens",
        "fx of 1",
        "cx far off",
        "K[8] is zero",
        "three coefficients",
        "four without a model",
    ],
)
def test_an_unusable_calibration_waits_for_another(camera: Any, kit: Any, changes: dict[str, Any]) -> None:
    values = kit.wait_until(
        lambda: answer_to_calibration(camera, kit, "state", "WAITING_FOR_CALIBRATION", **changes)
    )
    assert values["reason"] == "NO_CALIBRATION"
    assert int(values["keypoints"]) > 0


def test_a_calibration_of_another_size_waits_for_the_right_one(camera: Any, kit: Any) -> None:
    values = kit.wait_until(
        lambda: answer_to_calibration(camera, kit, "reason", "CALIBRATION_MISMATCH", width=1280, height=960)
    )
    assert "image is 640x480, its calibration is for 1280x960" in values["detail"]


# A driver that bins by two, tells the sensor's size, and gives the K of the binned image.
BINNED = {
    "width": 1280, "height": 960, "binning_x": 2, "binning_y": 2,
    "k": [500.0, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0],
}  # fmt: skip


def test_a_binning_that_contradicts_the_matrix_is_told_with_both_readings(camera: Any, kit: Any) -> None:
    def told() -> bool:
        calibrate(camera, kit, **BINNED)
        return "(159.5, 119.5) of 640x480 pixels, with fx 250.0; if K belongs" in camera.log.read_text()

    kit.wait_until(told)
    assert "then set camera.binning to ignore" in camera.log.read_text()


def test_a_binning_that_is_to_be_ignored_is(start: Any, kit: Any) -> None:
    setup = start(camera__binning="ignore", matcher__name="orb")
    setup.camera.advertise("/camera_info", CameraInfo)

    def tracked() -> bool:
        setup.camera.publish("/camera_info", kit.camera_info(**BINNED))
        setup.shift = getattr(setup, "shift", 0.0) + 7.0
        image = kit.image(kit.texture(shift=setup.shift % 100.0), setup.next_stamp())
        return bool(kit.values(setup.show(image))["state"] == "TRACKING")

    assert any(tracked() for _ in range(20))
    assert "set camera.binning" not in setup.log.read_text()


def test_a_calibration_that_changes_starts_tracking_anew(camera: Any, kit: Any) -> None:
    segment = str(int(shown(camera, kit, kit.texture())["segment"]) + 1)
    values = kit.wait_until(
        lambda: answer_to_calibration(camera, kit, "segment", segment, d=[0.01, 0.0, 0.0, 0.0, 0.0])
    )
    assert values["state"] == "INITIALIZING"


def test_a_camera_faster_than_the_node_is_served_with_its_newest_frames(camera: Any, kit: Any) -> None:
    before = diagnosed(camera, kit)
    seen = len(camera.listener.messages("/vo_node/status"))
    images = [kit.image(kit.texture(shift=0.2 * n), camera.next_stamp(0.005)) for n in range(300)]
    camera.camera.stream("/image", images, 200.0)
    kit.wait_until(lambda: diagnosed(camera, kit)["waiting"] == "0")
    after = diagnosed(camera, kit)
    received, processed, dropped = (
        int(after[name]) - int(before[name]) for name in ("received", "processed", "dropped")
    )
    assert received == processed + dropped
    statuses = camera.listener.messages("/vo_node/status")[seen:]
    stamps = [float(kit.values(status)["stamp"]) for status in statuses]
    assert stamps == sorted(stamps)
    assert processed == len(statuses)


def test_a_reader_that_does_not_keep_up_does_not_hold_up_the_node(camera: Any, kit: Any) -> None:
    camera.listener.listen("/vo_node/keypoints", PointCloud2)
    other = kit.Listener(camera.domain_id)
    try:
        other.listen("/vo_node/status", DiagnosticStatus)
        images = [kit.image(kit.texture(shift=1.0 * n), camera.next_stamp()) for n in range(40)]
        last = f"{images[-1].header.stamp.sec}.{images[-1].header.stamp.nanosec:09d}"
        with camera.listener.standing_still():
            seen = len(camera.listener.messages("/vo_node/keypoints"))
            camera.camera.stream("/image", images, 40.0)
            other.wait_for("/vo_node/status", lambda status: kit.values(status)["stamp"] == last)
            assert len(camera.listener.messages("/vo_node/keypoints")) == seen
    finally:
        other.close()


def test_a_calibration_that_creeps_goes_on_until_it_matters(camera: Any, kit: Any) -> None:
    segment = shown(camera, kit, kit.texture(shift=20.0))["segment"]
    said = camera.log.read_text().count("calibration changed")
    for number in range(1, 20):
        # The node takes calibration by best effort: each is sent with the next message too.
        k = [500.0 + 0.004 * number, 0.0, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0]
        calibrate(camera, kit, k=k)
        values = shown(camera, kit, kit.texture(shift=20.0 + number))
        assert values["segment"] == segment
        assert values["state"] in ("TRACKING", "STATIONARY")
    assert camera.log.read_text().count("calibration changed") == said


@pytest.mark.parametrize("seconds", [1_700_000_100, 2**31 - 1])
def test_nanoseconds_of_a_second_and_more_are_named(camera: Any, kit: Any, seconds: int) -> None:
    message = kit.image(kit.texture(), 0)
    message.header.stamp.sec, message.header.stamp.nanosec = seconds, 4_294_967_295
    seen = len(camera.listener.messages("/vo_node/status"))
    camera.camera.publish("/image", message)
    kit.wait_until(lambda: len(camera.listener.messages("/vo_node/status")) > seen)
    values = kit.values(camera.listener.messages("/vo_node/status")[-1])
    assert (values["state"], values["reason"]) == ("LOST", "BAD_IMAGE")
    assert "the stamp has 4294967295 nanoseconds" in values["detail"]


def test_the_last_stamp_that_a_message_can_hold_has_a_status(camera: Any, kit: Any) -> None:
    message = kit.image(kit.texture(), (2**31 - 1) * 10**9 + 999_999_999)
    assert kit.values(camera.show(message))["reason"] == "CLOCK_JUMP"


def test_a_mask_on_its_topic_leaves_out_what_is_black_in_it_from_the_next_frame_on(node, kit):
    node.camera.advertise("/vo_node/mask", Image)
    node.listener.listen("/vo_node/keypoints", PointCloud2)
    picture = np.full((480, 640), 255, np.uint8)
    picture[240:] = 0

    def left_out(mask: np.ndarray, percent: str) -> bool:
        node.camera.publish("/vo_node/mask", kit.image(mask, node.next_stamp()))
        return shown(node, kit, kit.texture())["left_out_percent"] == percent

    assert any(left_out(picture, "50.000") for _ in range(20))
    # The last status may come before the keypoints of its frame.
    stamp = node.next_stamp(0.0)
    cloud = node.listener.wait_for(
        "/vo_node/keypoints", lambda found: convert.nanoseconds(found.header.stamp) == stamp
    )
    places = np.frombuffer(bytes(cloud.data), np.float32).reshape(-1, cloud.point_step // 4)
    v = places[:, next(entry.offset for entry in cloud.fields if entry.name == "v") // 4]
    assert len(v) > 20
    assert v.max() < 241.0
    assert any(left_out(np.full((480, 640), 255, np.uint8), "0.000") for _ in range(20))
    node.camera.publish("/vo_node/mask", kit.image(np.zeros((480, 640, 3), np.uint8), 1, "rgb8"))
    assert "a mask is mono8" in node.wait_for_log("/vo_node/mask is ignored")
