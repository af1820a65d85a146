# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models from `sensor_msgs/CameraInfo`, and as its fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from drcn_ros.conversion.calibration import Calibration, camera_from_matrix, with_remarks
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera, Distortion

_MODELS = {Distortion.NONE: Distortion.PLUMB_BOB.value}
# ROS's plumb_bob has five coefficients.
_FILLED = {4: 5}
# A principal point this far from the middle of the image, by its side, makes a region or binning doubtful,
# and one so near speaks for the other reading.
_FAR, _NEAR = 0.2, 0.1


def shows_rectified(topic: str) -> bool:
    """Whether an image topic carries rectified images by the naming of image_proc (`image_rect`)."""
    return any("rect" in part.split("_") for part in topic.strip("/").split("/"))


def calibration_from_message(message: Any, rectified: bool, binning: str = "as_given") -> Calibration:
    """Return the camera of the images that belong to a `sensor_msgs/CameraInfo`.

    Args:
        message: describes the full sensor; region of interest and binning lead to the image as received.
        rectified: whether the images have the matrix P and no distortion, or K and D.
        binning: "as_given", or "ignore" where K belongs to the image as received.

    Raises:
        ConfigurationError: the camera is uncalibrated, or a number or the lens model is unusable.
    """
    given = _as_given(message, rectified)
    received = _as_received(given, message)
    if binning == "ignore":
        # Such drivers give the size of the sensor or that of the image; the principal point tells which.
        return with_remarks(min(received, given, key=_off_centre))
    region = message.roi
    camera = given
    if region.width and region.height:
        camera = camera.cropped(region.x_offset, region.y_offset, region.width, region.height)
    # Zero means the same as one.
    camera = camera.binned(max(1, message.binning_x), max(1, message.binning_y))
    return with_remarks(camera, _contradiction(camera, received))


def _as_given(message: Any, rectified: bool) -> Camera:
    values = [float(value) for value in (message.p if rectified else message.k)]
    name = "P" if rectified else "K"
    if len(values) == 12:
        values = [*values[0:3], *values[4:7], *values[8:11]]
    if values and values[0] == 0.0:
        msg = f"camera_info is uncalibrated: {name}[0] is 0; calibrate the camera (camera_calibration)"
        raise ConfigurationError(msg)
    model, coefficients = ("none", []) if rectified else (message.distortion_model, list(message.d))
    try:
        return camera_from_matrix(name, (message.width, message.height), values, model, coefficients)
    except ConfigurationError as error:
        msg = f"camera_info: {error}"
        raise ConfigurationError(msg) from None


def _as_received(camera: Camera, message: Any) -> Camera:
    """Return the camera if its numbers belonged to the image as received, and its size to the sensor."""
    width, height = message.roi.width or camera.width, message.roi.height or camera.height
    across, down = max(1, message.binning_x), max(1, message.binning_y)
    if across > width or down > height:
        msg = f"camera_info: binning {across}x{down} of {width}x{height} pixels; expected 1 up to its size"
        raise ConfigurationError(msg)
    return replace(camera, width=int(width // across), height=int(height // down))


def _contradiction(camera: Camera, received: Camera) -> tuple[str, ...]:
    """Return in words that region and binning were meant for another matrix, if it looks so."""
    if not (_off_centre(camera) > _FAR and _off_centre(received) < _NEAR):
        return ()
    text = "camera_info: as given, its region of interest and binning put the principal point at "
    text += f"({camera.cx:.1f}, {camera.cy:.1f}) of {camera.width}x{camera.height} pixels, with fx "
    text += f"{camera.fx:.1f}; if K belongs to the image as received, it is ({received.cx:.1f}, "
    text += f"{received.cy:.1f}), with fx {received.fx:.1f}: then set camera.binning to ignore"
    return (text,)


def _off_centre(camera: Camera) -> float:
    """Return how far the principal point lies from the middle of the image, by its side."""
    return max(abs(camera.cx / camera.width - 0.5), abs(camera.cy / camera.height - 0.5))


def camera_info_fields(camera: Camera | None, width: int, height: int) -> dict[str, Any]:
    """Return the values of `distortion_model`, `d`, `k`, `r`, `p`, `width` and `height`.

    Args:
        camera: calibration; without one K and P are zero, which is ROS's sign of an uncalibrated camera.
        width, height: image size, pixels.
    """
    fields: dict[str, Any] = {"width": width, "height": height, "distortion_model": "", "d": []}
    fields["r"] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    if camera is None:
        return {**fields, "k": [0.0] * 9, "p": [0.0] * 12}
    coefficients = list(camera.coefficients) or [0.0] * 5
    if camera.distortion in (Distortion.PLUMB_BOB, Distortion.RATIONAL_POLYNOMIAL):
        coefficients += [0.0] * (_FILLED.get(len(coefficients), 0) - len(coefficients))
    matrix = np.asarray(camera.matrix, np.float64)
    return {
        **fields,
        "distortion_model": _MODELS.get(camera.distortion, camera.distortion.value),
        "d": coefficients,
        "k": matrix.ravel().tolist(),
        "p": np.hstack([matrix, np.zeros((3, 1))]).ravel().tolist(),
    }
