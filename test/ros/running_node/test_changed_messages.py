# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Calibrations and image headers with one value changed, to a running node: answered, and not mistaken."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.msg import CameraInfo, Image

from drcn_ros.conversion.camera_info import calibration_from_message
from drcn_ros.conversion.images import image_from_message
from drcn_ros.conversion.stamps import image_stamp_ns
from drcn_ros.errors import ConfigurationError, ImageError

pytestmark = pytest.mark.dds

STATUS = "/vo_node/status"
COUNT = 100
WIDTH, HEIGHT = 96, 64
SIZES = (0, 1, 63, 65, 95, 97, 192, 2**31, 2**32 - 1)
NUMBERS = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1.0, 1e300, 1e-300, 96.0)
MODELS = ("", "fisheye", "equidistant", "rational_polynomial", "Plumb_Bob", "odd")
ENCODINGS = ("", "rgb8", "bgra8", "mono16", "bayer_rggb8", "yuv422", "nv12", "8UC9", "MONO8")


def changed_calibration(message: CameraInfo, random: np.random.Generator) -> CameraInfo:
    """Change one value of a calibration."""
    field = str(random.choice(["width", "height", "k", "d", "count", "distortion_model", "binning_x", "roi"]))
    if field in ("k", "d"):
        values = list(getattr(message, field))
        values[int(random.integers(len(values)))] = float(random.choice(NUMBERS))
        setattr(message, field, values)
    elif field == "count":
        message.d = [0.1] * int(random.integers(0, 16))
    elif field == "distortion_model":
        message.distortion_model = str(random.choice(MODELS))
    elif field == "roi":
        message.roi.width, message.roi.height = (int(size) for size in random.choice(SIZES, 2))
    else:
        setattr(message, field, int(random.choice(SIZES)))
    return message


def changed_image(message: Image, random: np.random.Generator) -> Image:
    """Change one value of an image's header."""
    field = str(random.choice(["width", "height", "step", "encoding", "is_bigendian", "nanosec"]))
    if field == "encoding":
        message.encoding = str(random.choice(ENCODINGS))
    elif field == "is_bigendian":
        message.is_bigendian = int(random.choice([1, 255]))
    elif field == "nanosec":
        message.header.stamp.nanosec = int(random.choice([10**9, 2**32 - 1]))
    else:
        setattr(message, field, int(random.choice(SIZES)))
    return message


def refusal(message: Any) -> str:
    """Return why a calibration or an image cannot be used, or nothing."""
    try:
        if isinstance(message, CameraInfo):
            camera = calibration_from_message(message, False).camera
            return "" if (camera.width, camera.height) == (WIDTH, HEIGHT) else "another size"
        image_stamp_ns(message)
        image = image_from_message(message)
    except (ConfigurationError, ImageError) as error:
        return str(error)
    return "" if image.shape[:2] == (HEIGHT, WIDTH) else "another size"


@pytest.fixture
def show(start: Any, kit: Any) -> Any:
    """Show a running node an image; return the values of its status."""
    setup = start(processing="every_frame", matcher__max_keypoints=100, rectified="false")
    setup.listener.listen(STATUS, DiagnosticStatus)
    setup.camera.advertise("/camera_info", CameraInfo)
    setup.camera.advertise("/image", Image)
    shift = 0.0

    def image() -> Image:
        nonlocal shift
        shift = (shift + 2.0) % 40.0
        return kit.image(kit.texture(WIDTH, HEIGHT, shift), setup.next_stamp())

    def answer(message: Image) -> dict[str, str]:
        # By their number: a stamp that is none is answered with another one.
        seen = len(setup.listener.messages(STATUS))
        setup.camera.publish("/image", message)
        kit.wait_until(lambda: len(setup.listener.messages(STATUS)) > seen)
        values: dict[str, str] = kit.values(setup.listener.messages(STATUS)[-1])
        return values

    def calibrate(message: CameraInfo) -> None:
        setup.camera.publish("/camera_info", message)
        # The first answer may be older than the calibration, which comes by another topic.
        answer(image())

    yield answer, image, calibrate
    log = setup.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert "INTERNAL_ERROR" not in log


def test_no_changed_calibration_is_tracked_on_unless_it_says_what_a_camera_can_be(show: Any, kit: Any):
    answer, image, calibrate = show
    refused = 0
    for case in range(COUNT):
        message = changed_calibration(kit.camera_info(WIDTH, HEIGHT), np.random.default_rng(case))
        why = refusal(message)
        calibrate(message)
        values = answer(image())
        assert values["reason"] != "INTERNAL_ERROR", case
        assert (values["state"] == "WAITING_FOR_CALIBRATION") == bool(why), (case, why, values["detail"])
        refused += bool(why)
    assert COUNT // 4 < refused < COUNT - COUNT // 10


def test_no_changed_image_is_tracked_on_unless_it_has_the_calibration_s_size(show: Any, kit: Any):
    answer, image, calibrate = show
    calibrate(kit.camera_info(WIDTH, HEIGHT))
    refused = 0
    for case in range(COUNT):
        message = changed_image(image(), np.random.default_rng(case))
        why = refusal(message)
        values = answer(message)
        assert values["reason"] != "INTERNAL_ERROR", case
        reasons = ("BAD_IMAGE", "CALIBRATION_MISMATCH")
        assert (values["reason"] in reasons) == bool(why), (case, why, values["detail"])
        assert not re.search(r"[\r\n]", values["detail"]), case
        refused += bool(why)
    assert COUNT // 4 < refused < COUNT - COUNT // 10
