# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A user's own recording as training data: its frames as photographs, and consecutive frames as real pairs.

Consecutive frames are matched with SIFT; the matches that agree with one epipolar geometry are taken as true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.errors import InputError
from drcn_ros.matching import create_matcher
from drcn_ros.matching.base import to_grey
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.sequences import ImageSequence
from drcn_ros.training.config import RecordingConfig
from drcn_ros.training.pairs import BORDER, PairBatch
from drcn_ros.training.photographs import Grey

FloatArray = NDArray[np.float32]

_KEYPOINTS = 2048
# Around a match the motion is taken as a shift over this many pixels to each side.
_REACH = 2
# A crop with fewer matches teaches nothing.
_FEWEST_IN_CROP = 8
_TRIES = 50


@dataclass(frozen=True)
class MatchedFrames:
    """Two consecutive frames and matches that agree with one epipolar geometry.

    Attributes:
        first, second: (H, W) uint8.
        first_points, second_points: (N, 2) pixels.
    """

    first: Grey
    second: Grey
    first_points: FloatArray
    second_points: FloatArray


def read_frames(sequence: ImageSequence, config: RecordingConfig) -> Iterator[tuple[Grey, Grey | None]]:
    """Yield frames spread evenly over a recording, each with the frame that follows it."""
    every = max(1, -(-len(sequence) // config.frames))
    kept: Grey | None = None
    for index, shot in enumerate(sequence.shots()):
        if index % every > 1 and kept is None:
            continue
        image = shot.load()
        grey = None if image is None else to_grey(image)
        if kept is not None:
            yield kept, grey
            kept = None
        if index % every == 0:
            kept = grey
    if kept is not None:
        yield kept, None


def match_frames(frames: Iterable[tuple[Grey, Grey | None]], config: RecordingConfig) -> list[MatchedFrames]:
    """Match each frame with the one that follows it; pairs with too few agreeing matches are left out."""
    matcher = create_matcher(MatcherConfig(name="sift", max_keypoints=_KEYPOINTS, min_score=0.0))
    found = []
    for first, second in frames:
        if second is None or first.shape != second.shape:
            continue
        matches = matcher.match(matcher.extract(first), matcher.extract(second))
        if len(matches) < max(8, config.least_matches):
            continue
        points = matches.reference_points, matches.current_points
        mask: Any = cv2.findFundamentalMat(*points, cv2.USAC_MAGSAC, config.threshold_px)[1]
        if mask is None or mask.sum() < config.least_matches:
            continue
        agree = mask.ravel().astype(bool)
        found.append(MatchedFrames(first, second, points[0][agree], points[1][agree]))
    return found


class RecordedPairs:
    """Crops of matched frames; only the surroundings of matches have a known place.

    Args:
        frames: as `match_frames` returns them.
        size: side of the crops, pixels.
        device: where the batch is put.

    Raises:
        InputError: there is no pair, or the frames are smaller than a crop.
    """

    def __init__(self, frames: Sequence[MatchedFrames], size: int, device: torch.device) -> None:
        if not frames:
            msg = "the recording has no consecutive frames with enough matches that agree; "
            msg += "set recording.share to 0 to use its frames as photographs only"
            raise InputError(msg)
        if min(frames[0].first.shape) < size:
            height, width = frames[0].first.shape
            msg = f"frames of {width}x{height} are smaller than pairs.size {size}"
            raise InputError(msg)
        self._frames = frames
        self._size = size
        self._device = device

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` crops of different places."""
        made = [self._crop(random) for _ in range(count)]
        first, second, positions, valid = (
            torch.from_numpy(np.stack(part)).to(self._device) for part in zip(*made, strict=True)
        )
        return PairBatch(first[:, None], second[:, None], positions, valid)

    def _crop(
        self, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]:
        for _ in range(_TRIES):
            pair = self._frames[int(random.integers(len(self._frames)))]
            centre = int(random.integers(len(pair.first_points)))
            corners = [
                self._corner(points[centre], pair.first.shape, random)
                for points in (pair.first_points, pair.second_points)
            ]
            positions, valid = self._around_matches(pair, corners)
            if valid.sum() >= _FEWEST_IN_CROP * (2 * _REACH + 1) ** 2:
                break
        size = self._size
        images = [
            image[y : y + size, x : x + size] / np.float32(255)
            for image, (x, y) in zip((pair.first, pair.second), corners, strict=True)
        ]
        return images[0], images[1], positions, valid

    def _corner(
        self, point: FloatArray, shape: tuple[int, ...], random: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return the top-left pixel of a crop that holds a point somewhere in its middle half."""
        offset = random.uniform(0.25, 0.75, 2) * self._size
        corner = np.round(point - offset).astype(np.int64)
        return np.clip(corner, 0, np.array([shape[1], shape[0]]) - self._size)

    def _around_matches(
        self, pair: MatchedFrames, corners: Sequence[NDArray[np.int64]]
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        size = self._size
        positions = np.zeros((size, size, 2), np.float32)
        valid = np.zeros((size, size), np.bool_)
        first, second = pair.first_points - corners[0], pair.second_points - corners[1]
        inside = ((first >= BORDER) & (first < size - 1 - BORDER)).all(axis=1)
        inside &= ((second >= _REACH) & (second < size - 1 - _REACH)).all(axis=1)
        steps = np.arange(-_REACH, _REACH + 1)
        for place, target in zip(first[inside], second[inside], strict=True):
            x, y = (int(value) for value in np.round(target))
            grid = np.stack(np.meshgrid(x + steps, y + steps), axis=-1)
            area = (slice(y - _REACH, y + _REACH + 1), slice(x - _REACH, x + _REACH + 1))
            positions[area] = place + (grid - target)
            valid[area] = True
        valid &= ((positions >= 0) & (positions < size - 1)).all(axis=-1)
        return positions, valid
