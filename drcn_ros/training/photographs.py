# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of photographs as grey tiles; what cannot be used is skipped and counted."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError, InputError
from drcn_ros.foreign.images import decode_grey
from drcn_ros.training.config import PhotographConfig

Grey = NDArray[np.uint8]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".pgm")
# A photograph is used at full size, half and so on, down to this many tiles along its longer side.
_COARSEST = 1.5


@dataclass(frozen=True)
class Photographs:
    """Grey tiles in memory.

    Attributes:
        tiles: (H, W) uint8 each.
        files: photographs they are cut from.
        broken: files that cannot be decoded.
        small: files whose shorter side is below the limit.
        smooth: tiles without enough contrast.
        digest: SHA-256 over all tiles: names what a run was trained on.
    """

    tiles: tuple[Grey, ...]
    files: int
    broken: int
    small: int
    smooth: int
    digest: str

    def __str__(self) -> str:
        return (
            f"{len(self.tiles)} tiles of {self.files} photographs; skipped: {self.broken} broken files, "
            f"{self.small} too small, {self.smooth} smooth tiles"
        )


def read_photographs(config: PhotographConfig, more: Iterable[Grey] = ()) -> Photographs:
    """Read all photographs of the folders and cut them, and `more` images, into tiles.

    Raises:
        InputError: a folder is missing, or nothing can be used.
    """
    tiles: list[Grey] = []
    files = broken = small = smooth = 0
    for image in itertools.chain(_decoded(_files(config)), more):
        if image is None:
            broken += 1
        elif min(image.shape) < config.smallest:
            small += 1
        else:
            files += 1
            for tile in _tiles(image, config.tile):
                if _contrast(tile) < config.contrast:
                    smooth += 1
                elif len(tiles) < config.limit:
                    tiles.append(tile)
    if not tiles:
        msg = f"no usable photograph: {files} readable, {broken} broken, {small} too small, "
        msg += f"{smooth} smooth tiles; set photographs.folders to folders with textured photographs"
        raise InputError(msg)
    digest = hashlib.sha256()
    for tile in tiles:
        digest.update(f"{tile.shape}".encode())
        digest.update(tile.tobytes())
    return Photographs(tuple(tiles), files, broken, small, smooth, digest.hexdigest())


def _files(config: PhotographConfig) -> list[Path]:
    found: list[Path] = []
    for name in filter(None, config.folders.split(":")):
        folder = Path(name).expanduser()
        if not folder.is_dir():
            msg = f"photographs.folders: {folder} is no folder"
            raise InputError(msg)
        found += sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return found


def _decoded(files: Sequence[Path]) -> Iterator[Grey | None]:
    for path in files:
        try:
            yield decode_grey(path.read_bytes())
        except (OSError, ImageError):
            yield None


def _tiles(image: Grey, side: int) -> Iterator[Grey]:
    """Yield tiles of about `side` pixels at full size, half, and so on."""
    while True:
        rows, columns = (max(1, round(length / side)) for length in image.shape)
        for row in np.array_split(image, rows, axis=0):
            for tile in np.array_split(row, columns, axis=1):
                # A copy: a view would keep the whole photograph, and may not be writable.
                yield np.array(tile)
        if max(image.shape) < 2 * _COARSEST * side:
            return
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image, half, interpolation=cv2.INTER_AREA), np.uint8)


def _contrast(tile: Grey) -> float:
    across = cv2.Sobel(tile, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(tile, cv2.CV_32F, 0, 1, scale=0.125)
    return float(np.mean(np.abs(across)) + np.mean(np.abs(down))) / 2
