# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What light, lens and sensor do to images as in `degradations`, a whole batch at a time on a device.

The noise is a function of the pixel's number and a seed, so that every device makes the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import conv2d, interpolate, pad

from drcn_ros.training.batched_views import column, pixel_grid, upload
from drcn_ros.training.config import DegradationConfig
from drcn_ros.training.degradations import LEAST_GAIN, MOTION_REACH, SHADED, SHADOWED

# ITU-T T.81, table K.1: steps of the coefficients of an 8x8 block of luminance at quality 50.
_STEPS = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_BLOCK = 8
_WORD = 0xFFFFFFFF


def degrade_batch(
    images: torch.Tensor, hard: torch.Tensor, random: np.random.Generator, config: DegradationConfig
) -> torch.Tensor:
    """Return degraded copies of images.

    Args:
        images: (2 B, 1, S, S) in [0, 1], the first images of all pairs, then the second ones; S is a
            multiple of 8.
        hard: (B,) bool, pairs with strong changes, on the device.
        random: source of all that is random.
        config: how often each change happens.

    Returns:
        (2 B, 1, S, S) in [0, 1], of 256 levels.
    """
    strength = torch.where(torch.cat([hard, hard]), 1.0, 0.5)[:, None, None, None]
    count, device = len(images), images.device
    images = _lighting(images, strength, random, config)
    images = _blur(images, random, config)
    wrong = random.random(count) < config.exposure
    gains = random.uniform(np.log(LEAST_GAIN), np.log(config.strongest_gain), count)
    images = (images * column(np.where(wrong, np.exp(gains), 1.0), device)).clamp(0, 1)
    noisy = random.random(count) < config.noise
    deviation = np.where(noisy, random.uniform(0.003, 0.04, count), 0.0)
    spread = column(deviation, device) * strength * (0.3 + 0.7 * images).sqrt()
    images = images + spread * normal(images.shape, int(random.integers(2**32)), device)
    images = (images.clamp(0, 1) * 255).round()
    chosen = np.flatnonzero(random.random(count) < config.jpeg)
    rows = upload(chosen, device)
    images[rows] = _quantised(images[rows], random.integers(30, 90, len(chosen)))
    return images / 255


def normal(shape: torch.Size, seed: int, device: torch.device) -> torch.Tensor:
    """Return normally distributed numbers, a function of the seed alone (Box and Muller, 1958)."""
    number = torch.arange(shape.numel(), device=device)
    first, second = ((_mixed((2 * number + k) ^ _mix(seed)) + 0.5) / (_WORD + 1.0) for k in (0, 1))
    made = (-2 * first.log()).sqrt() * (2 * torch.pi * second).cos()
    return made.float().view(shape)


def _mix(seed: int) -> int:
    return (seed * 0x9E3779B1 + 0x85EBCA77) & _WORD


def _mixed(words: torch.Tensor) -> torch.Tensor:
    """Return words of 32 bits, each bit of which depends on all of those given, as doubles."""
    for factor, shift in ((0x7FEB352D, 15), (0x846CA68B, 16)):
        words = words ^ (words >> 16)
        words = (words * factor) & _WORD
        words = words ^ (words >> shift)
    return words.double()


def _lighting(
    images: torch.Tensor, strength: torch.Tensor, random: np.random.Generator, config: DegradationConfig
) -> torch.Tensor:
    """Change gamma, contrast and brightness, cast shadows."""
    count, size, device = len(images), images.shape[-1], images.device
    changed = random.random(count) < config.lighting
    gamma, contrast = (
        (column(random.uniform(low, high, count) * changed, device) * strength).exp()
        for low, high in ((-0.4, 0.4), (-0.5, 0.3))
    )
    offset = column(random.uniform(-0.15, 0.15, count) * changed, device)
    images = (images.clamp(1e-4, 1) ** gamma - 0.5) * contrast + 0.5 + offset
    shaded = (random.random(count) < SHADED * config.lighting)[:, None, None, None]
    field = upload(np.where(shaded, random.uniform(0.5, 1.5, (count, 1, 3, 3)), 1.0), device)
    images = images * interpolate(field, size=(size, size), mode="bicubic", align_corners=False)
    # A shadow or highlight is a rectangle with soft edges, anyhow turned.
    amount = random.uniform(-0.6, 0.5, count) * (random.random(count) < SHADOWED * config.lighting)
    angle = random.uniform(0, np.pi, count)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 2, 2)
    centre = upload(random.uniform(0, size, (count, 2)), device)[:, None, None]
    reach = upload(size * random.uniform(0.05, 0.5, (count, 2)), device)[:, None, None]
    edge = upload(random.uniform(0.5, 6, count), device)[:, None, None, None]
    turned = torch.einsum("nyxk,njk->nyxj", pixel_grid(size, device) - centre, upload(turn, device))
    mask = ((reach - turned.abs()) / edge).sigmoid().prod(dim=-1)[:, None]
    return images * (1 + column(amount, device) * mask)


def _blur(images: torch.Tensor, random: np.random.Generator, config: DegradationConfig) -> torch.Tensor:
    """Blur some images by focus or motion; both images of a pair often alike, as a camera does."""
    count, device = len(images), images.device
    # Blurred or not, deviation, focus or motion, length and direction of the motion.
    blurred, spread, kind, length, angle = random.random((5, count))
    deviation = 0.3 + (config.strongest_blur - 0.3) * spread**2
    length = 1 + MOTION_REACH * deviation * length
    table = np.stack([blurred < config.blur, deviation, kind < 0.5, length, np.pi * angle])
    same = random.random(count // 2) < config.same_blur
    table[:, count // 2 :][:, same] = table[:, : count // 2][:, same]
    rows = np.flatnonzero(table[0])
    if len(rows) == 0:
        return images
    _, deviation, focus, length, angle = table[:, rows]
    reach = max(1, int(np.ceil(np.where(focus, 2.5 * deviation, length / 2 + 1).max())))
    line = torch.arange(-reach, reach + 1, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(line, line, indexing="ij")
    sine, cosine = (upload(part, device)[:, None, None] for part in (np.sin(angle), np.cos(angle)))
    half, sigma = (upload(part, device)[:, None, None] for part in (length / 2, deviation))
    # A pixel counts as far as it lies on the line along which the image moves.
    beyond = ((x * cosine + y * sine).abs() - half).clamp(min=0)
    moved = (1 - (beyond.square() + (y * cosine - x * sine).square()).sqrt()).clamp(min=0)
    blurs = torch.where(
        upload(focus > 0, device)[:, None, None], (-0.5 * (x * x + y * y) / sigma**2).exp(), moved
    )
    blurs = blurs / blurs.sum(dim=(1, 2), keepdim=True)
    chosen = upload(rows, device)
    padded = pad(images[chosen].transpose(0, 1), [reach] * 4, mode="reflect")
    result = images.clone()
    result[chosen] = conv2d(padded, blurs[:, None], groups=len(rows)).transpose(0, 1)
    return result


def _quantised(images: torch.Tensor, qualities: NDArray[np.int64]) -> torch.Tensor:
    """Return images (N, 1, S, S), 0 to 255, as JPEG gives them back at qualities (N,)."""
    scale = np.where(qualities < 50, 5000 / qualities, 200 - 2 * qualities)
    steps = np.floor((np.array(_STEPS).reshape(_BLOCK, _BLOCK) * scale[:, None, None] + 50) / 100).clip(
        1, 255
    )
    table = upload(steps, images.device)[:, None, None]
    cosines = _cosines(images.device)
    split = images.shape[-1] // _BLOCK
    blocks = images.view(-1, split, _BLOCK, split, _BLOCK).transpose(2, 3) - 128
    coefficients = cosines @ blocks @ cosines.T
    blocks = cosines.T @ ((coefficients / table).round() * table) @ cosines + 128
    quantised: torch.Tensor = blocks.transpose(2, 3).reshape(images.shape).clamp(0, 255).round()
    return quantised


@cache
def _cosines(device: torch.device) -> torch.Tensor:
    """Return the (8, 8) orthonormal discrete cosine transform."""
    place = torch.arange(_BLOCK, dtype=torch.float64)
    table = ((2 * place + 1) * place[:, None] * torch.pi / (2 * _BLOCK)).cos() / (_BLOCK / 2) ** 0.5
    table[0] /= 2**0.5
    cosines: torch.Tensor = table.float().to(device)
    return cosines
