# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""TUM RGB-D folders (Sturm et al., IROS 2012): `rgb.txt`, `groundtruth.txt`, and our `calib.yaml`."""

from __future__ import annotations

from pathlib import Path

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.sequences.calibrations import read_calibration
from drcn_ros.sequences.files import FileSequence, read_lines
from drcn_ros.sequences.trajectories.files import parse_stamp, read_trajectory

KIND = "TUM RGB-D folder"
INDEX = "rgb.txt"

# The data set ships no calibration files; its site gives these for the default cameras.
_LENS_1 = (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)
_LENS_2 = (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)
_KNOWN_CAMERAS = {
    "freiburg1": Camera(640, 480, 517.3, 516.5, 318.6, 255.3, Distortion.PLUMB_BOB, _LENS_1),
    "freiburg2": Camera(640, 480, 520.9, 521.0, 325.1, 249.7, Distortion.PLUMB_BOB, _LENS_2),
    "freiburg3": Camera(640, 480, 535.4, 539.2, 320.1, 247.6),
}


def open_tum(folder: Path, name: str) -> FileSequence:
    """Open a TUM RGB-D folder.

    Raises:
        InputError: a list is damaged, or an image is missing.
    """
    stamps, paths = [], []
    for line in read_lines(folder / INDEX):
        columns = line.split()
        if len(columns) < 2:
            msg = f"{folder / INDEX}: line {line!r} is no stamp and file name"
            raise InputError(msg)
        stamps.append(parse_stamp(columns[0], folder / INDEX))
        paths.append(folder / columns[1])
    sequence = FileSequence(name, KIND, stamps, paths)
    if (folder / "groundtruth.txt").is_file():
        sequence.ground_truth = read_trajectory(folder / "groundtruth.txt")
        sequence.truth_source = str(folder / "groundtruth.txt")
    if (folder / "calib.yaml").is_file():
        sequence.calibrate(read_calibration(folder / "calib.yaml"), str(folder / "calib.yaml"))
    else:
        name = folder.resolve().name
        sequence.camera = next((camera for part, camera in _KNOWN_CAMERAS.items() if part in name), None)
        sequence.camera_source = "the data set's own list of cameras"
    return sequence
