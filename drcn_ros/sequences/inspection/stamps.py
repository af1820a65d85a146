# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the stamps of a recording tell: rate, gaps, and which ones come late, twice or are empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# A distance of so many times the usual one is a gap.
_GAP = 2.5


@dataclass(frozen=True)
class StampSummary:
    """Stamps in a few numbers; times in seconds.

    Attributes:
        count: of the stamps.
        first, last: the earliest and the latest.
        usual: median distance of two that follow each other, 0 for fewer than two.
        longest, longest_at: the longest distance, and when it begins after the first stamp.
        gaps: distances of more than 2.5 times the usual one.
        late, equal, empty: stamps older than one before them, equal to one before them, zero.
    """

    count: int
    first: float
    last: float
    usual: float
    longest: float
    longest_at: float
    gaps: int
    late: int
    equal: int
    empty: int

    @classmethod
    def of(cls, stamps_ns: Sequence[int]) -> StampSummary:
        """Return the summary of stamps in the order of their arrival."""
        if not len(stamps_ns):
            return cls(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0)
        arrived = np.asarray(stamps_ns, np.int64)
        newest = np.maximum.accumulate(arrived)
        late = int((arrived[1:] < newest[:-1]).sum())
        ordered = np.unique(arrived)
        steps = np.diff(ordered) * 1e-9
        usual = float(np.median(steps)) if len(steps) else 0.0
        longest = int(np.argmax(steps)) if len(steps) else 0
        return cls(
            count=len(arrived),
            first=1e-9 * int(ordered[0]),
            last=1e-9 * int(ordered[-1]),
            usual=usual,
            longest=float(steps[longest]) if len(steps) else 0.0,
            longest_at=1e-9 * int(ordered[longest] - ordered[0]),
            gaps=int((steps > _GAP * usual).sum()),
            late=late,
            equal=len(arrived) - len(ordered),
            empty=int((arrived == 0).sum()),
        )

    def lines(self) -> list[str]:
        """Return it as text."""
        if not self.count:
            return ["none"]
        rate = f", {1.0 / self.usual:.2f} Hz (a distance of {1e3 * self.usual:.1f} ms in the median)" if (
            self.usual > 0.0
        ) else ""  # fmt: skip
        lines = [f"{self.first:.3f} to {self.last:.3f} s, {self.last - self.first:.3f} s long{rate}"]
        if self.usual > 0.0:
            lines.append(
                f"longest distance {1e3 * self.longest:.1f} ms, at {self.longest_at:.3f} s; "
                f"{self.gaps} gaps of more than {_GAP:g} times the usual distance"
            )
        lines.append(
            f"{self.late} late (older than one before), {self.equal} equal to another, {self.empty} empty"
        )
        return lines
