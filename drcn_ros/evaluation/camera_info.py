# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A camera as the fields of `sensor_msgs/CameraInfo`, for bags and for topics alike."""

from __future__ import annotations

from typing import Any

from drcn_ros.geometry.camera import Camera, Distortion

_MODELS = {Distortion.NONE: Distortion.PLUMB_BOB.value}
# ROS's plumb_bob has five coefficients.
_FILLED = {4: 5}


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
