# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The smoothing of an image that patches with spaces between their samples need."""

from __future__ import annotations

import cv2
import torch
from torch.nn.functional import pad

# Standard deviation in pixels, for the step between samples.
_SMOOTHING = 1.2
# How far it reaches, pixels.
_REACH = 3


def smooth(image: torch.Tensor) -> torch.Tensor:
    """Return the (H, W) image in the smoothed form that patches are made of."""
    if image.device.type != "cpu":
        return smooth_by_shifts(image)
    side = 2 * _REACH + 1
    smoothed = cv2.GaussianBlur(image.numpy(), (side, side), _SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    return torch.from_numpy(smoothed)


def smooth_by_shifts(image: torch.Tensor) -> torch.Tensor:
    """Return the same on any device: sums of shifted images, cheaper than a convolution of one channel."""
    steps = torch.arange(-_REACH, _REACH + 1.0)
    shares = torch.exp(-steps.square() / (2 * _SMOOTHING**2))
    shares = shares / shares.sum()
    for axis, reach in enumerate(((0, 0, _REACH, _REACH), (_REACH, _REACH, 0, 0))):
        padded = pad(image[None, None], reach, mode="replicate")[0, 0]
        length = image.shape[axis]
        image = torch.zeros_like(image)
        for shift, share in enumerate(shares.tolist()):
            image.add_(padded.narrow(axis, shift, length), alpha=share)
    return image
