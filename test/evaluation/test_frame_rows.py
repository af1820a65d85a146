# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`frames.csv` gives back the rows that were written into it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.evaluation.frame_rows import COLUMNS, FrameRow, column, csv_values, read_rows, seconds

ROW = FrameRow(
    frame=3,
    stamp=1_700_000_000_123_456_789,
    reference_stamp=1_700_000_000_000_000_001,
    state="TRACKING",
    reason="OK",
    keypoints=100,
    matches=50,
    inliers=40,
    parallax_px=0.1 + 0.2,
    rotation_error_deg=1e-17,
    direction_error_deg=None,
    moved_m=0.25,
    segment=0,
    extract_ms=1.5,
    match_ms=None,
    geometry_ms=0.0,
    total_ms=3.25,
    detail='40 of 50 matches agree, "well"',
)


def write(path: Path, rows: list[FrameRow]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows(csv_values(row) for row in rows)


def test_rows_survive_the_file(tmp_path: Path):
    rows = [ROW, replace(ROW, frame=4, reference_stamp=None, state="LOST", parallax_px=None)]
    write(tmp_path / "frames.csv", rows)
    assert read_rows(tmp_path / "frames.csv") == rows


def test_columns_are_numbers_with_gaps_and_time_begins_at_zero():
    rows = [ROW, replace(ROW, stamp=ROW.stamp + 500_000_000, moved_m=None)]
    assert column(rows, "moved_m")[0] == 0.25
    assert np.isnan(column(rows, "moved_m")[1])
    assert seconds(rows).tolist() == [0.0, 0.5]


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "x"])
def test_another_table_is_refused(tmp_path: Path, content: str):
    file = tmp_path / "frames.csv"
    file.write_text(",".join(COLUMNS[:5]) + "\n1,2,3,4,5\n" if content == "x" else content + "\n1\n")
    if content == "":
        file.unlink()
    with pytest.raises(InputError, match=r"frames.csv"):
        read_rows(file)
