# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry over a folder of images, in plain Python: one line a frame, with the camera's place.

python examples/odometry_over_images.py data/office/rgb
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry import Frame, OdometryConfig, VisualOdometry

# Width, height, focal lengths and principal point of data/office, pixels.
CAMERA = Camera(540, 360, 495.568, 495.482, 269.503, 169.194)
RATE_HZ = 30


def main(folder: str) -> None:
    """Print state and position of each image; positions are up to one scale."""
    odometry = VisualOdometry(OdometryConfig(), CAMERA)
    for number, file in enumerate(sorted(Path(folder).glob("*.jpg"))):
        image = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        result = odometry.process(Frame(number * 1_000_000_000 // RATE_HZ, image))
        x, y, z = result.pose[:3, 3]
        print(f"{file.name}  {result.state.value:13}  {x:7.3f} {y:7.3f} {z:7.3f}  {result.detail}")


if __name__ == "__main__":
    main(sys.argv[1])
