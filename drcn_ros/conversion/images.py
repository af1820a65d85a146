# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From `Image` and `CompressedImage` messages to uint8 arrays.

The result is (H, W) grey or (H, W, 3) RGB. Grey and rgb8 are views of the message's data; everything else
costs one pass. Values of more than 8 bits become 8 by the range that the camera uses (`ValueRange`).
"""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.conversion.encodings import LAYOUTS, Layout
from drcn_ros.errors import ImageError
from drcn_ros.foreign.image_header import JPEG_START, PNG_START
from drcn_ros.foreign.images import decode_image
from drcn_ros.foreign.value_range import ValueRange

Image8 = NDArray[np.uint8]

ENCODINGS = tuple(LAYOUTS)

_JPEG_END, _PNG_END = b"\xff\xd9", b"IEND\xaeB`\x82"
# Some cameras pad their JPEGs; the end marker is looked for in this many last bytes.
_TAIL_BYTES = 4096


def image_from_message(message: Any, values: ValueRange | None = None) -> Image8:
    """Return the pixels of a `sensor_msgs/Image` as (H, W) grey or (H, W, 3) RGB.

    Args:
        message: of the camera.
        values: range of its values of more than 8 bits; by default that of this image.

    Raises:
        ImageError: sizes and data do not fit together, or the encoding cannot be converted.
    """
    layout = LAYOUTS.get(message.encoding)
    if message.width == 0 or message.height == 0:
        msg = f"image of {message.width}x{message.height} pixels has no content; check the camera driver"
        raise ImageError(msg)
    if layout is None:
        _check_size(message, message.width, message.height)
        return _convert_with_cv_bridge(message)
    rows = math.ceil(message.height * layout.rows)
    _check_size(message, message.width * layout.pixel_bytes, rows)
    if layout.rows > 1.0:
        planes = np.frombuffer(memoryview(message.data), np.uint8, message.step * rows)
        return _converted(layout, message, planes.reshape(rows, -1), message.height, message.width)
    pixels = _values(message, layout)
    image: Image8 = pixels if layout.value == "u1" else (values or ValueRange()).to_eight_bits(pixels)
    return image if layout.convert is None else _converted(layout, message, image)


def _values(message: Any, layout: Layout) -> NDArray[Any]:
    """Return the values of a message with one plane, (H, W) or (H, W, channels), as a view."""
    order = ">" if message.is_bigendian else "<"
    size = layout.pixel_bytes // layout.channels
    values: NDArray[Any] = np.ndarray(
        (message.height, message.width, layout.channels),
        order + layout.value,
        buffer=memoryview(message.data),
        strides=(message.step, layout.pixel_bytes, size),
    )
    if size > 1:
        # Rows may begin at any byte, which OpenCV does not take.
        values = values.astype(values.dtype.newbyteorder("="))
    return np.asarray(values[:, :, 0] if layout.channels == 1 else values)


def _converted(layout: Layout, message: Any, *arguments: Any) -> Image8:
    assert layout.convert is not None
    try:
        return layout.convert(*arguments)
    except (cv2.error, ValueError):
        msg = f"{message.encoding} image of {message.width}x{message.height} pixels: "
        msg += "this encoding needs an even width and height"
        raise ImageError(msg) from None


def image_from_compressed(message: Any, values: ValueRange | None = None) -> Image8:
    """Return the pixels of a `sensor_msgs/CompressedImage` (JPEG or PNG) as (H, W) grey or (H, W, 3) RGB.

    Args:
        message: of the camera.
        values: range of its values of more than 8 bits; by default that of this image.

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
        msg = f"compressed {name} of {len(data)} bytes is neither JPEG nor PNG, nor H.264 or H.265; "
        msg += "publish one of these"
        raise ImageError(msg)
    if not whole:
        msg = f"compressed {name} of {len(data)} bytes is cut off"
        raise ImageError(msg)
    try:
        return decode_image(data, values)
    except ImageError as error:
        msg = f"compressed {name} of {len(data)} bytes: {error}"
        raise ImageError(msg) from None


def _check_size(message: Any, row_bytes: int, rows: int) -> None:
    size = f"{message.encoding} image of {message.width}x{message.height} pixels"
    if message.step < row_bytes:
        msg = f"{size}: step is {message.step} bytes, a row needs {row_bytes}; check the camera driver"
        raise ImageError(msg)
    expected = message.step * rows
    if len(message.data) < expected:
        what = "height times step is" if rows == message.height else f"{rows} rows of all planes need"
        msg = f"{size}: {len(message.data)} bytes of data, {what} {expected}; check the driver"
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
