# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Large images are reduced before matching: the coarse level's time grows with the square of the pixels."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.matching.base import Matcher, check_image
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.types import Features, Keypoints, Matches


@dataclass(frozen=True)
class ReducedFeatures(Features):
    """Features of a reduced image, their places in pixels of the image as received.

    Attributes:
        inner: the same in pixels of the reduced image.
        factors: (across, down), size of the reduced image over that of the image as received.
    """

    inner: Features
    factors: tuple[float, float]

    @cached_property
    def on_host(self) -> Keypoints:
        """See `Features.on_host`; on a GPU those of the reduced image are asked for, which a match knows."""
        if self.points.device.type == "cpu":
            return super().on_host
        reduced = self.inner.on_host
        factors = np.array(self.factors, np.float32)
        return replace(
            reduced,
            points=(reduced.points + np.float32(0.5)) / factors - np.float32(0.5),
            scales=reduced.scales / np.float32(max(self.factors)),
        )

    @property
    def pixel(self) -> float:
        """Side of a pixel of the image that matches are refined on, the longer one; see `Features.pixel`."""
        return self.inner.pixel / min(self.factors)

    @property
    def matchable(self) -> bool:
        """Whether those of the reduced image are, see `Features.matchable`."""
        return self.inner.matchable

    def for_search(self) -> Features:
        """Return what `find_points` needs, see `Features.for_search`."""
        return replace(self, descriptors=None, inner=self.inner.for_search())

    def moved(self, rows: NDArray[np.int64], points: NDArray[np.float32]) -> Features:
        """Return features some keypoints of which lie elsewhere, see `Features.moved`."""
        return _told(self.inner.moved(rows, shrunk(points, self.factors)), self.size, self.factors)


class SizeLimit(Matcher[Features]):
    """Another matcher, on images whose longer side is at most `config.max_image_size`.

    Matches are refined on the reduced images, and then once more on images at most twice as large.

    Args:
        inner: the other matcher.
    """

    def __init__(self, inner: Matcher[Any]) -> None:
        self._inner = inner

    @property
    def config(self) -> MatcherConfig:
        """Configuration of the other matcher."""
        return self._inner.config

    @config.setter
    def config(self, config: MatcherConfig) -> None:
        # A frame in flight keeps the matcher with the configuration that it was prepared with.
        self._inner = copy(self._inner)
        self._inner.config = config

    @property
    def name(self) -> str:
        """Name of the other matcher."""
        return self._inner.name

    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Features:
        """Return the features of an image in its own pixels.

        Args:
            image: (H, W) grey or (H, W, 3) RGB, uint8.
            kept: (H, W), where keypoints may lie, or None for everywhere.

        Raises:
            ImageError: the array has another shape or type.
        """
        check_image(image)
        height, width = image.shape[:2]
        factor = self.config.max_image_size / max(height, width)
        if self.config.max_image_size == 0 or factor >= 1.0:
            features: Features = self._inner.extract(image, kept)
            return features
        size = max(round(factor * width), 1), max(round(factor * height), 1)
        reduced = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        if kept is not None:
            kept = cv2.resize(kept.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        found: Features = self._inner.extract(reduced, kept)
        if self.config.refine:
            from drcn_ros.matching.detail import with_detail

            found = with_detail(found, image)
        return _told(found, (width, height), (size[0] / width, size[1] / height))

    def with_queries(
        self, features: Features, points: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> Features:
        """Return features with other points to follow, for a matcher that can follow any.

        Args:
            features: of an image.
            points: (N, 2) float32, pixels of the image as received.
            scores: (N,) float32.
        """
        follow: Any = self._inner
        if not isinstance(features, ReducedFeatures):
            queries: Features = follow.with_queries(features, points, scores)
            return queries
        reduced = shrunk(points, features.factors)
        return _told(follow.with_queries(features.inner, reduced, scores), features.size, features.factors)

    def match(self, reference: Features, current: Features) -> Matches:
        """Return the correspondences of two images in their own pixels, best first."""
        return _matches_enlarged(
            self._inner.match(as_matched(reference), as_matched(current)), reference, current
        )


def _matches_enlarged(matches: Matches, reference: Features, current: Features) -> Matches:
    narrow, more = matches.narrow_points, matches.imprecise
    return replace(
        matches,
        reference_points=enlarged(matches.reference_points, reference),
        current_points=enlarged(matches.current_points, current),
        narrow_points=None if narrow is None else enlarged(narrow, current),
        imprecise=None if more is None else _matches_enlarged(more, reference, current),
    )


def _told(inner: Features, size: tuple[int, int], factors: tuple[float, float]) -> ReducedFeatures:
    """Return features of a reduced image in pixels of the image of `size` that it was made of."""
    points = inner.points.clone()
    for axis in (0, 1):
        points[:, axis] = (points[:, axis] + 0.5) / factors[axis] - 0.5
    scales = inner.scales / max(factors)
    return ReducedFeatures(
        size, points, inner.scores, scales, inner.descriptors, inner, factors, real=inner.real
    )


def as_matched(features: Features) -> Features:
    """Return features in pixels of the image that was matched."""
    return features.inner if isinstance(features, ReducedFeatures) else features


def shrunk(points: NDArray[np.float32], factors: tuple[float, float]) -> NDArray[np.float32]:
    """Return pixels (N, 2) of an image as received in those of the reduced one."""
    shrunk: NDArray[np.float32] = ((points + 0.5) * np.array(factors) - 0.5).astype(np.float32)
    return shrunk


def enlarged(points: NDArray[np.float32], features: Features) -> NDArray[np.float32]:
    """Return pixels (N, 2) of the image that was matched in those of the image as received."""
    if not isinstance(features, ReducedFeatures):
        return points
    enlarged: NDArray[np.float32] = (
        (points + np.float32(0.5)) / np.array(features.factors, np.float32) - np.float32(0.5)
    ).astype(np.float32)
    return enlarged
