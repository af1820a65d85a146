# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images of more than 8 bits as 8 bits, by the range that their values use."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image8 = NDArray[np.uint8]

# So many pixels tell the range; all of them would cost more than the conversion.
_SAMPLES = 16384
# A few pixels are hot or dead and count for nothing, percent.
_IGNORED = 0.2
# What cameras deliver fills 8, 10, 12, 14 or 16 bits, floats 1 or 255. An image that uses less than this
# share of the smallest that holds it, as thermal cameras do, is spread by its own values instead.
_INTEGER_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_FLOAT_TOPS = (1.0, 255.0)
_FILLED = 0.25
# Room beside the values of the first image, by their span, and the least span, by the top of 16 bits or of
# a float: less is noise.
_ROOM = 0.25
_LEAST_SPAN = 64.0 / 65535.0
# The range is chosen anew when so many of an image's pixels lie outside it, or when so many images in a row
# use less than this share of it.
_OUTSIDE = 0.02
_UNUSED = 0.2
_PATIENCE = 30


class ValueRange:
    """The range of values of one camera's images, held steady from one to the next."""

    def __init__(self) -> None:
        self._kind: tuple[Any, ...] = ()
        self._low = self._high = 0.0
        self._too_wide = 0

    def to_eight_bits(self, image: NDArray[Any]) -> Image8:
        """Return an image of unsigned 16-bit integers or 32-bit floats as 8 bits; NaN becomes 0."""
        kind = image.dtype.kind, *image.shape
        low, high, sample = _extent(image)
        if kind != self._kind or self._unfit(low, high, sample):
            self._choose(low, high, image.dtype.kind == "f")
            self._kind = kind
            self._too_wide = 0
        scale = 255.0 / (self._high - self._low)
        if image.dtype.kind == "f":
            with np.errstate(all="ignore"):
                values = (image - np.float32(self._low)) * np.float32(scale)
                values[np.isnan(values)] = 0.0
                return np.asarray(np.rint(np.clip(values, 0.0, 255.0, out=values), out=values), np.uint8)
        if self._low == 0.0:
            return np.asarray(cv2.convertScaleAbs(image, alpha=scale), np.uint8)
        # OpenCV takes the absolute value, so what lies below the range is cut off first.
        raised = cv2.subtract(image, np.full(image.shape, round(self._low), np.uint16))
        return np.asarray(cv2.convertScaleAbs(raised, alpha=scale), np.uint8)

    def _unfit(self, low: float, high: float, sample: NDArray[Any]) -> bool:
        self._too_wide = self._too_wide + 1 if high - low < _UNUSED * (self._high - self._low) else 0
        outside = (sample < self._low) | (sample > self._high)
        return self._too_wide >= _PATIENCE or float(np.mean(outside)) > _OUTSIDE

    def _choose(self, low: float, high: float, is_float: bool) -> None:
        tops = _FLOAT_TOPS if is_float else _INTEGER_TOPS
        top = next((top for top in tops if high <= top), np.inf)
        if low >= 0.0 and high - low >= _FILLED * top:
            self._low, self._high = 0.0, top
            return
        least = _LEAST_SPAN * (max(abs(high), 1e-6) if is_float else tops[-1])
        room = _ROOM * (high - low) + 0.5 * max(0.0, least - (high - low))
        self._low, self._high = low - room, high + room
        if not is_float:
            self._low, self._high = max(0.0, np.floor(self._low)), min(tops[-1], np.ceil(self._high))


def _extent(image: NDArray[Any]) -> tuple[float, float, NDArray[Any]]:
    """Return the smallest and largest value that count, and the pixels from which they were taken."""
    step = max(1, int(np.sqrt(image.size / _SAMPLES)))
    sample = image[::step, ::step].ravel()
    if image.dtype.kind == "f":
        sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0, np.zeros(1)
    last = sample.size - 1
    places = round(last * _IGNORED / 100.0), round(last * (1.0 - _IGNORED / 100.0))
    ordered = np.partition(sample, places)
    return float(ordered[places[0]]), float(ordered[places[1]]), sample
