# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Feed the odometry's poses to a pose graph that knows a few places from elsewhere.

pip install gtsam
python examples/pose_graph.py data/office
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import gtsam
import numpy as np

from drcn_ros.geometry.camera import Camera
from drcn_ros.odometry import Frame, OdometryConfig, VisualOdometry

# Width, height, focal lengths and principal point of data/office, pixels.
CAMERA = Camera(540, 360, 495.568, 495.482, 269.503, 169.194)
# Every so many frames a marker or a satellite tells where the camera is, to 2 cm.
PERIOD, KNOWN_M = 10, 0.02
# How well a step is known: its rotation, radians, and its translation, part of its length.
ROTATION, TRANSLATION, LEAST_M = 2e-3, 0.05, 1e-3


def main(folder: str) -> None:
    """Print how far off the path is, by the odometry alone and by the graph."""
    names = [line.split() for line in Path(folder, "rgb.txt").read_text().splitlines() if line[0] != "#"]
    truth = np.loadtxt(Path(folder, "groundtruth.txt"))[: len(names)]
    odometry, path = VisualOdometry(OdometryConfig(), CAMERA), []
    for stamp, name in names:
        image = cv2.imread(str(Path(folder, name)), cv2.IMREAD_GRAYSCALE)
        path.append(odometry.process(Frame(round(1e9 * float(stamp)), image)).pose)
    # One camera knows no scale: two known places far from each other give it.
    last = (len(names) - 1) // PERIOD * PERIOD
    metres = np.linalg.norm(truth[last, 1:4] - truth[0, 1:4]) / np.linalg.norm(path[last][:3, 3])
    start = gtsam.Pose3(gtsam.Rot3.Quaternion(truth[0, 7], *truth[0, 4:7]), truth[0, 1:4])

    graph, guess = gtsam.NonlinearFactorGraph(), gtsam.Values()
    graph.addPriorPose3(0, start, gtsam.noiseModel.Isotropic.Sigma(6, 1e-3))
    for index, pose in enumerate(path):
        here = gtsam.Pose3(gtsam.Rot3(pose[:3, :3]), metres * pose[:3, 3])
        guess.insert(index, start.compose(here))
        if index:
            step = guess.atPose3(index - 1).between(guess.atPose3(index))
            along = TRANSLATION * np.linalg.norm(step.translation()) + LEAST_M
            noise = gtsam.noiseModel.Diagonal.Sigmas(np.array([ROTATION] * 3 + [along] * 3))
            graph.add(gtsam.BetweenFactorPose3(index - 1, index, step, noise))
        if index % PERIOD == 0:
            known = gtsam.noiseModel.Isotropic.Sigma(3, KNOWN_M)
            graph.add(gtsam.GPSFactor(index, truth[index, 1:4], known))
    solved = gtsam.LevenbergMarquardtOptimizer(graph, guess).optimize()
    for name, values in (("odometry", guess), ("graph", solved)):
        places = np.array([values.atPose3(index).translation() for index in range(len(path))])
        error = np.linalg.norm(places - truth[:, 1:4], axis=1)
        print(f"{name:8} {1e3 * np.sqrt((error**2).mean()):.0f} mm off, {1e3 * error[-1]:.0f} mm at the end")


if __name__ == "__main__":
    main(sys.argv[1])
