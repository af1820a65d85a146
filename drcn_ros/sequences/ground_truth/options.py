# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a user may say about ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from drcn_ros.errors import InputError
from drcn_ros.sequences.ground_truth.fit import reordered
from drcn_ros.sequences.trajectories.trajectory import LONGEST_GAP_NS, Trajectory

ORDERS = ("xyzw", "wxyz")


@dataclass(frozen=True)
class TruthOptions:
    """How ground truth is found and meant.

    Attributes:
        file: in place of the input's own, or None.
        offset_s: added to its stamps.
        max_gap_s: longest distance of two poses between which it is interpolated.
        order: of the quaternions of `file`, where its header does not name them.

    Raises:
        InputError: a number cannot be meant so, or an order is given without a file.
    """

    file: Path | None = None
    offset_s: float = 0.0
    max_gap_s: float = 1e-9 * LONGEST_GAP_NS
    order: str = ORDERS[0]

    def __post_init__(self) -> None:
        if not math.isfinite(self.offset_s) or abs(self.offset_s) > 4e9:
            msg = f"--gt-offset {self.offset_s:g}: must be a number of seconds"
            raise InputError(msg)
        if not 0.0 <= self.max_gap_s <= 3600.0:
            msg = f"--gt-max-gap {self.max_gap_s:g}: must be seconds between 0 and 3600"
            raise InputError(msg)
        if self.order != ORDERS[0] and self.file is None:
            msg = f"--gt-order {self.order}: goes with --gt FILE; other ground truth says its order itself"
            raise InputError(msg)

    def applied(self, truth: Trajectory) -> Trajectory:
        """Return a truth with its stamps moved, and its quaternions and gaps as they are meant."""
        if self.order != ORDERS[0] and truth.oriented:
            truth = reordered(truth)
        return replace(
            truth,
            stamps_ns=truth.stamps_ns + round(1e9 * self.offset_s),
            max_gap_ns=round(1e9 * self.max_gap_s),
        )
