# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From `Image` and `CompressedImage` messages to uint8 arrays.

The result is (H, W) grey or (H, W, 3) RGB. Grey and rgb8 are views of the message's data; everything else
costs one pass. Sixteen bits become eight as round(value * 255 / 65535), so full scale stays full scale.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.foreign.image_header import JPEG_START, PNG_START
from drcn_ros.foreign.images import decode_image, to_eight_bits

Image8 = NDArray[np.uint8]


@dataclass(frozen=True)
class _Layout:
    """How the pixels of one encoding lie in memory, and the OpenCV code that makes grey or RGB of them."""

    channels: int
    bytes_per_channel: int = 1
    conversion: int | None = None


# A Bayer pattern is named by its first two rows in ROS and by the second row's second pixel on in OpenCV.
_LAYOUTS = {
    "mono8": _Layout(1),
    "8UC1": _Layout(1),
    "mono16": _Layout(1, bytes_per_channel=2),
    "rgb8": _Layout(3),
    "bgr8": _Layout(3, conversion=cv2.COLOR_BGR2RGB),
    "8UC3": _Layout(3, conversion=cv2.COLOR_BGR2RGB),
    "rgba8": _Layout(4, conversion=cv2.COLOR_RGBA2RGB),
    "bgra8": _Layout(4, conversion=cv2.COLOR_BGRA2RGB),
    "bayer_rggb8": _Layout(1, conversion=cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": _Layout(1, conversion=cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": _Layout(1, conversion=cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": _Layout(1, conversion=cv2.COLOR_BayerGB2RGB),
    "yuv422": _Layout(2, conversion=cv2.COLOR_YUV2RGB_UYVY),
    "uyvy": _Layout(2, conversion=cv2.COLOR_YUV2RGB_UYVY),
    "yuv422_yuy2": _Layout(2, conversion=cv2.COLOR_YUV2RGB_YUY2),
    "yuyv": _Layout(2, conversion=cv2.COLOR_YUV2RGB_YUY2),
}
ENCODINGS = tuple(_LAYOUTS)

_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xaeB`\x82"
# Some cameras pad their JPEGs; the end marker is looked for in this many last bytes.
_TAIL_BYTES = 4096


def image_from_message(message: Any) -> Image8:
    """Return the pixels of a `sensor_msgs/Image` as (H, W) grey or (H, W, 3) RGB.

    Raises:
        ImageError: sizes and data do not fit together, or the encoding cannot be converted.
    """
    layout = _LAYOUTS.get(message.encoding)
    if message.width == 0 or message.height == 0:
        msg = f"image of {message.width}x{message.height} pixels has no content; check the camera driver"
        raise ImageError(msg)
    if layout is None:
        _check_size(message, message.width)
        return _convert_with_cv_bridge(message)
    row_bytes = message.width * layout.channels * layout.bytes_per_channel
    _check_size(message, row_bytes)
    pixels = np.ndarray(
        (message.height, message.width, layout.channels, layout.bytes_per_channel),
        np.uint8,
        buffer=memoryview(message.data),
        strides=(message.step, layout.channels * layout.bytes_per_channel, layout.bytes_per_channel, 1),
    )
    if layout.bytes_per_channel == 2:
        wide = pixels.view(">u2" if message.is_bigendian else "<u2")[:, :, 0, 0]
        return to_eight_bits(wide.astype(np.uint16))
    image: Image8 = pixels[:, :, 0, 0] if layout.channels == 1 else pixels[:, :, :, 0]
    if layout.conversion is None:
        return image
    try:
        converted: Image8 = np.asarray(cv2.cvtColor(image, layout.conversion), np.uint8)
    except cv2.error:
        msg = f"{message.encoding} image of {message.width}x{message.height} pixels: "
        msg += "this encoding needs an even width and height"
        raise ImageError(msg) from None
    return converted


def image_from_compressed(message: Any) -> Image8:
    """Return the pixels of a `sensor_msgs/CompressedImage` (JPEG or PNG) as (H, W) grey or (H, W, 3) RGB.

    Raises:
        ImageError: the data are no whole JPEG or PNG image.
    """
    data = bytes(message.data)
    name = message.format or "image"
    if not data:
        msg = f"compressed {name}: the message holds no data"
        raise ImageError(msg)
    # The decoders fill the rest of a cut-off image with grey and return it as if it were whole.
    tail = data[-_TAIL_BYTES:]
    if data.startswith(JPEG_START):
        whole = _JPEG_END in tail
    elif data.startswith(PNG_START):
        whole = _PNG_END in tail
    else:
        msg = f"compressed {name} of {len(data)} bytes is neither JPEG nor PNG; publish one of these"
        raise ImageError(msg)
    if not whole:
        msg = f"compressed {name} of {len(data)} bytes is cut off"
        raise ImageError(msg)
    try:
        return decode_image(data)
    except ImageError as error:
        msg = f"compressed {name} of {len(data)} bytes: {error}"
        raise ImageError(msg) from None


def _check_size(message: Any, row_bytes: int) -> None:
    size = f"{message.encoding} image of {message.width}x{message.height} pixels"
    if message.step < row_bytes:
        msg = f"{size}: step is {message.step} bytes, a row needs {row_bytes}; check the camera driver"
        raise ImageError(msg)
    expected = message.step * message.height
    if len(message.data) < expected:
        msg = f"{size}: {len(message.data)} bytes of data, height times step is {expected}; check the driver"
        raise ImageError(msg)


def _convert_with_cv_bridge(message: Any) -> Image8:
    bridge_module = sound_cv_bridge()
    known = f"encoding {message.encoding!r} is not supported; supported are {', '.join(ENCODINGS)}"
    if bridge_module is None:
        msg = f"{known}; others need a working cv_bridge (sudo apt install ros-$ROS_DISTRO-cv-bridge)"
        raise ImageError(msg)
    bridge = bridge_module.CvBridge()
    for target in ("rgb8", "mono8"):
        try:
            return np.asarray(bridge.imgmsg_to_cv2(message, desired_encoding=target), np.uint8)
        except (bridge_module.CvBridgeError, ValueError, TypeError, cv2.error, RuntimeError):
            continue
    msg = f"{known}, and cv_bridge cannot convert it either"
    raise ImageError(msg)


def sound_cv_bridge() -> ModuleType | None:
    """Return cv_bridge when it is installed and converts a padded 16-bit image rightly, else None.

    A cv_bridge that was compiled for another numpy fails or, worse, returns wrong pixels.
    """
    from sensor_msgs.msg import Image

    try:
        module = importlib.import_module("cv_bridge")
        message = Image(height=2, width=1, encoding="16UC1", step=4, data=[1, 2, 0, 0, 3, 4, 0, 0])
        converted = module.CvBridge().imgmsg_to_cv2(message, desired_encoding="passthrough")
        right = np.array_equal(np.asarray(converted).reshape(-1), [0x0201, 0x0403])
    except Exception:  # whatever a broken binary module throws, it is not usable
        return None
    return module if right else None
