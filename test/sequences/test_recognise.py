# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""An input is opened as its user means it; what is none is told in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences import SequenceOptions, open_sequence
from drcn_ros.sequences.folders.tum_writer import write_tum
from drcn_ros.sequences.ground_truth.options import TruthOptions
from drcn_ros.sequences.trajectories.files import kitti_lines, tum_lines
from drcn_ros.sequences.trajectories.trajectory import Trajectory


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), r"is no input: need a rosbag2 .* or a video"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("hello"), "no video that OpenCV can read, nor any other known input"),
    ],
    ids=["missing", "empty folder", "empty file", "text"],
)
def test_what_is_no_input_is_one_clear_line(tmp_path: Path, make, message, capfd):
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(InputError, match=message) as error:
        open_sequence(path)
    assert "\n" not in str(error.value)


def test_a_bag_file_under_a_wrong_name_says_which_names_are_known(tmp_path: Path):
    (tmp_path / "bag.dat").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    with pytest.raises(InputError, match=r"must be named \*.mcap or \*.db3"):
        open_sequence(tmp_path / "bag.dat")
    (tmp_path / "bag.mcap").write_bytes(b"not at all an mcap file")
    with pytest.raises(InputError, match="its first bytes are those of no bag"):
        open_sequence(tmp_path / "bag.mcap")


def test_ground_truth_of_the_user_takes_the_place_of_the_input(tmp_path: Path, clip):
    write_tum(clip, tmp_path / "tum")
    moved = clip.ground_truth.poses.copy()
    moved[:, 0, 3] += 9
    tum, kitti_file = tmp_path / "gt.tum", tmp_path / "gt.kitti"
    tum.write_text("".join(tum_lines(Trajectory(clip.ground_truth.stamps_ns, moved))))
    kitti_file.write_text("".join(kitti_lines(moved)))
    for file in (tum, kitti_file):
        sequence = open_sequence(tmp_path / "tum", SequenceOptions(truth=TruthOptions(file)))
        assert np.abs(sequence.ground_truth.poses - moved).max() < 1e-12
