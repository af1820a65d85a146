# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoints of an image on the compact network's detail map."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.matching.channelwise_detection import detect_channelwise
from drcn_ros.matching.device import upload
from drcn_ros.networks.compact import CompactMaps, CompactNetwork
from drcn_ros.networks.detection import SoftDetection, strongest_maxima

# The network normalises each image, so it finds structure in rounding where the image has none.
LEAST_CONTRAST = 3
CONTRAST_SIDE = 9


def detect_keypoints(
    network: CompactNetwork,
    maps: CompactMaps,
    grey: NDArray[np.uint8],
    count: int,
    kept: NDArray[np.bool_] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N, 2) pixels and (N,) scores of the strongest keypoints of one image, strongest first.

    Beside a CPU they are filled up with points of score 0, see `strongest_maxima`.

    Args:
        network: what made the maps.
        maps: of a batch of one.
        grey: (H, W), the image.
        count: most keypoints returned.
        kept: (H, W), where they may lie, or None for everywhere.
    """
    scores = _scores(network.detector, maps.detail.values)
    stride, (height, width) = maps.detail.stride, scores.shape
    usable = _has_contrast(grey) if kept is None else _has_contrast(grey) & kept
    usable = usable[::stride, ::stride][:height, :width]
    scores = scores * upload(usable, scores.device)
    cells, values = strongest_maxima(scores, count)
    return maps.detail.pixels(cells), values


def inside(kept: NDArray[np.bool_], points: torch.Tensor) -> torch.Tensor:
    """Return which points (N, 2), pixels, lie where `kept` (H, W) is true, (N,)."""
    height, width = kept.shape
    x, y = points.round().long().T
    return upload(kept, points.device)[y.clamp(0, height - 1), x.clamp(0, width - 1)]


def _scores(detector: SoftDetection, features: torch.Tensor) -> torch.Tensor:
    """Return the (h, w) detection scores of (1, C, h, w) features."""
    if features.device.type == "cpu":
        return detect_channelwise(detector, features[0])
    scores: torch.Tensor = detector(features)
    return scores[0, 0]


def _has_contrast(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return (H, W), true where the surrounding pixels differ by more than rounding does."""
    square = np.ones((CONTRAST_SIDE, CONTRAST_SIDE), np.uint8)
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, square) >= LEAST_CONTRAST)
