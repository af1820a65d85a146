# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Match two pictures and tell how the camera moved between them.

python examples/match_two_pictures.py data/office/rgb/00030.jpg data/office/rgb/00033.jpg
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.two_view import estimate_two_view
from drcn_ros.matching import MatcherConfig, create_matcher

# Width, height, focal lengths and principal point of data/office, pixels.
CAMERA = Camera(540, 360, 495.568, 495.482, 269.503, 169.194)


def main(first: str, second: str) -> None:
    """Print the best matches, and the rotation and direction from the first picture to the second."""
    matcher = create_matcher(MatcherConfig(name="drcn"))
    # Grey images are (H, W), colour ones (H, W, 3) RGB; features are computed once and matched many times.
    a, b = (matcher.extract(cv2.imread(path, cv2.IMREAD_GRAYSCALE)) for path in (first, second))
    matches = matcher.match(a, b)
    for (x, y), (u, v), score in zip(
        matches.reference_points, matches.current_points, matches.scores, strict=True
    ):
        print(f"({x:6.1f} {y:6.1f}) -> ({u:6.1f} {v:6.1f})  score {score:.2f}")
    points = (matches.reference_points.astype(np.float64), matches.current_points.astype(np.float64))
    view = estimate_two_view(*points, CAMERA, TwoViewConfig())
    print(f"{int(view.inliers.sum())} of {len(matches)} matches agree on one motion")
    if view.pose is not None:
        print(f"rotation\n{view.pose.rotation.round(4)}\ndirection {view.pose.translation.round(3)}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
