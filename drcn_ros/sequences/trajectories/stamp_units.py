# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""In which unit the stamps of a table are: seconds, milliseconds, microseconds or nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# Distance of two poses that a recording has in the median, seconds.
_SHORTEST, _LONGEST = 1e-4, 20.0
# Time since 1970 lies between these, seconds: 1980 and 2100.
_EPOCH = (315_532_800, 4_102_444_800)


def unit_of(stamps: Sequence[Decimal], first_frame_ns: int | None) -> str:
    """Return the unit of stamps, "s" where nothing speaks for another one.

    Args:
        stamps: as written, in any order.
        first_frame_ns: stamp of the first image, or None; the unit in which the stamps reach it is preferred.
    """
    ordered = sorted(stamps)
    if _written_as_seconds(ordered[0]):
        return "s"
    steps = sorted(b - a for a, b in pairwise(ordered) if b > a)
    step = float(steps[len(steps) // 2]) if steps else None
    units = [unit for unit in NANOSECONDS if step is None or _plausible(step * _seconds(unit))]
    if first_frame_ns is not None:
        reach = [unit for unit in units if _reaches(ordered, unit, first_frame_ns)]
        units = reach or units
    since_1970 = [unit for unit in units if _EPOCH[0] <= float(ordered[-1]) * _seconds(unit) <= _EPOCH[1]]
    if since_1970:
        return since_1970[0]
    return units[0] if units else "s"


def _written_as_seconds(stamp: Decimal) -> bool:
    """Return whether a stamp has digits behind its point that only seconds have."""
    exponent = stamp.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent <= -9 or (exponent < -3 and stamp != stamp.to_integral_value())


def _seconds(unit: str) -> float:
    return 1e-9 * NANOSECONDS[unit]


def _plausible(step: float) -> bool:
    return _SHORTEST <= step <= _LONGEST


def _reaches(ordered: Sequence[Decimal], unit: str, frame_ns: int) -> bool:
    """Return whether a frame lies within the stamps, or before them by no more than they are long."""
    first, last = (float(stamp) * NANOSECONDS[unit] for stamp in (ordered[0], ordered[-1]))
    return first - max(last - first, 1e9) <= frame_ns <= last
