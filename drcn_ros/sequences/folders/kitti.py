# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""KITTI odometry sequences (Geiger et al., CVPR 2012): `image_0` to `image_3`, `calib.txt`, `times.txt`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drcn_ros.conversion.calibration import camera_from_matrix
from drcn_ros.errors import ConfigurationError, InputError
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.files import IMAGE_SUFFIXES, FileSequence, read_image, read_lines
from drcn_ros.sequences.trajectories.files import parse_stamp, read_trajectory
from drcn_ros.sequences.trajectories.trajectory import Trajectory

KIND = "KITTI odometry sequence"
CAMERAS = ("image_0", "image_1", "image_2", "image_3")


def open_kitti(folder: Path, name: str, camera: str = "") -> FileSequence:
    """Open one KITTI sequence.

    Args:
        folder: holds `image_0` and so on, `calib.txt` and `times.txt`.
        name: what the user called it.
        camera: folder of the camera; by default the first that exists.

    Raises:
        InputError: a file is missing or damaged, or the numbers of images and stamps differ.
    """
    present = [entry for entry in CAMERAS if (folder / entry).is_dir()]
    if camera and camera not in present:
        msg = f"{name}: there is no camera {camera!r}; choose one of {', '.join(present)}"
        raise InputError(msg)
    camera = camera or present[0]
    paths = sorted(path for path in (folder / camera).iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    stamps = [parse_stamp(line, folder / "times.txt") for line in read_lines(folder / "times.txt")]
    if len(stamps) != len(paths):
        msg = f"{name}: times.txt has {len(stamps)} stamps, {camera} has {len(paths)} images"
        raise InputError(msg)
    sequence = FileSequence(name, KIND, stamps, paths)
    height, width = read_image(paths[0]).shape[:2]
    projection = _projection(folder / "calib.txt", f"P{camera[-1]}")
    try:
        sequence.camera = camera_from_matrix(
            f"P{camera[-1]}", (width, height), projection[:, :3].ravel().tolist(), "none", []
        )
    except ConfigurationError as error:
        msg = f"{folder / 'calib.txt'}: {error}"
        raise InputError(msg) from None
    sequence.camera_source = str(folder / "calib.txt")
    poses = _poses_file(folder)
    if poses is not None:
        sequence.truth_source = str(poses)
        sequence.ground_truth = _of_camera(read_trajectory(poses, sequence.stamps_ns), projection)
    return sequence


def _projection(path: Path, name: str) -> Array:
    for line in read_lines(path):
        label, _, numbers = line.partition(":")
        if label.strip() == name:
            try:
                return np.array([float(number) for number in numbers.split()]).reshape(3, 4)
            except ValueError:
                break
    msg = f"{path} has no line '{name}: ' with twelve numbers"
    raise InputError(msg)


def _poses_file(folder: Path) -> Path | None:
    """Return the poses beside the images, or where the data set's download puts them."""
    places = (folder / "poses.txt", folder.resolve().parents[1] / "poses" / f"{folder.resolve().name}.txt")
    return next((path for path in places if path.is_file()), None)


def _of_camera(poses: Trajectory, projection: Array) -> Trajectory:
    """Move the poses of camera 0 to another rectified camera of the rig: P = K [I | b], centre -b."""
    offset = np.eye(4)
    offset[:3, 3] = -np.linalg.solve(projection[:, :3], projection[:, 3])
    return Trajectory(poses.stamps_ns, poses.poses @ offset)
