# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectory files keep stamps to the nanosecond and poses to the last bit, and say what is wrong in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences.trajectories.files import (
    format_stamp,
    kitti_lines,
    parse_stamp,
    read_trajectory,
    tum_lines,
)
from drcn_ros.sequences.trajectories.trajectory import Trajectory


def wanderer(count: int = 20) -> Trajectory:
    random = np.random.default_rng(1)
    stamps = 1_700_000_000_123_456_789 + np.cumsum(random.integers(1, 10**8, count))
    return Trajectory.from_quaternions(
        stamps, random.standard_normal((count, 3)), random.standard_normal((count, 4))
    )


@pytest.mark.parametrize("stamp", [0, 1, 999_999_999, 1_311_868_169_163_498_123, -1_500_000_000])
def test_a_stamp_survives_as_text(stamp):
    assert parse_stamp(format_stamp(stamp)) == stamp


@pytest.mark.parametrize(
    ("text", "stamp"),
    [("1.5", 1_500_000_000), ("1.311868169163498e+09", 1_311_868_169_163_498_000), ("7", 7 * 10**9)],
)
def test_stamps_are_read_as_people_and_programs_write_them(text, stamp):
    assert parse_stamp(text) == stamp


@pytest.mark.parametrize("text", ["", "one", "nan", "inf", "9" * 400, "1e300", "-1e10"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(InputError, match="no time in seconds"):
        parse_stamp(text)


def test_the_tum_format_keeps_a_trajectory(tmp_path: Path):
    given = wanderer()
    file = tmp_path / "t.txt"
    file.write_text("# a comment\n\n" + "".join(tum_lines(given)))
    back = read_trajectory(file)
    assert np.array_equal(back.stamps_ns, given.stamps_ns)
    assert np.array_equal(back.positions, given.positions)
    assert np.abs(back.poses - given.poses).max() < 1e-15


def test_the_kitti_format_keeps_the_poses(tmp_path: Path):
    given = wanderer()
    file = tmp_path / "k.txt"
    file.write_text("".join(kitti_lines(given.poses)))
    assert np.array_equal(read_trajectory(file, given.stamps_ns.tolist()).poses, given.poses)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no pose"),
        ("1 2 3\n", "line 1 has 3 columns; TUM format has 8"),
        ("# c\n1 0 0 0 0 0 0 1\n2 0 0 x 0 0 0 1\n", "line 3: '0 0 x 0 0 0 1' is not 7 numbers"),
        ("1 0 0 0 0 0 0 1\n2 0 0 0\n", "line 2: .* is not 8 numbers"),
        ("1 0 0 0 0 0 0 0\n", "quaternion of pose 0 is zero"),
        ("1 nan 0 0 0 0 0 1\n", "not finite"),
        ("x 0 0 0 0 0 0 1\n", "line 1: 'x' is no time"),
        ("1 0 0 0 0 1 0 0 0 0 1 0\n", "KITTI format, without stamps, and has 1 poses; .*unknown"),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, content: str, message: str):
    file = tmp_path / "bad.txt"
    file.write_text(content)
    with pytest.raises(InputError, match=message) as error:
        read_trajectory(file)
    assert "bad.txt" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_binary_files_are_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"nowhere.txt: No such file"):
        read_trajectory(tmp_path / "nowhere.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="no text file"):
        read_trajectory(tmp_path / "b.txt")
