# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a run tells of its ground truth: how many frames it covers, and whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drcn_ros.sequences.ground_truth.fit import EstimatedRotation, better_offset, better_order
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# Fewer frames than these, and than this part of all, judge nothing.
_FEW, _FEW_PART = 10, 0.2


@dataclass(frozen=True)
class TruthCoverage:
    """How many frames have ground truth, and why the others have none.

    Attributes:
        frames: of the run.
        known: with ground truth.
        in_gaps: between two poses that are too far apart.
        outside: before the first pose or after the last.
    """

    frames: int
    known: int
    in_gaps: int
    outside: int


def coverage(stamps_ns: Sequence[int], truth: Trajectory | None) -> TruthCoverage:
    """Return how much of the frames a truth covers."""
    if truth is None or not len(truth):
        return TruthCoverage(len(stamps_ns), 0, 0, len(stamps_ns))
    _, known = truth.at(stamps_ns)
    stamps = np.asarray(stamps_ns, np.int64)
    inside = (stamps >= truth.stamps_ns[0]) & (stamps <= truth.stamps_ns[-1])
    return TruthCoverage(len(stamps), int(known.sum()), int((inside & ~known).sum()), int((~inside).sum()))


def truth_lines(
    stamps_ns: Sequence[int],
    turns: Sequence[EstimatedRotation],
    truth: Trajectory | None,
    offset_s: float = 0.0,
) -> list[str]:
    """Return what a person should know of the ground truth of a run, a line each.

    Args:
        stamps_ns: of all frames.
        turns: estimated rotations.
        truth: with its stamps already moved by `offset_s`, or None.
        offset_s: that was asked for.
    """
    if truth is None:
        return []
    covered = coverage(stamps_ns, truth)
    lines = _cover_lines(stamps_ns, truth, covered, offset_s)
    if not truth.oriented:
        return lines
    order = better_order(turns, truth)
    if order is not None:
        lines.append(
            f"the quaternions of the ground truth fit clearly better as w x y z: rotation error "
            f"{order.smaller_deg:.2f} instead of {order.error_deg:.2f} deg in the median; if that is their "
            "order, type --gt-order wxyz"
        )
        return lines
    offset = better_offset(turns, truth)
    if offset is not None:
        lines.append(
            f"the ground truth fits clearly better when its stamps are moved by {offset.offset_s:+.3f} s: "
            f"rotation error {offset.smaller_deg:.2f} instead of {offset.error_deg:.2f} deg in the median; "
            f"type --gt-offset {offset_s + offset.offset_s:.3f}"
        )
    return lines


def _cover_lines(
    stamps_ns: Sequence[int], truth: Trajectory, covered: TruthCoverage, offset_s: float
) -> list[str]:
    if not len(truth) or not len(stamps_ns):
        return ["the ground truth holds no pose, so nothing is judged"] if len(stamps_ns) else []
    images = min(stamps_ns), max(stamps_ns)
    poses = int(truth.stamps_ns[0]), int(truth.stamps_ns[-1])
    spans = f"images from {_text(images[0])} to {_text(images[1])} s, ground truth from {_text(poses[0])} "
    spans += f"to {_text(poses[1])} s"
    overlap = 1e-9 * (min(images[1], poses[1]) - max(images[0], poses[0]))
    missing = f"{1e-9 * (images[0] - poses[0]) + offset_s:.3f}"
    if overlap < 0.0:
        return [
            f"images and ground truth have no time in common: {spans}; give the right file with --gt, or, "
            f"if both begin together, type --gt-offset {missing}"
        ]
    gap = f"gaps of the ground truth longer than {1e-9 * truth.max_gap_ns:g} s"
    if covered.known < max(min(_FEW, covered.frames), _FEW_PART * covered.frames):
        return [
            f"only {covered.known} of {covered.frames} frames have ground truth: {spans}, overlap "
            f"{overlap:.3f} s, {covered.in_gaps} frames in {gap}; see --gt, --gt-offset and --gt-max-gap"
        ]
    lines = []
    if covered.in_gaps:
        lines.append(
            f"{covered.in_gaps} of {covered.frames} frames lie in {gap} and are not judged; "
            "allow longer ones with --gt-max-gap SECONDS"
        )
    if covered.outside:
        lines.append(
            f"{covered.outside} of {covered.frames} frames lie before or after the ground truth and are not "
            "judged"
        )
    return lines


def _text(stamp_ns: int) -> str:
    return f"{1e-9 * stamp_ns:.3f}"
