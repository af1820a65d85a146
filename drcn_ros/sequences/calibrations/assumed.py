# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A camera for a first look at images whose calibration nobody has."""

from __future__ import annotations

import math

from drcn_ros.conversion.calibration import Calibration
from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera

# Between the wide lenses of robots and the main lenses of phones.
GUESSED_DEG = 65.0
_NARROWEST_DEG, _WIDEST_DEG = 1.0, 160.0


def assumed_calibration(width: int, height: int, degrees: float) -> Calibration:
    """Return a pinhole camera whose longer side spans an angle.

    Args:
        width, height: image size, pixels.
        degrees: angle of view across the longer side.

    Raises:
        InputError: no such camera has this angle.
    """
    if not _NARROWEST_DEG <= degrees <= _WIDEST_DEG:
        msg = f"--fov {degrees:g}: give degrees across the longer side of the images, "
        msg += f"{_NARROWEST_DEG:g} to {_WIDEST_DEG:g}"
        raise InputError(msg)
    focal = 0.5 * max(width, height) / math.tan(0.5 * math.radians(degrees))
    camera = Camera(width, height, focal, focal, 0.5 * (width - 1), 0.5 * (height - 1))
    remark = f"the camera is a guess: {degrees:g} degrees across the longer side (fx {focal:.1f}), no lens "
    remark += "distortion; rotations and directions are a first look, give --camera FILE for more"
    return Calibration(camera, (remark,))
