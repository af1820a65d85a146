# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Image files to and from arrays, in memory: OpenCV is given no path, since some crash it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError, InputError
from drcn_ros.foreign.image_header import has_whole_chunks, image_size, orientation
from drcn_ros.foreign.value_range import ValueRange

Image8 = NDArray[np.uint8]

# Larger than any camera's image; a file of a few hundred kilobytes can unpack to more than a machine holds.
LARGEST_PIXELS = 150_000_000
_CHANNELS = (1, 3, 4)


def decode_image(data: bytes, values: ValueRange | None = None, upright: bool = False) -> Image8:
    """Return an image file as (H, W) grey or (H, W, 3) RGB; sixteen bits become eight.

    Args:
        data: of the file.
        values: range of the values of more than 8 bits; by default that of this image.
        upright: whether to turn the image as its file says (EXIF), or to take it as stored.

    Raises:
        ImageError: the bytes are no image, too large, or hold other numbers than 8 or 16 bits.
    """
    # Without IMREAD_UNCHANGED OpenCV turns the image, and leaves out its transparency.
    turning = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
    pixels = _decoded(data, turning if upright else cv2.IMREAD_UNCHANGED)
    if pixels.dtype == np.uint16:
        pixels = (values or ValueRange()).to_eight_bits(pixels)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if pixels.dtype != np.uint8 or channels not in _CHANNELS:
        msg = f"it holds {channels} channels of {pixels.dtype}; convert it to grey or RGB of 8 or 16 bits"
        raise ImageError(msg)
    if channels == 1:
        return pixels.reshape(pixels.shape[:2])
    code = cv2.COLOR_BGRA2RGB if channels == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def is_turned(data: bytes) -> bool:
    """Return whether an image file says (EXIF) that it is to be turned; one that cannot be read does not."""
    return orientation(data) != 1


def decode_grey(data: bytes) -> Image8:
    """Return an image file as (H, W) grey; errors are those of `decode_image`."""
    return np.asarray(_decoded(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def write_image(path: Path, image: Image8, jpeg_quality: int = 90) -> None:
    """Write (H, W) grey or (H, W, 3) RGB in the format of the path's suffix.

    Raises:
        InputError: the image cannot be encoded.
        OSError: the file cannot be written.
    """
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    is_jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    try:
        options = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality] if is_jpeg else []
        done, encoded = cv2.imencode(path.suffix, pixels, options)
    except cv2.error:
        done = False
    if not done:
        height, width = image.shape[:2]
        msg = f"picture {path}: {width}x{height} pixels cannot be encoded as {path.suffix}"
        raise InputError(msg)
    path.write_bytes(encoded.tobytes())


def _decoded(data: bytes, mode: int) -> NDArray[Any]:
    size = image_size(data)
    if size is not None and size[0] * size[1] > LARGEST_PIXELS:
        limit = LARGEST_PIXELS // 10**6
        msg = f"it has {size[0]}x{size[1]} pixels, at most {limit} million are unpacked"
        raise ImageError(msg)
    try:
        sound = len(data) > 0 and has_whole_chunks(data)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if sound else None
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from None
        pixels = None
    if pixels is None or pixels.size == 0:
        msg = "it is damaged or no image"
        raise ImageError(msg)
    return pixels
