# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Follows a run frame by frame: judges each one, writes its row, keeps the pictures of the worst."""

from __future__ import annotations

import csv
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drcn_ros.evaluation.estimates import (
    STAGES,
    Correspondences,
    EstimatedPath,
    FrameEstimate,
    estimated_path,
)
from drcn_ros.evaluation.frame_rows import COLUMNS, FrameRow, csv_values
from drcn_ros.evaluation.metrics.accuracy import FAILED
from drcn_ros.evaluation.metrics.pose_errors import PoseError, pose_error
from drcn_ros.evaluation.metrics.summary import larger_error
from drcn_ros.evaluation.report.match_picture import SHORT_KEY, Image, draw_matches
from drcn_ros.foreign.images import write_image
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.states import Reason, State
from drcn_ros.odometry.types import Frame
from drcn_ros.sequences.ground_truth.fit import EstimatedRotation
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# Images of this many frames are kept, since a reference frame may be drawn later.
_RECENT = 12
_WORST = 6
# Lost frames must not take all places of the worst ones.
_WORST_LOST = 3
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class LogOptions:
    """What is judged and kept.

    Attributes:
        min_motion: least true distance that gives a direction of translation, metres.
        matches_every: draw the matches of every so many frames; 0 draws none.
        timing: whether to write wall times, which differ from run to run.
    """

    min_motion: float = 0.01
    matches_every: int = 0
    timing: bool = True


@dataclass(frozen=True)
class WorstFrame:
    """A frame that went badly, and its matches.

    Attributes:
        row: its numbers.
        picture: (H, W, 3) RGB.
    """

    row: FrameRow
    picture: Image


class RunLog:
    """Takes the frames of a run in order.

    Args:
        folder: existing folder that receives `frames.csv` and `matches/`.
        truth: ground truth, or None.
        options: what is judged and kept.
    """

    def __init__(self, folder: Path, truth: Trajectory | None, options: LogOptions) -> None:
        self._folder = folder
        self._truth = truth
        self._options = options
        self.rows: list[FrameRow] = []
        self.errors: list[PoseError] = []
        self.turns: list[EstimatedRotation] = []
        self._poses: list[Array] = []
        self._placed: list[bool] = []
        self._images: OrderedDict[int, Image] = OrderedDict()
        self._worst: list[tuple[float, WorstFrame]] = []
        self._file = (folder / "frames.csv").open("w", encoding="utf-8", newline="")
        self._table = csv.writer(self._file, lineterminator="\n")
        self._table.writerow(COLUMNS)

    def add(self, frame: Frame, estimate: FrameEstimate, matches: Correspondences | None) -> None:
        """Take one frame, its result, and its matches where they are known."""
        error = self._judge(estimate)
        if error is not None:
            self.errors.append(error)
        row = self._row(estimate, error)
        self.rows.append(row)
        self._poses.append(estimate.pose)
        if estimate.rotation is not None and estimate.reference_stamp_ns is not None:
            self.turns.append(
                EstimatedRotation(estimate.reference_stamp_ns, estimate.stamp_ns, estimate.rotation)
            )
        self._placed.append(estimate.placed)
        self._table.writerow(csv_values(row))
        if matches is not None:
            self._draw(frame, row, error, matches)
        self._images[frame.stamp_ns] = frame.image
        while len(self._images) > _RECENT:
            self._images.popitem(last=False)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def path(self) -> EstimatedPath:
        """Return the accumulated poses of all frames so far."""
        return estimated_path(
            [row.stamp for row in self.rows],
            np.array(self._poses).reshape(-1, 4, 4),
            [row.segment for row in self.rows],
            self._placed,
        )

    def worst(self) -> list[WorstFrame]:
        """Return the frames with the largest errors, the worst first."""
        return [frame for _, frame in sorted(self._worst, key=lambda entry: (-entry[0], entry[1].row.frame))]

    def _judge(self, estimate: FrameEstimate) -> PoseError | None:
        """Return the error of a frame that should have a pose, None for others or without ground truth."""
        reference = estimate.reference_stamp_ns
        if estimate.reason == Reason.LATE_FRAME.name:
            return None
        if reference is None and estimate.state is State.LOST and self.rows:
            reference = self.rows[-1].stamp
        if self._truth is None or not self._truth.oriented:
            return None
        if reference is None or estimate.state is State.WAITING_FOR_CALIBRATION:
            return None
        poses, known = self._truth.at([reference, estimate.stamp_ns])
        if not known.all():
            return None
        rotation, direction = estimate.rotation, estimate.direction
        if rotation is None and estimate.state is State.STATIONARY:
            rotation = np.eye(3)
        if direction is not None and np.linalg.norm(direction) < 1e-9:
            direction = None
        return pose_error(rotation, direction, poses[0], poses[1], self._options.min_motion)

    def _row(self, estimate: FrameEstimate, error: PoseError | None) -> FrameRow:
        times = {f"{stage}_ms": estimate.latency_ms.get(stage) for stage in STAGES}
        if not self._options.timing:
            times = dict.fromkeys(times)
        return FrameRow(
            frame=len(self.rows),
            stamp=estimate.stamp_ns,
            reference_stamp=estimate.reference_stamp_ns,
            state=estimate.state.value,
            reason=estimate.reason,
            keypoints=estimate.keypoints,
            matches=estimate.matches,
            inliers=estimate.inliers,
            parallax_px=estimate.parallax_px,
            rotation_error_deg=None if error is None else error.rotation_deg,
            direction_error_deg=None if error is None else error.direction_deg,
            moved_m=None if error is None else error.moved_m,
            segment=estimate.segment,
            detail=estimate.detail,
            **times,
        )

    def _draw(self, frame: Frame, row: FrameRow, error: PoseError | None, matches: Correspondences) -> None:
        badness = self._badness(row, error)
        keep = badness is not None and self._is_among_worst(badness)
        every = self._options.matches_every
        write = every > 0 and row.frame % every == 0
        if not keep and not write:
            return
        reference = None if row.reference_stamp is None else self._images.get(row.reference_stamp)
        picture = draw_matches(reference, frame.image, matches, _caption(row))
        if keep and badness is not None:
            self._keep(badness, WorstFrame(row, picture))
        if write:
            folder = self._folder / "matches"
            folder.mkdir(exist_ok=True)
            write_image(folder / f"{row.frame:06d}.jpg", picture, _JPEG_QUALITY)

    def _badness(self, row: FrameRow, error: PoseError | None) -> float | None:
        if error is not None:
            return larger_error(error, self._options.min_motion)
        # Without ground truth the frames with the fewest inliers are the ones to look at.
        return None if self._truth is not None or row.reference_stamp is None else 1.0 / (1 + row.inliers)

    def _is_among_worst(self, badness: float) -> bool:
        alike = [other for other, _ in self._worst if (other >= FAILED) == (badness >= FAILED)]
        if badness >= FAILED and len(alike) >= _WORST_LOST:
            return False
        return len(self._worst) < _WORST or (badness < FAILED and badness > min(alike, default=np.inf))

    def _keep(self, badness: float, frame: WorstFrame) -> None:
        self._worst.append((badness, frame))
        if len(self._worst) > _WORST:
            finite = [entry for entry in self._worst if entry[0] < FAILED]
            self._worst.remove(min(finite or self._worst, key=lambda entry: entry[0]))


def _caption(row: FrameRow) -> str:
    parts = [f"frame {row.frame}", row.state, f"{row.inliers} of {row.matches} matches agree ({SHORT_KEY})"]
    if row.rotation_error_deg is not None:
        parts.append(f"rotation error {row.rotation_error_deg:.2f} deg")
    if row.direction_error_deg is not None:
        parts.append(f"direction error {row.direction_error_deg:.1f} deg")
    return ", ".join(parts)
