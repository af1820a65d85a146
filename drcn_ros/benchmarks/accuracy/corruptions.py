# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Copies of images as a camera would have taken them in bad conditions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ConfigurationError

Image = NDArray[np.uint8]

CORRUPTIONS = ("dark", "blur", "overexposed")

# A quarter of the light, with the noise of a sensor that reads so little.
_DARK_GAIN, _DARK_NOISE = 0.25, 1.5
# Deviation of the blur, pixels.
_BLUR = 2.0
_OVEREXPOSED_GAIN = 2.5


def corrupt(image: Image, kind: str, seed: int) -> Image:
    """Return a corrupted copy of a grey or RGB image.

    Args:
        image: (H, W) or (H, W, 3) uint8.
        kind: one of `CORRUPTIONS`, or empty for the image as it is.
        seed: of the noise.

    Raises:
        ConfigurationError: the kind is unknown.
    """
    if not kind:
        return image
    if kind == "dark":
        noise = np.random.default_rng(seed).normal(0, _DARK_NOISE, image.shape)
        return _to_bytes(image * np.float64(_DARK_GAIN) + noise)
    if kind == "blur":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), _BLUR), np.uint8)
    if kind == "overexposed":
        return _to_bytes(image * _OVEREXPOSED_GAIN)
    msg = f"corruption {kind!r} is unknown; known are {', '.join(CORRUPTIONS)}"
    raise ConfigurationError(msg)


def _to_bytes(values: NDArray[np.floating[Any]]) -> Image:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
