# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`SoftDetection` of one image on the CPU, one channel after the other.

A channel stays in the processor's cache through all that is done to it, where operators over all channels
carry each intermediate result to memory and back.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from drcn_ros.networks.detection import LARGEST_EXPONENT, LEAST_FEATURE, SoftDetection

_ONES = np.ones(3, np.float32)


def detect_channelwise(detector: SoftDetection, features: torch.Tensor) -> torch.Tensor:
    """Return (h, w) scores in [0, 1], what the detector gives for these features to within rounding.

    Args:
        detector: gives the sharpness.
        features: (C, h, w) float32 on the CPU, each channel contiguous; without gradients.
    """
    positive = features.relu()
    sharpness = detector.sharpness.item()
    factor = np.float32(sharpness / (positive.max().item() + LEAST_FEATURE))
    channels = positive.numpy()
    weight, around, score, strongest = (np.zeros(channels.shape[1:], np.float32) for _ in range(4))
    for channel in channels:
        np.multiply(channel, factor, out=weight)
        if sharpness > LARGEST_EXPONENT:
            np.minimum(weight, np.float32(LARGEST_EXPONENT), out=weight)
        cv2.exp(weight, weight)
        # Not a box filter, whose running sums forget what is small beside something large.
        cv2.sepFilter2D(weight, -1, _ONES, _ONES, around, borderType=cv2.BORDER_REPLICATE)
        np.multiply(weight, channel, out=weight)
        np.divide(weight, around, out=weight)
        np.maximum(score, weight, out=score)
        np.maximum(strongest, channel, out=strongest)
    strongest += np.float32(LEAST_FEATURE)
    score /= strongest
    return torch.from_numpy(score)
