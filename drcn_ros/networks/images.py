# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What networks take as images, checked."""

from __future__ import annotations

import torch

from drcn_ros.errors import ImageError


def as_fractions(images: torch.Tensor, channels: int, network: str) -> torch.Tensor:
    """Return (B, channels, H, W) float32 images in [0, 1] of such images or of bytes.

    Bytes are converted where they are: a fourth of the numbers goes up to a GPU, and nothing has to come
    back, as they are finite.

    Args:
        images: float in [0, 1], or uint8.
        channels: that the network needs.
        network: what errors call it.

    Raises:
        ImageError: the shape is another, or a pixel is not finite.
    """
    if images.ndim != 4 or images.shape[1] != channels or images.shape[2] == 0 or images.shape[3] == 0:
        msg = f"images of shape {tuple(images.shape)}: {network} needs (B, {channels}, H, W)"
        raise ImageError(msg)
    if images.dtype == torch.uint8:
        return images.float() / 255
    if torch.compiler.is_compiling():
        # An exported graph cannot raise.
        return images
    bad = int((~torch.isfinite(images)).sum())
    if bad:
        msg = f"{bad} of {images.numel()} pixels are not finite; replace them before the network"
        raise ImageError(msg)
    return images
