# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The table of encodings of `sensor_msgs/Image`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """How the pixels of one encoding lie in memory, and what makes grey or RGB of them.

    Attributes:
        channels: values of a pixel in the first plane.
        value: type of a value; the message says in which order its bytes lie.
        convert: makes RGB of the values as bytes, (H, W) or (H, W, channels), or None where they are grey or
            RGB; of an encoding with several planes it takes the rows (N, step).
        rows: rows of all planes for each row of the image.
    """

    channels: int
    value: str = "u1"
    convert: Callable[..., Image8] | None = None
    rows: float = 1.0

    @property
    def pixel_bytes(self) -> int:
        """Bytes of a pixel in the first plane."""
        return self.channels * int(self.value[1])


def _by_opencv(code: int) -> Callable[[Image8], Image8]:
    def convert(values: Image8) -> Image8:
        return np.asarray(cv2.cvtColor(values, code), np.uint8)

    return convert


def _half_colour(code: int) -> Callable[[Image8, int, int], Image8]:
    """A plane of grey, then rows of half the height with colour for each two pixels."""

    def convert(rows: Image8, height: int, width: int) -> Image8:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(rows[:, :width]), code), np.uint8)

    return convert


def _full_colour(rows: Image8, height: int, width: int) -> Image8:
    """A plane of grey, then two bytes of colour for each pixel; limited range of BT.601."""
    colour = rows[height:].reshape(height, -1)[:, : 2 * width].reshape(height, width, 2)
    values = np.dstack([rows[:height, :width], colour])
    return np.asarray(cv2.transform(values, _LIMITED_RANGE), np.uint8)


# From y, u, v to red, green, blue, as OpenCV converts the other encodings.
_Y, _RED, _GREEN, _BLUE = 1.164, (0.0, 1.596), (-0.391, -0.813), (2.018, 0.0)
_LIMITED_RANGE: NDArray[Any] = np.array(
    [[_Y, u, v, -16.0 * _Y - 128.0 * (u + v)] for u, v in (_RED, _GREEN, _BLUE)]
)

_BGR, _BGRA = _by_opencv(cv2.COLOR_BGR2RGB), _by_opencv(cv2.COLOR_BGRA2RGB)
_RGBA = _by_opencv(cv2.COLOR_RGBA2RGB)
_UYVY, _YUYV = _by_opencv(cv2.COLOR_YUV2RGB_UYVY), _by_opencv(cv2.COLOR_YUV2RGB_YUY2)
# A Bayer pattern is named by its first two rows in ROS and by the second row's second pixel on in OpenCV.
_BAYER = {
    "rggb": _by_opencv(cv2.COLOR_BayerBG2RGB),
    "bggr": _by_opencv(cv2.COLOR_BayerRG2RGB),
    "gbrg": _by_opencv(cv2.COLOR_BayerGR2RGB),
    "grbg": _by_opencv(cv2.COLOR_BayerGB2RGB),
}

LAYOUTS = {
    "mono8": Layout(1),
    "8UC1": Layout(1),
    "mono16": Layout(1, "u2"),
    "16UC1": Layout(1, "u2"),
    "32FC1": Layout(1, "f4"),
    "rgb8": Layout(3),
    "bgr8": Layout(3, convert=_BGR),
    "8UC3": Layout(3, convert=_BGR),
    "rgba8": Layout(4, convert=_RGBA),
    "bgra8": Layout(4, convert=_BGRA),
    "8UC4": Layout(4, convert=_BGRA),
    "rgb16": Layout(3, "u2"),
    "bgr16": Layout(3, "u2", _BGR),
    "16UC3": Layout(3, "u2", _BGR),
    "rgba16": Layout(4, "u2", _RGBA),
    "bgra16": Layout(4, "u2", _BGRA),
    **{f"bayer_{pattern}8": Layout(1, convert=convert) for pattern, convert in _BAYER.items()},
    **{f"bayer_{pattern}16": Layout(1, "u2", convert) for pattern, convert in _BAYER.items()},
    "yuv422": Layout(2, convert=_UYVY),
    "uyvy": Layout(2, convert=_UYVY),
    "yuv422_yuy2": Layout(2, convert=_YUYV),
    "yuyv": Layout(2, convert=_YUYV),
    # OpenCV's name of what a driver did not describe; two bytes a pixel are YUYV from USB cameras.
    "8UC2": Layout(2, convert=_YUYV),
    "nv12": Layout(1, convert=_half_colour(cv2.COLOR_YUV2RGB_NV12), rows=1.5),
    "nv21": Layout(1, convert=_half_colour(cv2.COLOR_YUV2RGB_NV21), rows=1.5),
    "nv24": Layout(1, convert=_full_colour, rows=3.0),
}
