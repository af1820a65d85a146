# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One path, written as people and programs write ground truth, is read as the same path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences.trajectories.files import read_trajectory, tum_lines
from drcn_ros.sequences.trajectories.quaternions import rotations_from_quaternions
from drcn_ros.sequences.trajectories.trajectory import Trajectory

START_NS = 1_700_000_000_123_456_000


def path() -> Trajectory:
    random = np.random.default_rng(3)
    stamps = START_NS + 50_000_000 * np.arange(12)
    return Trajectory.from_quaternions(
        stamps, random.standard_normal((12, 3)), random.standard_normal((12, 4))
    )


def rows(layout: str, separator: str = ",", stamp: Callable[[int], str] = str, header: str = "") -> str:
    """Write the path; the layout names the columns, of which unknown ones hold any number."""
    given = path()
    lines = [header] if header else []
    for index in range(len(given)):
        x, y, z = (f"{value:.17g}" for value in given.positions[index])
        a, b, c, d = (f"{value:.17g}" for value in given.quaternions[index])
        time = int(given.stamps_ns[index])
        cells = {
            "n": str(index), "t": stamp(time), "S": str(time // 10**9), "N": str(time % 10**9),
            "x": x, "y": y, "z": z, "a": a, "b": b, "c": c, "d": d,
        }  # fmt: skip
        lines.append(separator.join(cells.get(name, "7.5") for name in layout))
    return "\n".join(lines) + "\n"


def as_on_windows(text: str) -> bytes:
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


def seconds(stamp_ns: int) -> str:
    return f"{stamp_ns // 10**9}.{stamp_ns % 10**9:09d}"


EUROC = "#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z [], "
EUROC += "v_RS_R_x [m s^-1], v_RS_R_y [m s^-1], v_RS_R_z [m s^-1], b_w_RS_S_x [rad s^-1]"
TOPIC = "%time,field.header.seq,field.header.stamp,field.pose.position.x,field.pose.position.y,"
TOPIC += "field.pose.position.z,field.pose.orientation.x,field.pose.orientation.y,"
TOPIC += "field.pose.orientation.z,field.pose.orientation.w"
LAYOUTS = {
    "TUM": rows("txyzabcd", " ", seconds),
    "TUM in nanoseconds": rows("txyzabcd", " "),
    "TUM in microseconds": rows("txyzabcd", " ", lambda ns: str(ns // 1000)),
    "nanoseconds as floats": rows("txyzabcd", " ", lambda ns: f"{ns}.000000"),
    "nine columns": rows("ntxyzabcd", " ", seconds),
    "EuRoC": rows("txyzdabcvvvv", ", ", header=EUROC),
    "a recorded topic": rows("tntxyzabcd", header=TOPIC),
    "names in any order": rows("abcdzyxt", stamp=seconds, header="qx,qy,qz,qw,tz,ty,tx,timestamp"),
    "semicolons": rows("txyzdabc", ";", seconds, "time;x;y;z;qw;qx;qy;qz"),
    "semicolons and decimal commas": rows("txyzabcd", ";", seconds, "t;x;y;z;qx;qy;qz;qw").replace(".", ","),
    "tabs and quotation marks": rows(
        "txyzabcd", "\t", seconds, '"Time (s)"\t"X"\t"Y"\t"Z"\t"q_x"\t"q_y"\t"q_z"\t"q_w"'
    ),
    "unit in the name": rows("txyzabcd", header="timestamp_ns,x,y,z,qx,qy,qz,qw"),
    "seconds and nanoseconds apart": rows(
        "SNxyzabcd",
        header="header.stamp.sec,header.stamp.nanosec,pos_x,pos_y,pos_z,quat_x,quat_y,quat_z,quat_w",
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("written", [str.encode, as_on_windows], ids=["plain", "byte order mark and CRLF"])
def test_every_layout_gives_the_same_path(tmp_path: Path, name, written):
    file = tmp_path / "truth.csv"
    file.write_bytes(written(LAYOUTS[name]))
    found = read_trajectory(file, first_frame_ns=START_NS + 10_000_000)
    expected = path()
    # Microseconds are all that some of them hold.
    assert np.abs(found.stamps_ns - expected.stamps_ns).max() < 1000
    assert np.abs(found.poses - expected.poses).max() < 1e-12
    assert found.oriented


@pytest.mark.parametrize("text", [rows("txyz", " ", seconds), rows("xyzt", stamp=seconds, header="x,y,z,t")])
def test_positions_alone_are_a_path_without_rotations(tmp_path: Path, text):
    file = tmp_path / "gnss.csv"
    file.write_text(text)
    notes: list[str] = []
    found = read_trajectory(file, notes=notes)
    assert not found.oriented
    assert np.array_equal(found.positions, path().positions)
    assert any("positions alone" in note for note in notes)
    (tmp_path / "again.tum").write_text("".join(tum_lines(found)))
    assert not read_trajectory(tmp_path / "again.tum").oriented


def test_a_unit_other_than_seconds_is_said(tmp_path: Path):
    file = tmp_path / "truth.txt"
    file.write_text(LAYOUTS["TUM in nanoseconds"])
    notes: list[str] = []
    read_trajectory(file, notes=notes)
    assert notes == ["stamps of truth.txt are taken as nanoseconds"]


@pytest.mark.parametrize(
    ("stamps", "frame_ns", "expected_ns"),
    [
        (["12.5", "12.6", "12.7"], 12_550_000_000, 12_500_000_000),
        (["12500000000", "12600000000"], 12_550_000_000, 12_500_000_000),
        (["12500000", "12600000"], 12_550_000_000, 12_500_000_000),
        (["12500", "12600"], 12_550_000_000, 12_500_000_000),
        (["100", "110", "120"], 105_000_000_000, 100_000_000_000),
        (["60.000000000", "120.000000000", "180.000000000"], None, 60_000_000_000),
        (["1700000000", "1700000001"], None, 1_700_000_000_000_000_000),
    ],
)
def test_the_unit_is_found_by_spacing_and_by_the_images(tmp_path: Path, stamps, frame_ns, expected_ns):
    file = tmp_path / "truth.txt"
    file.write_text("".join(f"{stamp} 0 0 0 0 0 0 1\n" for stamp in stamps))
    assert read_trajectory(file, first_frame_ns=frame_ns).stamps_ns[0] == expected_ns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,c,d,e\n1,2,3,4,5\n", "line 1 has 5 columns; .* need names such as timestamp,x,y,z"),
        ("t,x,y,z\n1,2,3\n", "line 2: '1 2 3' is not 4 numbers"),
        ("t,x,y,z\n1,2,3,north\n", "line 2: '2 3 north' is not 3 numbers"),
        ("t,x,y,z\n", "holds no pose"),
        ("1e400 0 0 0 0 0 0 1\n", "line 1: '1e400' is no time"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_what_to_write(tmp_path: Path, text, message):
    file = tmp_path / "truth.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_trajectory(file)
    assert "\n" not in str(caught.value)


COUNT = 200
ROWS = 8
NAMES = ("t", "x", "y", "z", "a", "b", "c", "d")
VALUES = ["nan", "-inf", "1e300", "1e999", "", "x", "0", "-1", "1,5", "0x10", "1.0.0", "9" * 40, "7"]
MARKS = {
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


@pytest.mark.parametrize("layout", MARKS)
def test_a_changed_value_is_refused_or_taken_as_written(tmp_path: Path, layout):
    separator, header = MARKS[layout]
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
