# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""EuRoC folders give the frames that were written into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from drcn_ros.errors import InputError
from drcn_ros.sequences import open_sequence
from drcn_ros.sequences.trajectories.trajectory import Trajectory

MOUNTING = np.array([[0.0, -1, 0, 0.1], [1, 0, 0, 0.2], [0, 0, 1, 0.3], [0, 0, 0, 1]])


def euroc(root: Path, clip) -> Path:
    camera = root / "mav0" / "cam0"
    lines = ["#timestamp [ns],filename\r\n"]
    for index, stamp in enumerate(clip.stamps_ns):
        clip.save(index, camera / "data" / f"{stamp}.png")
        lines.append(f"{stamp},{stamp}.png\r\n")
    (camera / "data.csv").write_text("".join(lines))
    intrinsics = [clip.camera.fx, clip.camera.fy, clip.camera.cx, clip.camera.cy]
    sensor = {
        "sensor_type": "camera",
        "T_BS": {"cols": 4, "rows": 4, "data": MOUNTING.ravel().tolist()},
        "resolution": [clip.camera.width, clip.camera.height],
        "intrinsics": intrinsics,
        "distortion_model": "radial-tangential",
        "distortion_coefficients": [0.0, 0.0, 0.0, 0.0],
    }
    (camera / "sensor.yaml").write_text(yaml.safe_dump(sensor))
    truth = root / "mav0" / "state_groundtruth_estimate0"
    truth.mkdir()
    body = Trajectory.from_poses(clip.stamps_ns, clip.ground_truth.poses @ np.linalg.inv(MOUNTING))
    rows = ["#timestamp, p_RS_R_x [m], ...\n"]
    for stamp, p, q in zip(body.stamps_ns, body.positions, body.quaternions, strict=True):
        values = [*p, q[3], q[0], q[1], q[2], *np.zeros(9)]
        rows.append(f"{stamp}," + ",".join(f"{value:.15f}" for value in values) + "\n")
    (truth / "data.csv").write_text("".join(rows))
    return root


@pytest.mark.parametrize("part", ["", "mav0", "mav0/cam0"])
def test_an_euroc_folder_gives_the_camera_in_the_world_from_any_level(
    tmp_path: Path, clip, assert_same, part
):
    sequence = open_sequence(euroc(tmp_path, clip) / part)
    assert sequence.kind == "EuRoC folder"
    assert_same(sequence)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("12 34.png", "line '12 34.png' is no stamp and file name"),
        ("\u00b2,34.png", "data.csv: '\u00b2' is no time in nanoseconds"),
        ("9" * 400 + ",34.png", r"data.csv: '9{37}...' is no time in nanoseconds"),
        ("9" * 5000 + ",34.png", "is no time in nanoseconds"),
    ],
)
def test_a_damaged_euroc_list_is_named(tmp_path: Path, clip, line, message):
    euroc(tmp_path, clip)
    (tmp_path / "mav0" / "cam0" / "data.csv").write_text(f"{line}\n")
    with pytest.raises(InputError, match=message):
        open_sequence(tmp_path)
