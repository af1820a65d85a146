# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What an image lacks when nothing matches: light, contrast or sharpness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DARK, _BRIGHT = 12.0, 243.0
_CLIPPED_PART = 0.5
# Sharpness below this part of the last good frame's counts as blur.
_BLURRED_PART = 0.5


@dataclass(frozen=True)
class ImageQuality:
    """A few numbers of one image.

    Attributes:
        brightness: mean grey level.
        clipped: part of the pixels at either end of the range.
        sharpness: mean step between neighbours, over the standard deviation of the image.
    """

    brightness: float
    clipped: float
    sharpness: float

    @classmethod
    def of(cls, image: NDArray[np.uint8]) -> ImageQuality:
        """Return the quality of an image, (H, W) or (H, W, 3) uint8, judged by every eighth row."""
        rows = image[::8, :, 1] if image.ndim == 3 else image[::8]
        values = rows.astype(np.float32)
        steps = np.abs(np.diff(values, axis=1))
        return cls(
            brightness=float(values.mean()),
            clipped=float(((rows <= 2) | (rows >= 253)).mean()),
            sharpness=float(steps.mean() / (values.std() + 1.0)) if steps.size else 0.0,
        )

    def problem(self, good: ImageQuality | None) -> str:
        """Return what is wrong with the image in a few words, or an empty text.

        Args:
            good: quality of the last frame that could be used, if there is one.
        """
        if self.brightness < _DARK:
            return f"dark, mean grey level {self.brightness:.0f}"
        if self.brightness > _BRIGHT or self.clipped > _CLIPPED_PART:
            return f"badly exposed, {100 * self.clipped:.0f} % of the pixels at the limit"
        if good is not None and self.sharpness < _BLURRED_PART * good.sharpness:
            return f"blurred, {100 * self.sharpness / good.sharpness:.0f} % as sharp as the last good image"
        return ""
