# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""SIFT and ORB of OpenCV behind the matcher interface: the yardsticks for the learned methods.

Both matchers score a pair by 1 - r^2, where r is the ratio of the distances to the nearest and to the
second nearest descriptor: 0 for an ambiguous pair, 1 for an unmistakable one.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.memory import Demand, MemoryGuard
from drcn_ros.matching.nearest import distance_ratio_squared, mutual_nearest
from drcn_ros.matching.types import Features, Matches

# Largest ratio of the nearest to the second nearest distance that counts as unambiguous.
RATIO = 0.85


class SiftMatcher(Matcher[Features]):
    """RootSIFT: SIFT compared by the Hellinger kernel, mutual nearest neighbours, ratio test."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        # The doubled image and its pyramid.
        self._guard = MemoryGuard(self.name, Demand(per_pixel=230.0), torch.device("cpu"))

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "sift"

    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Features:
        """Return the strongest SIFT keypoints of an image."""
        check_image(image)
        self._guard.check(image.shape[1], image.shape[0])
        # OpenCV applies a mask only after it has chosen the strongest.
        detector, offset = _create_sift(self.config.max_keypoints if kept is None else 0)
        keypoints, descriptors = detector.detectAndCompute(to_grey(image), _mask(kept))
        # OpenCV gives a point once per dominant orientation and then exceeds the count that was asked for.
        keep = _strongest(keypoints, self.config.max_keypoints)
        unit = torch.zeros(0, 128)
        if len(keep):
            unit = torch.from_numpy(np.asarray(descriptors, np.float32)[keep])
            unit = (unit / unit.sum(dim=1, keepdim=True).clamp(min=1e-9)).sqrt()
        return _features(image, keypoints, keep, unit, offset)

    def match(self, reference: Features, current: Features) -> Matches:
        """Return mutual nearest neighbours that pass the ratio test, least ambiguous first."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        pairs = mutual_nearest(reference.descriptors, current.descriptors, ratio=RATIO)
        scores = 1 - distance_ratio_squared(pairs)
        return Matches.of_pairs(reference, current, pairs, scores, self.config.min_score)


class OrbMatcher(Matcher[Features]):
    """ORB: binary descriptors, mutual nearest neighbours in the Hamming distance, ratio test."""

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "orb"

    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Features:
        """Return the strongest ORB keypoints of an image."""
        check_image(image)
        detector = cv2.ORB_create(  # type: ignore[attr-defined, unused-ignore]
            nfeatures=self.config.max_keypoints, fastThreshold=10
        )
        keypoints, descriptors = (), None
        # Of one row or column nothing is left at ORB's smallest scale, which OpenCV takes for an error.
        if min(image.shape[:2]) > 1:
            keypoints, descriptors = detector.detectAndCompute(to_grey(image), _mask(kept))
        keep = _strongest(keypoints, self.config.max_keypoints)
        unit = torch.zeros(0, 256)
        if len(keep):
            # As vectors of +-1/16 the 256 bits have unit length, and their cosine is 1 - Hamming / 128.
            bits = np.unpackbits(np.asarray(descriptors, np.uint8)[keep], axis=1)
            unit = torch.from_numpy(bits.astype(np.float32) * 2 - 1) / 16
        return _features(image, keypoints, keep, unit, 0.0)

    def match(self, reference: Features, current: Features) -> Matches:
        """Return mutual nearest neighbours that pass the ratio test, least ambiguous first."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        pairs = mutual_nearest(reference.descriptors, current.descriptors)
        # 1 - cosine is the Hamming distance itself here, so its ratio needs no root.
        ratio = distance_ratio_squared(pairs)
        fits = ratio < RATIO
        pairs, scores = pairs.select(fits), 1 - ratio[fits] ** 2
        return Matches.of_pairs(reference, current, pairs, scores, self.config.min_score)


def _mask(kept: NDArray[np.bool_] | None) -> NDArray[np.uint8] | None:
    return None if kept is None else kept.astype(np.uint8)


def _create_sift(count: int) -> tuple[cv2.SIFT, float]:
    """Return the detector and the offset in pixels to subtract from its points.

    Doubling the image without `enable_precise_upscale` moves all points by a quarter pixel.
    """
    create = cv2.SIFT_create  # type: ignore[attr-defined, unused-ignore]
    try:
        return create(nfeatures=count, enable_precise_upscale=True), 0.0
    except (TypeError, cv2.error):  # OpenCV before 4.8 has no such option.
        return create(nfeatures=count), 0.25


def _strongest(keypoints: Sequence[cv2.KeyPoint], count: int) -> NDArray[np.int64]:
    """Return the indices of the `count` strongest keypoints, strongest first."""
    responses = np.array([keypoint.response for keypoint in keypoints])
    return np.argsort(-responses, kind="stable")[:count].astype(np.int64)


def _features(
    image: NDArray[np.uint8],
    keypoints: Sequence[cv2.KeyPoint],
    keep: NDArray[np.int64],
    descriptors: torch.Tensor,
    offset: float,
) -> Features:
    rows = [(*keypoints[i].pt, keypoints[i].response, keypoints[i].size) for i in keep]
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return Features(
        size=(image.shape[1], image.shape[0]),
        points=table[:, :2] - offset,
        scores=table[:, 2],
        scales=table[:, 3],
        descriptors=descriptors,
    )
