# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth with a value changed at random is refused in one line, or read as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences.trajectories.files import read_trajectory
from drcn_ros.sequences.trajectories.quaternions import rotations_from_quaternions

COUNT = 200
ROWS = 8
NAMES = ("t", "x", "y", "z", "a", "b", "c", "d")
VALUES = ["nan", "-inf", "1e300", "1e999", "", "x", "0", "-1", "1,5", "0x10", "1.0.0", "9" * 40, "7"]
LAYOUTS = {
    "TUM": (" ", ""),
    "commas": (",", "t,x,y,z,qx,qy,qz,qw"),
    "semicolons": (";", "t;x;y;z;qx;qy;qz;qw"),
}


def cells() -> list[list[str]]:
    random = np.random.default_rng(4)
    return [
        [f"{100.0 + 0.1 * row:.9f}", *(f"{value:.9f}" for value in random.standard_normal(7))]
        for row in range(ROWS)
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_changed_value_is_refused_or_taken_as_written(tmp_path: Path, layout):
    separator, header = LAYOUTS[layout]
    file = tmp_path / "truth.txt"
    refused, read = [], 0
    for case in range(COUNT):
        random = np.random.default_rng(case)
        table = cells()
        row, column = int(random.integers(ROWS)), int(random.integers(len(NAMES)))
        table[row][column] = str(random.choice(VALUES))
        lines = ([header] if header else []) + [separator.join(entry) for entry in table]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            found = read_trajectory(file)
        except InputError as error:
            refused.append(str(error))
            continue
        read += 1
        numbers = np.array([[float(cell.replace(",", ".")) for cell in entry] for entry in table])
        numbers = numbers[np.argsort(numbers[:, 0], kind="stable")]
        assert np.abs(found.stamps_ns * 1e-9 - numbers[:, 0]).max() < 1e-6, case
        assert np.array_equal(found.positions, numbers[:, 1:4]), case
        rotations = rotations_from_quaternions(numbers[:, 4:])
        assert np.abs(found.poses[:, :3, :3] - rotations).max() < 1e-9, case
    assert all("truth.txt" in line and "\n" not in line for line in refused)
    assert min(len(refused), read) > 20
