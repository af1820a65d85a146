# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a large image that was reduced before it was matched, so that matches are refined on it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.matching.base import to_grey
from drcn_ros.matching.device import upload
from drcn_ros.matching.patches import ImageFeatures
from drcn_ros.matching.smoothing import smooth
from drcn_ros.matching.types import Features

# At most this many times as wide as the image that was matched: in larger ones patches show too little of the
# scene, and memory and time stay bounded. Below the least ratio it is not worth its time.
LARGEST_RATIO = 2
LEAST_RATIO = 1.25


def with_detail(features: Features, image: NDArray[np.uint8]) -> Features:
    """Return features that keep what refinement gains by; those of matchers that do not refine as they are.

    Args:
        features: of the reduced image.
        image: (H, W) grey or (H, W, 3) RGB, uint8, from which it was reduced.
    """
    height, width = image.shape[:2]
    ratio = max(width, height) / max(features.size)
    if not isinstance(features, ImageFeatures) or ratio < LEAST_RATIO:
        return features
    grey = to_grey(image)
    if ratio > LARGEST_RATIO:
        size = (min(width, LARGEST_RATIO * features.size[0]), min(height, LARGEST_RATIO * features.size[1]))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Keyframes keep it: in half precision it is exact to a tenth of a grey level.
    return replace(features, detail=smooth(upload(grey, features.image.device).float().div_(255)).half())
