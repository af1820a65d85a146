# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The interface that every matcher has: two calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.types import Features, Matches

FeaturesT = TypeVar("FeaturesT", bound=Features)


class Matcher(ABC, Generic[FeaturesT]):
    """Finds correspondences between two images; features are computed once per image.

    Attributes:
        config: what the matcher was made from. Its live parameters are read at each call, so replacing it
            by one that differs in these alone takes effect with the next image.
    """

    def __init__(self, config: MatcherConfig) -> None:
        self.config = config

    @property
    @abstractmethod
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""

    @abstractmethod
    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> FeaturesT:
        """Return the features of one image.

        Args:
            image: (H, W) grey or (H, W, 3) RGB, uint8.
            kept: (H, W), where keypoints may lie, or None for everywhere.

        Raises:
            ImageError: the array has another shape or type.
        """

    @abstractmethod
    def match(self, reference: FeaturesT, current: FeaturesT) -> Matches:
        """Return the correspondences of two images, best first; none is a result, not an error."""


def check_image(image: NDArray[np.uint8]) -> None:
    """Raise ImageError unless `image` is (H, W) or (H, W, 3) uint8 with at least one pixel."""
    right_shape = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not right_shape or image.size == 0:
        msg = f"image of shape {image.shape} and type {image.dtype}: need uint8 (H, W) or (H, W, 3)"
        raise ImageError(msg)


def to_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W) luminance of a grey or RGB image; a grey image is returned as it is."""
    if image.ndim == 2:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
