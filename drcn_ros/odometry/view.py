# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A processed frame that later ones can be matched with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Features
from drcn_ros.odometry.types import Tracks


@dataclass(frozen=True, eq=False)
class PointDepths:
    """What is known of the depths of a view's keypoints, in units of the accumulated pose.

    Attributes:
        inverse: (N,) inverse depth of each keypoint, NaN where nothing is known.
        deviation: (N,) its standard deviation.
    """

    inverse: Array
    deviation: Array

    @classmethod
    def unknown(cls, count: int) -> PointDepths:
        """Return the depths of `count` keypoints of which nothing is known."""
        return cls(np.full(count, np.nan), np.full(count, np.nan))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which depths are known, (N,)."""
        return np.isfinite(self.inverse)


def no_tracks() -> Tracks:
    """Return the tracks of an image without keypoints."""
    ids = np.zeros(0, np.uint32)
    return Tracks(ids, ids)


@dataclass(eq=False)
class View:
    """A frame with its features, and what later frames add to it.

    Attributes:
        stamp_ns: time of exposure.
        features: of the matcher, on its device.
        points: (N, 2) keypoints, pixels.
        pose: (4, 4) accumulated T_start_cur.
        tracks: of the keypoints.
        depths: of the keypoints; sharpened while later frames see them under larger parallax.
        outlier_parallax: (N,) parallax in pixels at which each keypoint last disagreed with the camera's
            motion, 0 where it agrees, NaN where that is not known.
        most_inliers: of all frames that were matched with this one.
    """

    stamp_ns: int
    features: Features
    points: NDArray[np.float32]
    pose: Array
    tracks: Tracks = field(default_factory=no_tracks)
    depths: PointDepths = field(init=False)
    outlier_parallax: Array = field(init=False)
    most_inliers: int = 0

    def __post_init__(self) -> None:
        self.depths = PointDepths.unknown(len(self.points))
        self.outlier_parallax = np.full(len(self.points), np.nan)
