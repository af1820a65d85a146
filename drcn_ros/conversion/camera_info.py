# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models from `sensor_msgs/CameraInfo`, and as its fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera, Distortion

_MODELS = {Distortion.NONE: Distortion.PLUMB_BOB.value}
# ROS's plumb_bob has five coefficients.
_FILLED = {4: 5}
# Numbers of coefficients that OpenCV takes for each lens model; a list in between is filled with zeros.
_COEFFICIENTS = {
    Distortion.PLUMB_BOB: (4, 5, 8, 12, 14),
    Distortion.RATIONAL_POLYNOMIAL: (8, 12, 14),
    Distortion.EQUIDISTANT: (4,),
}


def shows_rectified(topic: str) -> bool:
    """Whether an image topic carries rectified images by the naming of image_proc (`image_rect`)."""
    return any("rect" in part.split("_") for part in topic.strip("/").split("/"))


def camera_from_message(message: Any, rectified: bool) -> Camera:
    """Return the camera of the images that belong to a `sensor_msgs/CameraInfo`.

    The message describes the full sensor; region of interest and binning lead to the image as received.
    Rectified images have the matrix P and no distortion, others K and D.

    Raises:
        ConfigurationError: the camera is uncalibrated, or a number or the lens model is unusable.
    """
    if rectified:
        matrix = np.asarray(message.p, np.float64).reshape(3, 4)[:, :3]
        name = "P"
    else:
        matrix = np.asarray(message.k, np.float64).reshape(3, 3)
        name = "K"
    distortion, coefficients = (Distortion.NONE, ()) if rectified else _distortion(message)
    if matrix[0, 0] == 0.0:
        msg = f"camera_info is uncalibrated: {name}[0] is 0; calibrate the camera (camera_calibration)"
        raise ConfigurationError(msg)
    if not np.isfinite(matrix).all():
        msg = f"camera_info holds a number that is not finite in {name}: {matrix.ravel().tolist()}"
        raise ConfigurationError(msg)
    camera = Camera(
        width=int(message.width),
        height=int(message.height),
        fx=float(matrix[0, 0]),
        fy=float(matrix[1, 1]),
        cx=float(matrix[0, 2]),
        cy=float(matrix[1, 2]),
        distortion=distortion,
        coefficients=coefficients,
    )
    region = message.roi
    if region.width and region.height:
        camera = camera.cropped(region.x_offset, region.y_offset, region.width, region.height)
    # Zero means the same as one.
    return camera.binned(max(1, message.binning_x), max(1, message.binning_y))


def _distortion(message: Any) -> tuple[Distortion, tuple[float, ...]]:
    coefficients = tuple(float(value) for value in message.d)
    if not np.isfinite(coefficients).all():
        msg = f"camera_info holds a number that is not finite in D: {list(coefficients)}"
        raise ConfigurationError(msg)
    if not any(coefficients):
        # An equidistant lens without coefficients still bends straight lines.
        if message.distortion_model == Distortion.EQUIDISTANT.value:
            return Distortion.EQUIDISTANT, (0.0, 0.0, 0.0, 0.0)
        return Distortion.NONE, ()
    try:
        model = Distortion(message.distortion_model)
        counts = _COEFFICIENTS[model]
    except (ValueError, KeyError):
        known = ", ".join(entry.value for entry in _COEFFICIENTS)
        msg = f"camera_info has the lens model {message.distortion_model!r}; known are {known}"
        raise ConfigurationError(msg) from None
    if len(coefficients) > counts[-1]:
        msg = f"camera_info has {len(coefficients)} coefficients; {model.value} takes at most {counts[-1]}"
        raise ConfigurationError(msg)
    count = next(number for number in counts if number >= len(coefficients))
    return model, coefficients + (0.0,) * (count - len(coefficients))


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
    if camera.distortion is not Distortion.EQUIDISTANT:
        coefficients += [0.0] * (_FILLED.get(len(coefficients), 0) - len(coefficients))
    fx, fy, cx, cy = (float(value) for value in (camera.fx, camera.fy, camera.cx, camera.cy))
    return {
        **fields,
        "distortion_model": _MODELS.get(camera.distortion, camera.distortion.value),
        "d": coefficients,
        "k": [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        "p": [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    }
