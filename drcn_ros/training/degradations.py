# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What light, lens and sensor do to an image; no operation moves its content."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import conv2d, interpolate, pad

from drcn_ros.training.config import DegradationConfig

Kernel = NDArray[np.float32]

# Motion reaches this many times the deviation of a focus blur.
MOTION_REACH = 5.0
_SUBSTEPS = 8
LEAST_GAIN = 0.12
# Of the images in changed light, the shares with uneven light and with a shadow or highlight.
SHADED, SHADOWED = 0.375, 0.3125


def degrade(
    images: torch.Tensor, hard: NDArray[np.bool_], random: np.random.Generator, config: DegradationConfig
) -> torch.Tensor:
    """Return degraded copies of images.

    Args:
        images: (2 B, 1, H, W) in [0, 1], the first images of all pairs, then the second ones.
        hard: (B,) bool, pairs with strong changes.
        random: source of all that is random.
        config: how often each change happens.

    Returns:
        (2 B, 1, H, W) in [0, 1], of 256 levels.
    """
    strength = np.where(np.concatenate([hard, hard]), 1.0, 0.5)
    count = len(images)
    images = _lighting(images, strength, random, config)
    images = _blur(images, random, config)
    wrong = random.random(count) < config.exposure
    gains = random.uniform(np.log(LEAST_GAIN), np.log(config.strongest_gain), count)
    gain = np.where(wrong, np.exp(gains), 1.0)
    images = images * _column(gain, images)
    noisy = random.random(count) < config.noise
    deviation = np.where(noisy, random.uniform(0.003, 0.04, count) * strength, 0.0)
    images = images.clamp(0, 1)
    # The variance of shot noise grows with the light, that of reading the sensor does not.
    spread = _column(deviation, images) * (0.3 + 0.7 * images).sqrt()
    images = images + spread * _normal(images, random)
    images = (images.clamp(0, 1) * 255).round()
    for index in np.flatnonzero(random.random(count) < config.jpeg):
        images[index, 0] = _jpeg(images[index, 0], int(random.integers(30, 90)))
    return images / 255


def _lighting(
    images: torch.Tensor,
    strength: NDArray[np.float64],
    random: np.random.Generator,
    config: DegradationConfig,
) -> torch.Tensor:
    """Change gamma, contrast and brightness, cast shadows."""
    count, _, height, width = images.shape
    changed = random.random(count) < config.lighting
    gamma = np.exp(np.where(changed, random.uniform(-0.4, 0.4, count) * strength, 0))
    contrast = np.exp(np.where(changed, random.uniform(-0.5, 0.3, count) * strength, 0))
    offset = np.where(changed, random.uniform(-0.15, 0.15, count), 0)
    images = images.clamp(1e-4, 1) ** _column(gamma, images)
    images = (images - 0.5) * _column(contrast, images) + 0.5 + _column(offset, images)
    shading = np.ones((count, 1, 3, 3), np.float32)
    shaded = random.random(count) < SHADED * config.lighting
    shading[shaded] = random.uniform(0.5, 1.5, (int(shaded.sum()), 1, 3, 3))
    field = torch.from_numpy(shading).to(images.device)
    images = images * interpolate(field, size=(height, width), mode="bicubic", align_corners=False)
    for index in np.flatnonzero(random.random(count) < SHADOWED * config.lighting):
        outline = (random.random((4, 2)) * [width, height]).astype(np.int32)
        mask = cv2.fillPoly(np.zeros((height, width), np.float32), [outline], 1.0)
        mask = cv2.GaussianBlur(mask, (0, 0), random.uniform(0.5, 6))
        shadow = torch.from_numpy(np.asarray(mask * random.uniform(-0.6, 0.5), np.float32))
        images[index, 0] = images[index, 0] * (1 + shadow.to(images.device))
    return images


def _blur(images: torch.Tensor, random: np.random.Generator, config: DegradationConfig) -> torch.Tensor:
    """Blur some images by focus or motion; both images of a pair often alike, as a camera does."""
    pairs = len(images) // 2
    first = [_random_kernel(random, config) for _ in range(pairs)]
    second = [_random_kernel(random, config) for _ in range(pairs)]
    same = random.random(pairs) < config.same_blur
    kernels = first + [a if alike else b for a, b, alike in zip(first, second, same, strict=True)]
    side = max(kernel.shape[0] for kernel in kernels)
    if side == 1:
        return images
    bank = np.zeros((len(images), 1, side, side), np.float32)
    for slot, kernel in zip(bank[:, 0], kernels, strict=True):
        margin = (side - kernel.shape[0]) // 2
        slot[margin : side - margin, margin : side - margin] = kernel
    weights = torch.from_numpy(bank).to(images.device)
    padded = pad(images.transpose(0, 1), [side // 2] * 4, mode="reflect")
    return conv2d(padded, weights, groups=len(images)).transpose(0, 1)


def _random_kernel(random: np.random.Generator, config: DegradationConfig) -> Kernel:
    if random.random() >= config.blur:
        return np.ones((1, 1), np.float32)
    # Small blurs are the more frequent ones.
    deviation = 0.3 + (config.strongest_blur - 0.3) * random.random() ** 2
    if random.random() < 0.5:
        return focus_kernel(deviation)
    return motion_kernel(1 + MOTION_REACH * deviation * random.random(), random.uniform(0, np.pi))


def focus_kernel(deviation: float) -> Kernel:
    """Return a Gaussian of the given deviation in pixels."""
    reach = max(1, int(np.ceil(2.5 * deviation)))
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel = np.outer(line, line)
    return np.asarray(kernel / kernel.sum(), np.float32)


def motion_kernel(length: float, angle: float) -> Kernel:
    """Return a straight line of `length` pixels whose centre of mass is the kernel's centre."""
    reach = int(np.ceil(length / 2)) + 1
    places = np.linspace(-length / 2, length / 2, max(3, int(length * _SUBSTEPS)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    x, y = reach + places * np.cos(angle), reach + places * np.sin(angle)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = x - left, y - top
    np.add.at(kernel, (top, left), (1 - bottom) * (1 - right))
    np.add.at(kernel, (top, left + 1), (1 - bottom) * right)
    np.add.at(kernel, (top + 1, left), bottom * (1 - right))
    np.add.at(kernel, (top + 1, left + 1), bottom * right)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _jpeg(image: torch.Tensor, quality: int) -> torch.Tensor:
    pixels = image.to(torch.uint8).cpu().numpy()
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
    return torch.from_numpy(decoded).to(image)


def _normal(images: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    generator = torch.Generator(images.device)
    generator.manual_seed(int(random.integers(2**62)))
    return torch.randn(images.shape, generator=generator, device=images.device)


def _column(values: NDArray[np.float64], images: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(images.device)[:, None, None, None]
