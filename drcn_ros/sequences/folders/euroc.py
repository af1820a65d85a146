# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""EuRoC or ASL folders (Burri et al., IJRR 2016): `mav0/cam0/{data.csv,data,sensor.yaml}`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.calibrations import read_calibration
from drcn_ros.sequences.calibrations.documents import read_yaml
from drcn_ros.sequences.files import FileSequence, read_lines
from drcn_ros.sequences.trajectories.files import parse_nanoseconds
from drcn_ros.sequences.trajectories.trajectory import Trajectory

KIND = "EuRoC folder"
GROUND_TRUTH = "state_groundtruth_estimate0"


def cameras(folder: Path) -> list[Path]:
    """Return the camera folders of an EuRoC folder, of its `mav0`, or the folder itself if it is one."""
    if _is_camera(folder):
        return [folder]
    found = [*(folder / "mav0").glob("cam*"), *folder.glob("cam*")]
    return sorted(path for path in found if _is_camera(path))


def _is_camera(folder: Path) -> bool:
    return (folder / "data.csv").is_file() and (folder / "data").is_dir()


def open_euroc(folder: Path, name: str, camera: str = "") -> FileSequence:
    """Open one camera of an EuRoC folder.

    Args:
        folder: the recording, its `mav0`, or a camera folder.
        name: what the user called it.
        camera: as in "cam1"; by default the first.

    Raises:
        InputError: a file is missing or damaged.
    """
    present = cameras(folder)
    chosen = [path for path in present if path.name == camera] if camera else present[:1]
    if not chosen:
        msg = (
            f"{name}: there is no camera {camera!r}; choose one of {', '.join(path.name for path in present)}"
        )
        raise InputError(msg)
    root = chosen[0]
    stamps, paths = [], []
    for line in read_lines(root / "data.csv"):
        stamp, _, file = line.partition(",")
        if not file:
            msg = f"{root / 'data.csv'}: line {line!r} is no stamp and file name"
            raise InputError(msg)
        stamps.append(parse_nanoseconds(stamp, root / "data.csv"))
        paths.append(root / "data" / file.strip())
    sequence = FileSequence(name, KIND, stamps, paths)
    sequence.camera_names = (root.name,)
    if (root / "sensor.yaml").is_file():
        sequence.calibrate(read_calibration(root / "sensor.yaml"), str(root / "sensor.yaml"))
    truth = root.parent / GROUND_TRUTH
    if (truth / "data.csv").is_file():
        mounting = _mounting(root / "sensor.yaml") if (root / "sensor.yaml").is_file() else np.eye(4)
        body = _mounting(truth / "sensor.yaml") if (truth / "sensor.yaml").is_file() else np.eye(4)
        poses = _ground_truth(truth / "data.csv")
        # T_world_camera = T_world_sensor T_sensor_body T_body_camera
        offset = np.linalg.inv(body) @ mounting
        sequence.truth_source = str(truth / "data.csv")
        sequence.ground_truth = Trajectory(poses.stamps_ns, poses.poses @ offset)
    return sequence


def _ground_truth(path: Path) -> Trajectory:
    """Read stamp, position and quaternion (w first) of each line."""
    lines = read_lines(path)
    try:
        rows = [line.split(",")[:8] for line in lines]
        stamps = [parse_nanoseconds(row[0]) for row in rows]
        table = np.array([[float(value) for value in row[1:]] for row in rows]).reshape(-1, 7)
        return Trajectory.from_quaternions(stamps, table[:, :3], table[:, [4, 5, 6, 3]])
    except (ValueError, IndexError):
        msg = f"{path}: lines must be stamp, x, y, z, qw, qx, qy, qz"
        raise InputError(msg) from None
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from None


def _mounting(path: Path) -> Array:
    """Return T_body_sensor of a sensor.yaml, the identity when it has none."""
    entry = read_yaml(path).get("T_BS")
    if entry is None:
        return np.eye(4)
    try:
        return np.array(entry["data"], np.float64).reshape(4, 4)
    except (KeyError, TypeError, ValueError):
        msg = f"{path}: T_BS must have 16 numbers under 'data'"
        raise InputError(msg) from None
