# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A matcher of one's own in the odometry: corners followed by optical flow.

python examples/own_matcher.py data/office/rgb
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from drcn_ros.geometry.camera import Camera
from drcn_ros.matching import Features, Matcher, MatcherConfig, Matches
from drcn_ros.odometry import Frame, OdometryConfig, VisualOdometry

CAMERA = Camera(540, 360, 495.568, 495.482, 269.503, 169.194)


@dataclass(frozen=True)
class FlowFeatures(Features):
    """Corners, and the image in which they are looked for later."""

    image: np.ndarray


class FlowMatcher(Matcher[FlowFeatures]):
    """Shi-Tomasi corners, followed by Lucas and Kanade's pyramid and back again."""

    name = "flow"

    def extract(self, image, kept=None):
        """Return the corners of a grey image (H, W)."""
        mask = None if kept is None else kept.astype(np.uint8)
        corners = cv2.goodFeaturesToTrack(image, self.config.max_keypoints, 0.01, 5, mask=mask)
        points = torch.from_numpy(np.zeros((0, 2), np.float32) if corners is None else corners.reshape(-1, 2))
        ones = torch.ones(len(points))
        return FlowFeatures((image.shape[1], image.shape[0]), points, ones, ones, None, image)

    def match(self, reference, current):
        """Return the corners that are found again within half a pixel, best first."""
        start = reference.points.numpy()
        if not len(start):
            return Matches.empty()
        there, _, _ = cv2.calcOpticalFlowPyrLK(reference.image, current.image, start, None)
        back, _, _ = cv2.calcOpticalFlowPyrLK(current.image, reference.image, there, None)
        error = np.linalg.norm(back - start, axis=1)
        rows = np.argsort(error)[: int((error < 0.5).sum())]
        # -1: the place in the current image is none of its corners.
        nowhere = np.full(len(rows), -1)
        return Matches(start[rows], there[rows], 1 - error[rows], rows, nowhere)


def main(folder: str) -> None:
    """Print state and position of each image."""
    odometry = VisualOdometry(OdometryConfig(), CAMERA, FlowMatcher(MatcherConfig()))
    for number, file in enumerate(sorted(Path(folder).glob("*.jpg"))):
        image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        result = odometry.process(Frame(number * 33_333_333, image))
        print(f"{file.name}  {result.state.value:13}  {result.pose[:3, 3].round(3)}  {result.detail}")


if __name__ == "__main__":
    main(sys.argv[1])
