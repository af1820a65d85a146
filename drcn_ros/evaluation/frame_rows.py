# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One row per frame of a run: in memory, and as `frames.csv`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.trajectories.files import format_stamp, parse_stamp


@dataclass(frozen=True)
class FrameRow:
    """What is written of one frame; the fields are the columns of `frames.csv`.

    Attributes:
        frame: number of the processed frame, from 0.
        stamp, reference_stamp: nanoseconds here, seconds in the file.
        state, reason: names as in `State` and `Reason`.
        keypoints, matches, inliers: their numbers.
        parallax_px: or None.
        rotation_error_deg, direction_error_deg: against the ground truth, or None.
        moved_m: true distance from the reference frame, or None.
        segment: counts restarts.
        extract_ms, match_ms, geometry_ms, total_ms: wall time, or None.
        detail: the numbers behind the state.
    """

    frame: int
    stamp: int
    reference_stamp: int | None
    state: str
    reason: str
    keypoints: int
    matches: int
    inliers: int
    parallax_px: float | None
    rotation_error_deg: float | None
    direction_error_deg: float | None
    moved_m: float | None
    segment: int
    extract_ms: float | None
    match_ms: float | None
    geometry_ms: float | None
    total_ms: float | None
    detail: str


COLUMNS = tuple(field.name for field in fields(FrameRow))
_STAMPS = ("stamp", "reference_stamp")


def csv_values(row: FrameRow) -> list[str]:
    """Return a row as text; a float comes back exactly, None is empty."""
    return [_text(name, getattr(row, name)) for name in COLUMNS]


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _STAMPS:
        return format_stamp(value)
    return repr(float(value)) if isinstance(value, float) else str(value)


def read_rows(path: Path) -> list[FrameRow]:
    """Read `frames.csv`.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(_rows(csv.DictReader(file)))
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise InputError(msg) from None
    except (KeyError, ValueError, TypeError, OverflowError, csv.Error) as error:
        msg = f"{path} is not as `drcn evaluate` writes it ({error})"
        raise InputError(msg) from None


def _rows(table: Iterable[dict[str, str]]) -> Iterator[FrameRow]:
    for entry in table:
        values: dict[str, Any] = {}
        for field in fields(FrameRow):
            text = entry[field.name]
            values[field.name] = _parser(field.name, str(field.type))(text)
        yield FrameRow(**values)


def _parser(name: str, kind: str) -> Callable[[str], Any]:
    plain: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str}
    parse = parse_stamp if name in _STAMPS else plain[kind.removesuffix(" | None")]
    return (lambda text: parse(text) if text else None) if kind.endswith("None") else parse


def column(rows: Sequence[FrameRow], name: str) -> Array:
    """Return one column of numbers as an array, NaN where it is empty."""
    values = (getattr(row, name) for row in rows)
    return np.array([np.nan if value is None else value for value in values], np.float64)


def seconds(rows: Sequence[FrameRow]) -> Array:
    """Return the time of each frame since the first one, seconds."""
    first = rows[0].stamp if rows else 0
    return np.array([(row.stamp - first) * 1e-9 for row in rows], np.float64)
