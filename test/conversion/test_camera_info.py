# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import RegionOfInterest

from drcn_ros.conversion.camera_info import calibration_from_message, camera_info_fields, shows_rectified
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera, Distortion


def camera_of(message: Any) -> Camera:
    return calibration_from_message(message, rectified=False).camera


def region(x: int, y: int, width: int, height: int) -> RegionOfInterest:
    return RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height)


def k(fx: float, cx: float = 319.5, skew: float = 0.0, last: float = 1.0) -> dict[str, Any]:
    return {"k": [fx, skew, cx, 0.0, 500.0, 239.5, 0.0, 0.0, last]}


@pytest.mark.parametrize(
    ("model", "given", "kept"),
    [
        ("plumb_bob", [0.1, -0.2, 0.001, 0.002, 0.03], 5),
        ("plumb_bob", [0.1, -0.2, 0.001, 0.002], 4),
        ("rational_polynomial", [0.1, 0.2, 0.0, 0.0, 0.01, 0.3, 0.1, 0.02], 8),
        ("equidistant", [0.01, 0.02, 0.003, -0.001], 4),
        # A driver of a fisheye camera fills five places.
        ("equidistant", [0.01, 0.02, 0.003, -0.001, 0.0], 4),
        ("double_sphere", [-0.2, 0.6], 2),
    ],
)
def test_lens_models_keep_their_coefficients(
    model: str, given: list[float], kept: int, camera_messages: Any
) -> None:
    camera = camera_of(camera_messages.camera_info(distortion_model=model, d=given))
    assert camera.distortion.value == model
    assert camera.coefficients == tuple(given[:kept])


def test_the_number_of_coefficients_tells_polynomial_models_apart(camera_messages: Any) -> None:
    eight = [0.1, 0.2, 0.0, 0.0, 0.01, 0.3, 0.1, 0.02]
    assert camera_of(camera_messages.camera_info(distortion_model="plumb_bob", d=eight)).distortion.value == (
        "rational_polynomial"
    )
    assert (
        camera_of(camera_messages.camera_info(distortion_model="", d=eight[:5])).distortion
        is Distortion.PLUMB_BOB
    )


def test_skew_is_used_and_comes_back_in_the_message(camera_messages: Any) -> None:
    k = [500.0, 4.3, 319.5, 0.0, 500.0, 239.5, 0.0, 0.0, 1.0]
    camera = camera_of(camera_messages.camera_info(k=k))
    assert camera.skew == 4.3
    assert camera_info_fields(camera, 640, 480)["k"] == k


def test_a_lens_that_turns_back_is_told_with_angle_and_radius(camera_messages: Any) -> None:
    k = [900.0, 0.0, 960.0, 0.0, 900.0, 600.0, 0.0, 0.0, 1.0]
    message = camera_messages.camera_info(
        width=1920, height=1200, k=k, distortion_model="equidistant", d=[-1.15, 2.91, -2.48, 0.18]
    )
    (remark,) = calibration_from_message(message, rectified=False).remarks
    assert re.search(r"equidistant .* turns back 48\.\d degrees from the axis, 6\d\d pixels from", remark)
    assert calibration_from_message(camera_messages.camera_info(), rectified=False).remarks == ()


BINNED = [380.0, 0.0, 255.5, 0.0, 380.0, 191.5, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 2048, "height": 1536, "binning_x": 4, "binning_y": 4},
        {"width": 2048, "height": 1536, "roi": region(768, 576, 512, 384)},
        {"width": 512, "height": 384, "roi": region(100, 96, 256, 192)},
    ],
    ids=["binning", "region", "region within the image"],
)
def test_a_region_or_binning_that_contradicts_the_matrix_is_told_with_both_readings(
    fields: dict[str, Any], camera_messages: Any
) -> None:
    k = list(BINNED)
    if fields["width"] == 512:
        k[2], k[5] = 127.5, 95.5
    message = camera_messages.camera_info(k=k, **fields)
    given = calibration_from_message(message, rectified=False)
    assert len(given.remarks) == 1
    assert "set camera.binning to ignore" in given.remarks[0]
    assert f"({given.camera.cx:.1f}, {given.camera.cy:.1f})" in given.remarks[0]
    ignored = calibration_from_message(message, rectified=False, binning="ignore")
    assert ignored.remarks == ()
    assert (ignored.camera.fx, ignored.camera.cx, ignored.camera.cy) == (380.0, k[2], k[5])
    assert ignored.camera.width == (256 if fields["width"] == 512 else 512)


def test_a_region_that_fits_the_matrix_is_not_talked_about(camera_messages: Any) -> None:
    message = camera_messages.camera_info(roi=region(100, 40, 301, 200), binning_x=2, binning_y=2)
    assert calibration_from_message(message, rectified=False).remarks == ()


@pytest.mark.parametrize(("model", "zeros"), [("plumb_bob", 5), ("", 0), ("rational_polynomial", 8)])
def test_coefficients_that_are_all_zero_are_no_distortion(
    model: str, zeros: int, camera_messages: Any
) -> None:
    camera = camera_of(camera_messages.camera_info(distortion_model=model, d=[0.0] * zeros))
    assert camera.distortion is Distortion.NONE


def test_rectified_images_have_the_matrix_p_and_no_distortion(camera_messages: Any) -> None:
    p = [410.0, 0.0, 300.0, -40.0, 0.0, 420.0, 200.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    message = camera_messages.camera_info(d=[0.1] * 5, p=p)
    rectified = calibration_from_message(message, rectified=True).camera
    assert (rectified.fx, rectified.fy, rectified.cx, rectified.cy) == (410.0, 420.0, 300.0, 200.0)
    assert rectified.distortion is Distortion.NONE
    assert camera_of(message).fx == 500.0


def test_a_region_and_binning_lead_to_the_image_as_received(camera_messages: Any) -> None:
    message = camera_messages.camera_info(roi=region(100, 40, 301, 200), binning_x=2, binning_y=2)
    camera = camera_of(message)
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
        ({"k": [500.0, 0.0, np.nan, *[0.0] * 6]}, False, r"K\[2\] is nan; expected a finite number"),
        ({"d": [0.1, np.inf, 0.0, 0.0, 0.0]}, False, r"distortion\[1\] is inf; expected a finite number"),
        ({"d": [0.1] * 4, "distortion_model": "thin_prism"}, False, "lens model 'thin_prism' is unknown"),
        (
            {"d": [0.1] * 4, "distortion_model": ""},
            False,
            "4 distortion coefficients and no lens model",
        ),
        ({"d": [0.1] * 15}, False, "15 distortion coefficients .* plumb_bob; it takes 4, 5, 8, 12, 14"),
        ({"d": [0.1]}, False, r"1 distortion coefficients \[0.1\] of lens model plumb_bob"),
        (
            {"d": [0.1] * 3, "distortion_model": "equidistant"},
            False,
            "3 distortion .* it takes 4",
        ),
        ({"d": [0.1] * 7}, False, "7 distortion coefficients"),
        ({"width": 0}, False, "width is 0; expected a whole number of pixels"),
        (k(1.0), False, "fx is 1; expected 32 to 64000 for images of 640x480 pixels"),
        (k(500.0, cx=-1e6), False, r"cx is -1e\+06; expected -640 to 1280"),
        (k(500.0, last=0.0), False, r"K\[8\] is 0; expected 1 of a camera matrix"),
        (k(5000.0), False, "fx / fy is 10; expected 0.25 to 4"),
        (k(500.0, skew=400.0), False, "skew is 400; expected -125 to 125 for fx 500"),
        ({"p": [float("nan")] * 12}, True, r"P\[0\] is nan"),
        ({"binning_x": 1000}, False, "binning 1000x1 of 640x480"),
        (
            {"roi": RegionOfInterest(x_offset=600, width=100, height=10)},
            False,
            "reaches beyond the 640x480 image",
        ),
    ],
)
def test_unusable_calibrations_are_named(
    changes: dict[str, Any], rectified: bool, complaint: str, camera_messages: Any
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        calibration_from_message(camera_messages.camera_info(**changes), rectified)


@pytest.mark.parametrize(
    ("topic", "answer"),
    [("/camera/image_rect", True), ("/left/image_rect_color", True), ("/camera/image_raw", False),
     ("/direct/image", False)],
)  # fmt: skip
def test_a_rectified_topic_is_known_by_the_names_of_image_proc(topic: str, answer: bool) -> None:
    assert shows_rectified(topic) is answer


def changed(message: Any, rng: np.random.Generator) -> str:
    """Change one field of a `CameraInfo` as a driver or a wire may; return which."""
    value = float(rng.choice([np.nan, np.inf, -np.inf, 0.0, 1.0, -1.0, -1e6, 1e9, 1e-9, 640.7, 450.0]))
    whole = int(rng.choice([0, 1, 2, 3, 7, 100, 480, 640, 5000, 2**32 - 1]))
    kind = str(rng.choice(["k", "p", "d", "count", "model", "size", "binning", "roi"]))
    if kind in ("k", "p", "d"):
        values = list(getattr(message, kind))
        place = int(rng.integers(len(values)))
        values[place] = value
        setattr(message, kind, values)
        return f"{kind}[{place}] = {value}"
    if kind == "count":
        message.d = [0.1] * int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 40]))
        return f"{len(message.d)} coefficients"
    if kind == "model":
        message.distortion_model = str(rng.choice(["", "fisheye", "equidistant", "Plumb_Bob", "odd", "none"]))
        return f"model {message.distortion_model!r}"
    if kind == "roi":
        name = str(rng.choice(["x_offset", "y_offset", "width", "height"]))
        message.roi = region(20, 10, 600, 440)
        setattr(message.roi, name, whole)
        return f"roi.{name} = {whole}"
    name = str(rng.choice(["width", "height"] if kind == "size" else ["binning_x", "binning_y"]))
    setattr(message, name, whole)
    return f"{name} = {whole}"


@pytest.mark.parametrize("seed", range(4))
def test_no_changed_message_is_taken_for_another(seed: int, camera_messages: Any) -> None:
    rng = np.random.default_rng(seed)
    taken = refused = 0
    for _ in range(50):
        message = camera_messages.camera_info(d=[0.1, -0.2, 0.001, 0.002, 0.05])
        rectified = bool(rng.integers(2))
        what = changed(message, rng)
        try:
            camera = calibration_from_message(message, rectified).camera
        except ConfigurationError as error:
            refused += 1
            text = str(error)
        else:
            taken += 1
            text = ""
            matrix = (
                np.array(message.p).reshape(3, 4)[:, :3] if rectified else np.array(message.k).reshape(3, 3)
            )
            across, down = max(1, message.binning_x), max(1, message.binning_y)
            whole = camera.scaled(camera.width * across, camera.height * down)
            shift = np.array([[0, 0, message.roi.x_offset], [0, 0, message.roi.y_offset], [0, 0, 0]])
            has_region = message.roi.width and message.roi.height
            assert whole.matrix == pytest.approx(matrix - (shift if has_region else 0), abs=1e-6), what
            width, height = (
                (message.roi.width, message.roi.height) if has_region else (message.width, message.height)
            )
            assert (camera.width, camera.height) == (width // across, height // down), what
            if not rectified and any(message.d):
                assert camera.coefficients == tuple(message.d), what
        assert "\n" not in text
    assert taken > 10
    assert refused > 10
