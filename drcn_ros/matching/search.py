# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Finding known points of earlier images near places where they are expected, without a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.matching.alignment import align
from drcn_ros.matching.device import upload
from drcn_ros.matching.patches import ImageFeatures, Patches, SearchedFeatures
from drcn_ros.matching.reduced import ReducedFeatures, as_matched, enlarged, shrunk
from drcn_ros.matching.types import Features


@dataclass(frozen=True)
class Found:
    """Where an image shows N points.

    Attributes:
        points: (N, 2) float32, pixels, by narrow patches, see `Matches.narrow_points`.
        apart: (N,) float32, how far from there wide patches place them, pixels.
        correlation: (N,) float32, of the wide patches; 0 where the search left the image or its range.
    """

    points: NDArray[np.float32]
    apart: NDArray[np.float32]
    correlation: NDArray[np.float32]


def find_points(
    hosts: Sequence[tuple[Features, NDArray[np.int64]]],
    current: Features,
    expected: NDArray[np.float32],
    warps: NDArray[np.float32],
) -> Found | None:
    """Look for keypoints of earlier images within three pixels of where they are expected.

    Args:
        hosts: features of earlier images, and rows of their keypoints; N rows in all.
        current: features of the image to search.
        expected: (N, 2) pixels.
        warps: (N, 2, 2) of the surroundings of each point, from its own image to this one.

    Returns:
        None where the features hold no images, or images of another size.
    """
    target = as_matched(current)
    if not isinstance(target, ImageFeatures) or not len(expected):
        return None
    images = [as_matched(features) for features, _ in hosts]
    if any(features.size != current.size for features, _ in hosts):
        return None
    device = target.image.device
    # What goes to a GPU by itself makes the host wait no more than an image does.
    rows = torch.split(
        upload(np.concatenate([rows for _, rows in hosts]), device), [len(rows) for _, rows in hosts]
    )
    parts = []
    for image, chosen in zip(images, rows, strict=True):
        if not isinstance(image, ImageFeatures | SearchedFeatures):
            return None
        parts.append(image.patches.select(chosen))
    start = shrunk(expected, current.factors) if isinstance(current, ReducedFeatures) else expected
    aligned = align(
        Patches.joined(parts), target.image, upload(start, device), upload(warps, device), target.detail
    )
    seen = (aligned.correlation * aligned.good)[:, None]
    told: NDArray[np.float32] = torch.cat([aligned.narrow, aligned.points, seen], dim=1).cpu().numpy()
    narrow, wide = enlarged(told[:, :2], current), enlarged(told[:, 2:4], current)
    return Found(narrow, np.hypot(*(narrow - wide).T), np.ascontiguousarray(told[:, 4]))
