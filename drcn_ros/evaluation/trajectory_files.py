# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories as text: the TUM RGB-D format and the KITTI format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.evaluation.trajectory import Trajectory
from drcn_ros.geometry.types import Array

_TUM_COLUMNS = 8
_KITTI_COLUMNS = 12


def parse_stamp(text: str) -> int:
    """Return the nanoseconds of a decimal number of seconds, without the rounding of a float.

    Raises:
        InputError: the text is no finite number.
    """
    try:
        return round(Decimal(text) * 1_000_000_000)
    except (InvalidOperation, ValueError, OverflowError):
        msg = f"{text!r} is no time in seconds"
        raise InputError(msg) from None


def format_stamp(stamp_ns: int) -> str:
    """Return nanoseconds as a decimal number of seconds with nine decimals."""
    sign = "-" if stamp_ns < 0 else ""
    seconds, rest = divmod(abs(stamp_ns), 1_000_000_000)
    return f"{sign}{seconds}.{rest:09d}"


def read_trajectory(path: Path, stamps_ns: Sequence[int] | None = None) -> Trajectory:
    """Read a trajectory in TUM or KITTI format, whichever it is.

    Args:
        path: text file.
        stamps_ns: stamps of the poses, needed for the KITTI format, which has none.

    Raises:
        InputError: the file is missing, or is in neither format.
    """
    rows = list(_rows(path))
    if not rows:
        msg = f"trajectory {path} holds no pose"
        raise InputError(msg)
    columns = len(rows[0][1])
    if columns == _KITTI_COLUMNS:
        return _kitti(path, rows, stamps_ns)
    if columns == _TUM_COLUMNS:
        return _tum(path, rows)
    msg = f"trajectory {path}: line {rows[0][0]} has {columns} columns; TUM format has 8 "
    msg += "(stamp x y z qx qy qz qw), KITTI format has 12 (a 3x4 matrix)"
    raise InputError(msg)


def _tum(path: Path, rows: list[tuple[int, list[str]]]) -> Trajectory:
    stamps = []
    numbers = np.zeros((len(rows), _TUM_COLUMNS - 1))
    for index, (line, columns) in enumerate(rows):
        numbers[index] = _numbers(path, line, columns[1:], _TUM_COLUMNS - 1)
        try:
            stamps.append(parse_stamp(columns[0]))
        except InputError as error:
            msg = f"trajectory {path}, line {line}: {error}"
            raise InputError(msg) from None
    try:
        return Trajectory.from_quaternions(stamps, numbers[:, :3], numbers[:, 3:])
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from None


def _kitti(path: Path, rows: list[tuple[int, list[str]]], stamps_ns: Sequence[int] | None) -> Trajectory:
    if stamps_ns is None or len(stamps_ns) != len(rows):
        frames = "unknown" if stamps_ns is None else str(len(stamps_ns))
        msg = f"trajectory {path} is in KITTI format, without stamps, and has {len(rows)} poses; "
        msg += f"it needs one for each frame of the input ({frames})"
        raise InputError(msg)
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    for index, (line, columns) in enumerate(rows):
        poses[index, :3] = np.reshape(_numbers(path, line, columns, _KITTI_COLUMNS), (3, 4))
    try:
        return Trajectory.from_poses(stamps_ns, poses)
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from None


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the columns of each line that is no comment."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                columns = line.replace(",", " ").split()
                if columns and not columns[0].startswith("#"):
                    yield number, columns
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        msg = f"trajectory {path}: {reason}"
        raise InputError(msg) from None


def _numbers(path: Path, line: int, columns: list[str], count: int) -> list[float]:
    try:
        numbers = [float(column) for column in columns]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        msg = f"trajectory {path}, line {line}: {' '.join(columns)!r} is not {count} numbers"
        raise InputError(msg)
    return numbers


def tum_lines(trajectory: Trajectory) -> Iterator[str]:
    """Yield the lines `stamp x y z qx qy qz qw`."""
    for stamp, position, quaternion in zip(
        trajectory.stamps_ns, trajectory.positions, trajectory.quaternions, strict=True
    ):
        yield f"{format_stamp(int(stamp))} {_join(position)} {_join(quaternion)}\n"


def kitti_lines(poses: Array) -> Iterator[str]:
    """Yield the upper three rows of each pose (N, 4, 4) as one line of twelve numbers."""
    for pose in poses:
        yield _join(pose[:3].ravel()) + "\n"


def _join(values: Array) -> str:
    # Seventeen digits bring back the same float; adding zero turns -0 into 0.
    return " ".join(f"{value + 0.0:.17g}" for value in values)
