# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which pixels of every image count, as the user says: a picture, or polygons around what does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ConfigurationError, ImageError, InputError
from drcn_ros.foreign.images import decode_grey
from drcn_ros.foreign.reading import is_file, read_bytes

_FORM = "write x,y of three or more corners as parts of the image's width and height, 0,0.7 1,0.7 1,1 0,1"


@dataclass(frozen=True)
class ImageMask:
    """A mask for images of any size.

    Attributes:
        picture: (H, W) uint8, 0 where pixels are left out, or None.
        polygons: (K, 2) corners of what is left out, as parts of the width and the height.
    """

    picture: NDArray[np.uint8] | None = None
    polygons: tuple[NDArray[np.float64], ...] = ()

    def kept(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which pixels (H, W) of an image of (width, height) count.

        Raises:
            ImageError: the picture has another shape than the image.
        """
        width, height = size
        kept = np.ones((height, width), np.uint8)
        for polygon in self.polygons:
            cv2.fillPoly(kept, [np.round(polygon * size - 0.5).astype(np.int32)], 0)
        if self.picture is not None:
            tall, wide = self.picture.shape
            if abs(wide * height - tall * width) > max(wide, tall, width, height):
                msg = f"the mask is {wide}x{tall} pixels, the image {width}x{height}: "
                raise ImageError(msg + "make the mask from one of these images")
            kept &= cv2.resize(self.picture, size, interpolation=cv2.INTER_NEAREST) > 0
        return kept.astype(bool)


def read_mask(text: str) -> ImageMask | None:
    """Return the mask that a parameter's value means, None for an empty one.

    Args:
        text: path of a picture that is black where pixels are left out; or polygons around those, each
            "x,y x,y x,y" with parts of the image's width and height, separated by semicolons.

    Raises:
        ConfigurationError: it is neither.
    """
    text = text.strip()
    if not text:
        return None
    if "," not in text or is_file(text):
        return ImageMask(picture=_picture(Path(text)))
    return ImageMask(polygons=tuple(_polygon(part) for part in text.split(";") if part.strip()))


def _picture(path: Path) -> NDArray[np.uint8]:
    try:
        return decode_grey(read_bytes(path))
    except OSError as error:
        msg = f"parameter mask: {path}: {error.strerror}; give a picture, or a polygon: {_FORM}"
        raise ConfigurationError(msg) from None
    except (ImageError, InputError):
        msg = f"parameter mask: {path} is no picture; give a PNG that is black where pixels are left out"
        raise ConfigurationError(msg) from None


def _polygon(text: str) -> NDArray[np.float64]:
    try:
        corners = np.array([[float(number) for number in pair.split(",")] for pair in text.split()])
    except ValueError:
        corners = np.zeros(0)
    if corners.ndim != 2 or corners.shape[1:] != (2,) or len(corners) < 3:
        msg = f"parameter mask: {text.strip()!r} is neither a file nor a polygon; {_FORM}"
        raise ConfigurationError(msg)
    if not ((corners >= 0.0) & (corners <= 1.0)).all():
        msg = f"parameter mask: {text.strip()!r} goes beyond 0 to 1; {_FORM}"
        raise ConfigurationError(msg)
    return corners
