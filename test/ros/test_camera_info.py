# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import RegionOfInterest

from drcn_ros.conversion.camera_info import camera_from_message, shows_rectified
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Distortion


@pytest.mark.parametrize(
    ("model", "given", "kept"),
    [
        ("plumb_bob", [0.1, -0.2, 0.001, 0.002, 0.03], 5),
        ("plumb_bob", [0.1, -0.2, 0.001, 0.002], 4),
        ("rational_polynomial", [0.1, 0.2, 0.0, 0.0, 0.01, 0.3, 0.1, 0.02], 8),
        ("equidistant", [0.01, 0.02, 0.003], 4),
    ],
)
def test_lens_models_keep_their_coefficients(model: str, given: list[float], kept: int, kit: Any) -> None:
    camera = camera_from_message(kit.camera_info(distortion_model=model, d=given), rectified=False)
    assert camera.distortion.value == model
    assert camera.coefficients == (*given, *[0.0] * (kept - len(given)))


@pytest.mark.parametrize(("model", "zeros"), [("plumb_bob", 5), ("", 0), ("rational_polynomial", 8)])
def test_coefficients_that_are_all_zero_are_no_distortion(model: str, zeros: int, kit: Any) -> None:
    camera = camera_from_message(kit.camera_info(distortion_model=model, d=[0.0] * zeros), rectified=False)
    assert camera.distortion is Distortion.NONE


def test_rectified_images_have_the_matrix_p_and_no_distortion(kit: Any) -> None:
    p = [410.0, 0.0, 300.0, -40.0, 0.0, 420.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    message = kit.camera_info(d=[0.1] * 5, p=p)
    rectified = camera_from_message(message, rectified=True)
    assert (rectified.fx, rectified.fy, rectified.cx, rectified.cy) == (410.0, 420.0, 300.0, 200.0)
    assert rectified.distortion is Distortion.NONE
    assert camera_from_message(message, rectified=False).fx == 500.0


def test_a_region_and_binning_lead_to_the_image_as_received(kit: Any) -> None:
    region = RegionOfInterest(x_offset=100, y_offset=40, width=301, height=200)
    message = kit.camera_info(roi=region, binning_x=2, binning_y=2)
    camera = camera_from_message(message, rectified=False)
    assert (camera.width, camera.height) == (150, 100)
    assert (camera.fx, camera.fy) == (250.0, 250.0)
    # The centre of a bin of pixels 100 and 101 is pixel 0 of the image.
    ray = camera.normalise(np.array([[0.0, 0.0]]))[0]
    assert ray == pytest.approx([(100.5 - 319.5) / 500.0, (40.5 - 239.5) / 500.0])


@pytest.mark.parametrize(
    ("changes", "rectified", "complaint"),
    [
        ({"k": [0.0] * 9}, False, r"uncalibrated: K\[0\] is 0"),
        ({"p": [0.0] * 12}, True, r"uncalibrated: P\[0\] is 0"),
        ({"k": [500.0, 0.0, np.nan, *[0.0] * 6]}, False, "not finite in K"),
        ({"d": [0.1, np.inf, 0.0, 0.0, 0.0]}, False, "not finite in D"),
        ({"d": [0.1] * 4, "distortion_model": "thin_prism"}, False, "lens model 'thin_prism'; known are"),
        ({"d": [0.1] * 15}, False, "15 coefficients; plumb_bob takes at most 14"),
        ({"width": 0}, False, "sizes and focal lengths must be positive"),
    ],
)
def test_unusable_calibrations_are_named(
    changes: dict[str, Any], rectified: bool, complaint: str, kit: Any
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        camera_from_message(kit.camera_info(**changes), rectified)


@pytest.mark.parametrize(
    ("topic", "answer"),
    [("/camera/image_rect", True), ("/left/image_rect_color", True), ("/camera/image_raw", False),
     ("/direct/image", False)],
)  # fmt: skip
def test_a_rectified_topic_is_known_by_the_names_of_image_proc(topic: str, answer: bool) -> None:
    assert shows_rectified(topic) is answer
