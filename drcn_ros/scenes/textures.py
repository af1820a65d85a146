# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Textures of walls and furniture: large surfaces that nowhere repeat, with pictures hung on them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.scenes.photographs import Image, photograph

FloatImage = NDArray[np.float32]


def plaster(
    width: int,
    height: int,
    *,
    photo: str,
    tint: tuple[float, float, float],
    seed: int,
    contrast: float = 0.6,
    grain: float = 1.0,
) -> Image:
    """Return a (height, width, 3) surface made of a photograph of a material, without repetition.

    Two randomly placed copies of the photograph take turns under a smooth mask, and a slow stain
    lies over them, so that no two places look the same; a repeated wallpaper would be ambiguous.

    Args:
        photo: name of a photograph of a material.
        tint: mean colour, RGB, 0 to 255.
        seed: chooses the placement.
        contrast: standard deviation against that of the photograph.
        grain: size of the material's detail, texels per pixel of the photograph.
    """
    random = np.random.default_rng(seed)
    material = _material(photo)
    first, second = (_placed(material, width, height, grain, random) for _ in range(2))
    share = 1 / (1 + np.exp(5.0 * _noise(width, height, 160, random)))
    grey = cv2.blendLinear(first, second, *(_stretched(part, width, height) for part in (share, 1 - share)))
    stain = _stretched(255.0 * (1.0 + 0.10 * _noise(width, height, 220, random)), width, height)
    light = np.maximum(cv2.scaleAdd(grey, 1.4 * contrast, stain), 0.0)
    return np.asarray(cv2.merge([cv2.convertScaleAbs(light, alpha=part / 255.0) for part in tint]), np.uint8)


@lru_cache(maxsize=8)
def _material(photo: str) -> FloatImage:
    """Return a grey photograph without its slow changes of light, of mean zero."""
    grey = cv2.cvtColor(photograph(photo), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return grey - cv2.GaussianBlur(grey, (0, 0), grey.shape[0] / 8)


def _placed(
    material: FloatImage, width: int, height: int, grain: float, random: np.random.Generator
) -> FloatImage:
    """Cover (height, width) with mirrored copies of a material at a random place and angle."""
    angle = random.uniform(0, 2 * np.pi)
    cosine, sine = np.cos(angle) / grain, np.sin(angle) / grain
    x0, y0 = random.uniform(0, material.shape[1], 2)
    transform = np.array([[cosine, -sine, x0], [sine, cosine, y0]])
    placed = cv2.warpAffine(
        material,
        transform,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(placed, np.float32)


def _noise(width: int, height: int, period: int, random: np.random.Generator) -> FloatImage:
    """Return smooth noise of about unit deviation over a surface, at a sixteenth of its resolution.

    Args:
        period: width of its features, texels of the surface.
    """
    coarse = random.standard_normal((height // period + 3, width // period + 3)).astype(np.float32)
    return _stretched(coarse, max(1, width // 16), max(1, height // 16))


def _stretched(values: FloatImage, width: int, height: int) -> FloatImage:
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def picture(name: str, random: np.random.Generator) -> Image:
    """Return a part of a photograph, now and then mirrored, so that hardly two pictures are the same."""
    photo = photograph(name)
    share = random.uniform(0.55, 1.0)
    rows, columns = (round(share * size) for size in photo.shape[:2])
    top = int(random.integers(0, photo.shape[0] - rows + 1))
    left = int(random.integers(0, photo.shape[1] - columns + 1))
    part = photo[top : top + rows, left : left + columns]
    return part[:, ::-1] if random.random() < 0.4 else part


def hang(surface: Image, photo: Image, left: int, top: int, width: int, frame: int = 8) -> None:
    """Draw a framed photograph onto a surface, in place; positions and sizes in texels."""
    height = round(width * photo.shape[0] / photo.shape[1])
    shrinks = width < photo.shape[1]
    scaled = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    outer = surface[top - frame : top + height + frame, left - frame : left + width + frame]
    outer[:] = (outer * 0.25).astype(np.uint8)
    surface[top : top + height, left : left + width] = scaled


def shade_edges(surface: Image, reach: int, depth: float = 0.35) -> Image:
    """Return a surface that darkens towards its edges, as corners of a room do.

    Args:
        reach: width of the dark rim, texels.
        depth: share of the light that is missing at the very edge.
    """
    rows, columns = surface.shape[:2]
    y, x = (np.minimum(np.arange(size), np.arange(size)[::-1]) for size in (rows, columns))
    light = np.outer(1 - depth * np.exp(-y / reach), 1 - depth * np.exp(-x / reach)).astype(np.float32)
    shaded = [cv2.multiply(channel, light, dtype=cv2.CV_8U) for channel in cv2.split(surface)]
    return np.asarray(cv2.merge(shaded), np.uint8)
