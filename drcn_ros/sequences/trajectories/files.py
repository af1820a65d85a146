# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Trajectories as text: the TUM RGB-D format, the KITTI format, and tables with names in their header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.trajectories.pose_columns import BARE, PLACE, SPLIT, STAMP, TURN, Columns, columns_of
from drcn_ros.sequences.trajectories.stamp_units import NAMES, NANOSECONDS, unit_of
from drcn_ros.sequences.trajectories.table import Row, read_table
from drcn_ros.sequences.trajectories.trajectory import Trajectory

_KITTI_COLUMNS = 12
# Beyond these no unit makes a time whose differences fit into 64 bits.
_LARGEST_STAMP, _LARGEST_NS = 9 * 10**18, 2**62


def parse_stamp(text: str, file: Path | None = None) -> int:
    """Return the nanoseconds of a decimal number of seconds, without the rounding of a float.

    Args:
        text: the number.
        file: that holds it, for the error.

    Raises:
        InputError: the text is no number, or one that no clock reaches.
    """
    try:
        return _within_reach(Decimal(text) * 1_000_000_000)
    except (InvalidOperation, ValueError, OverflowError):
        msg = f"{_named(text, file)} is no time in seconds"
        raise InputError(msg) from None


def parse_nanoseconds(text: str, file: Path | None = None) -> int:
    """Return a whole number of nanoseconds; arguments as for `parse_stamp`.

    Raises:
        InputError: the text is no whole number, or one that no clock reaches.
    """
    try:
        return _within_reach(Decimal(int(text)))
    except (InvalidOperation, ValueError):
        msg = f"{_named(text, file)} is no time in nanoseconds"
        raise InputError(msg) from None


def _within_reach(stamp_ns: Decimal) -> int:
    """Return a stamp as an integer; ValueError where differences of such ones do not fit into 64 bits."""
    if not abs(stamp_ns) <= _LARGEST_NS:
        raise ValueError
    return round(stamp_ns)


def _named(text: str, file: Path | None) -> str:
    shortened = text if len(text) <= 40 else f"{text[:37]}..."
    return repr(shortened) if file is None else f"{file}: {shortened!r}"


def format_stamp(stamp_ns: int) -> str:
    """Return nanoseconds as a decimal number of seconds with nine decimals."""
    sign = "-" if stamp_ns < 0 else ""
    seconds, rest = divmod(abs(stamp_ns), 1_000_000_000)
    return f"{sign}{seconds}.{rest:09d}"


def read_trajectory(
    path: Path,
    stamps_ns: Sequence[int] | None = None,
    first_frame_ns: int | None = None,
    notes: list[str] | None = None,
) -> Trajectory:
    """Read a trajectory: TUM or KITTI format, a table with names in its header, or positions alone.

    Args:
        path: text file.
        stamps_ns: stamps of the poses, needed for the KITTI format, which has none.
        first_frame_ns: of the images that it belongs to; helps to tell the unit of its stamps.
        notes: gets a line for what had to be found out.

    Raises:
        InputError: the file is missing, or is in no such format.
    """
    table = read_table(path)
    if not table.rows:
        msg = f"trajectory {path} holds no pose"
        raise InputError(msg)
    if not table.header and len(table.rows[0].cells) == _KITTI_COLUMNS:
        return _kitti(path, table.rows, stamps_ns)
    columns = columns_of(table.header) if table.header else BARE.get(len(table.rows[0].cells))
    if columns is None:
        row = table.rows[0]
        msg = f"trajectory {path}: line {row.line} has {len(row.cells)} columns; TUM format has 8 "
        msg += "(stamp x y z qx qy qz qw), KITTI format 12 (a 3x4 matrix), positions alone 4 (stamp x y z); "
        msg += "other tables need names such as timestamp,x,y,z,qx,qy,qz,qw in their first line"
        raise InputError(msg)
    return _table(path, table.rows, columns, first_frame_ns, [] if notes is None else notes)


def _table(
    path: Path, rows: Sequence[Row], columns: Columns, first_frame_ns: int | None, notes: list[str]
) -> Trajectory:
    wanted = [*PLACE, *TURN] if columns.oriented else [*PLACE]
    places = [columns.places[name] for name in wanted]
    count = max(columns.places.values()) + 1
    numbers = np.zeros((len(rows), len(wanted)))
    texts = []
    for index, row in enumerate(rows):
        # A cell too many has shifted those behind it, as a decimal comma does between commas.
        cells = list(row.cells)
        if not count <= len(cells) <= (len(columns.names) or len(rows[0].cells)):
            msg = f"trajectory {path}, line {row.line}: {' '.join(cells)!r} is not {count} numbers"
            raise InputError(msg)
        numbers[index] = _numbers(path, row.line, [cells[place] for place in places], len(wanted))
        texts.append(_stamp(path, row.line, cells, columns))
    unit = columns.unit or unit_of(texts, first_frame_ns)
    if unit != "s":
        notes.append(f"stamps of {path.name} are taken as {NAMES[unit]}")
    stamps = [round(stamp * NANOSECONDS[unit]) for stamp in texts]
    for row, stamp in zip(rows, stamps, strict=True):
        if abs(stamp) > _LARGEST_NS:
            text = row.cells[columns.places[STAMP]]
            msg = f"trajectory {path}, line {row.line}: {text!r} {NAMES[unit]} are more than 146 years"
            raise InputError(msg)
    if not columns.oriented:
        notes.append(f"{path.name} holds positions alone: the path is judged, rotations are not")
    try:
        if not columns.oriented:
            poses = np.tile(np.eye(4), (len(numbers), 1, 1))
            poses[:, :3, 3] = numbers
            return replace(Trajectory.from_poses(stamps, poses), oriented=False)
        return Trajectory.from_quaternions(stamps, numbers[:, :3], numbers[:, 3:])
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from None


def _stamp(path: Path, line: int, cells: Sequence[str], columns: Columns) -> Decimal:
    """Return a stamp in the unit of the table; one in two columns in seconds."""
    text = cells[columns.places[STAMP]]
    try:
        stamp = Decimal(text)
        if SPLIT in columns.places:
            stamp += Decimal(cells[columns.places[SPLIT]]) / 1_000_000_000
        if not stamp.is_finite() or abs(stamp) > _LARGEST_STAMP:
            raise InvalidOperation
    except (InvalidOperation, IndexError):
        msg = f"trajectory {path}, line {line}: {text!r} is no time"
        raise InputError(msg) from None
    return stamp


def _kitti(path: Path, rows: Sequence[Row], stamps_ns: Sequence[int] | None) -> Trajectory:
    if stamps_ns is None or len(stamps_ns) != len(rows):
        frames = "unknown" if stamps_ns is None else str(len(stamps_ns))
        msg = f"trajectory {path} is in KITTI format, without stamps, and has {len(rows)} poses; "
        msg += f"it needs one for each frame of the input ({frames})"
        raise InputError(msg)
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    for index, row in enumerate(rows):
        poses[index, :3] = np.reshape(_numbers(path, row.line, row.cells, _KITTI_COLUMNS), (3, 4))
    try:
        return Trajectory.from_poses(stamps_ns, poses)
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from None


def _numbers(path: Path, line: int, cells: Sequence[str], count: int) -> list[float]:
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        msg = f"trajectory {path}, line {line}: {' '.join(cells)!r} is not {count} numbers"
        raise InputError(msg)
    return numbers


def tum_lines(trajectory: Trajectory) -> Iterator[str]:
    """Yield the lines `stamp x y z qx qy qz qw`, where rotations are unknown `stamp x y z`."""
    if not trajectory.oriented:
        for stamp, position in zip(trajectory.stamps_ns, trajectory.positions, strict=True):
            yield f"{format_stamp(int(stamp))} {_join(position)}\n"
        return
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
