# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a camera, as its driver would send them."""

from __future__ import annotations

from typing import Any

import numpy as np


def image_message(pixels: np.ndarray, stamp_ns: int, encoding: str = "mono8", padding: int = 0) -> Any:
    """Return an `Image` whose rows are followed by `padding` bytes."""
    from sensor_msgs.msg import Image

    from drcn_ros.ros.messages.convert import byte_array, header

    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=77)
    return Image(
        header=header(stamp_ns, "camera"),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        step=padded.shape[1],
        data=byte_array(padded),
    )


def camera_info(width: int = 640, height: int = 480, stamp_ns: int = 0, **changes: Any) -> Any:
    """Return a `CameraInfo` without distortion."""
    from sensor_msgs.msg import CameraInfo

    from drcn_ros.ros.messages.convert import header

    k = [500.0, 0.0, width / 2 - 0.5, 0.0, 500.0, height / 2 - 0.5, 0.0, 0.0, 1.0]
    p = [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]
    fields = {
        "width": width,
        "height": height,
        "distortion_model": "plumb_bob",
        "d": [0.0] * 5,
        "k": k,
        "p": p,
    }
    return CameraInfo(header=header(stamp_ns, "camera"), **{**fields, **changes})
