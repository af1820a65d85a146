# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame's image alone tells, before the frame is compared with earlier ones.

It needs nothing of the frames before, so it can be had while the last one is still being placed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.matching.base import Matcher, check_image
from drcn_ros.matching.types import Features, Keypoints
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.odometry.image_quality import ImageQuality
from drcn_ros.odometry.mask import ImageMask
from drcn_ros.odometry.types import Frame


@dataclass(frozen=True)
class PreparedFrame:
    """A frame with its features.

    Attributes:
        stamp_ns: time of exposure.
        config, matcher: that hold for this frame.
        kept: (H, W), the pixels that count, or None for all.
        features, quality: of the image, or None where `problem` says why there are none.
        keypoints: of the features, on the host.
        problem: what is wrong with the image, or an empty text.
        seconds: wall time that it took.
    """

    stamp_ns: int
    config: OdometryConfig
    matcher: Matcher[Any]
    features: Features | None
    quality: ImageQuality | None
    keypoints: Keypoints
    problem: str
    seconds: float
    kept: NDArray[np.bool_] | None = None


def prepare(
    frame: Frame,
    config: OdometryConfig,
    matcher: Matcher[Any],
    with_descriptors: bool,
    mask: ImageMask | None = None,
) -> PreparedFrame:
    """Return a frame with its features, on demand with descriptors. No content of an image raises.

    Args:
        frame: with its image.
        config, matcher: that hold for it.
        with_descriptors: whether the keypoints carry theirs.
        mask: tells which pixels count, or None for all.
    """
    begin = time.perf_counter()
    features, quality, kept, problem = None, None, None, ""
    try:
        if mask is None:
            features = matcher.extract(frame.image)
        else:
            check_image(frame.image)
            kept = mask.kept((frame.image.shape[1], frame.image.shape[0]))
            features = matcher.extract(frame.image, kept)
    except ImageError as error:
        problem = str(error)
        empty = np.zeros(0, np.float32)
        keypoints = Keypoints(np.zeros((0, 2), np.float32), empty, empty)
    else:
        keypoints = features.keypoints(with_descriptors)
        quality = ImageQuality.of(frame.image)
    seconds = time.perf_counter() - begin
    return PreparedFrame(
        frame.stamp_ns, config, matcher, features, quality, keypoints, problem, seconds, kept
    )
