# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The odometry over whole sequences, rendered and recorded, by matcher: states, errors, shape of the path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.evaluation.estimates import FrameEstimate, estimated_path
from drcn_ros.evaluation.metrics.drift import ScaleDrift, drift, scale_drift
from drcn_ros.evaluation.metrics.pose_errors import PoseError, pose_error
from drcn_ros.evaluation.metrics.summary import Spread, align, ate_metrics
from drcn_ros.evaluation.runner import run_direct
from drcn_ros.matching.base import Matcher
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.sequences import ImageSequence, Selection, open_sequence
from drcn_ros.sequences.rendered import SCENE, open_scene
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# Least true motion that has a direction, metres.
_MIN_MOTION = 0.01


@dataclass(frozen=True)
class OdometryReport:
    """What one matcher made of one sequence.

    Attributes:
        states: number of frames by state.
        rotation_deg, direction_deg: errors against the truth between each frame and its own reference.
        path_percent: RMSE after a similarity over the length of the path, percent, or None.
        scale_drift: by tenths of the run.
        restarts: segments after the first.
        geometry_ms: wall time of geometry and tracks of a frame, median.
    """

    states: Mapping[str, int]
    rotation_deg: Spread
    direction_deg: Spread
    path_percent: float | None
    scale_drift: ScaleDrift
    restarts: int
    geometry_ms: float


def open_input(name: str, frames: int) -> tuple[ImageSequence, Selection]:
    """Return the sequence and the frames that `scene:NAME` or `DIR@STEP` means.

    Args:
        name: as above; without `@STEP` every frame is taken.
        frames: of a rendered scene.

    Raises:
        InputError: there is no such input, the step is no number, or the ground truth is missing.
    """
    if name.startswith(SCENE):
        return open_scene(name, frames), Selection()
    path, _, step = name.rpartition("@")
    if path and not step.isdigit():
        msg = f"input {name}: the step after @ must be a number of frames, at least 1"
        raise InputError(msg)
    sequence = open_sequence(path or name)
    if sequence.ground_truth is None:
        msg = f"input {name} has no ground truth, so nothing can be judged"
        raise InputError(msg)
    return sequence, Selection(step=int(step) if path else 1)


def judge_odometry(
    sequence: ImageSequence, selection: Selection, config: OdometryConfig, matcher: Matcher[Any]
) -> OdometryReport:
    """Run the odometry over a sequence with ground truth and judge it."""
    truth = sequence.ground_truth
    assert truth is not None
    estimates = [step.estimate for step in run_direct(sequence, selection, config, matcher)]
    errors = [error for error in (_error(estimate, truth) for estimate in estimates) if error is not None]
    path = estimated_path(
        [estimate.stamp_ns for estimate in estimates],
        np.array([estimate.pose for estimate in estimates]).reshape(-1, 4, 4),
        [estimate.segment for estimate in estimates],
        [estimate.placed for estimate in estimates],
    )
    paths = align(path.known, truth)
    segment_at = {estimate.stamp_ns: estimate.segment for estimate in estimates}
    segments = [segment_at[int(stamp)] for stamp in paths.stamps_ns]
    return OdometryReport(
        states=dict(Counter(estimate.state.name for estimate in estimates)),
        rotation_deg=Spread.of([error.rotation_deg for error in errors if error.rotation_deg is not None]),
        direction_deg=Spread.of([error.direction_deg for error in errors if error.direction_deg is not None]),
        path_percent=ate_metrics(paths).percent_of_path,
        scale_drift=scale_drift(drift(paths, segments)),
        restarts=estimates[-1].segment if estimates else 0,
        geometry_ms=float(np.median([estimate.latency_ms["geometry"] for estimate in estimates])),
    )


def _error(estimate: FrameEstimate, truth: Trajectory) -> PoseError | None:
    if estimate.reference_stamp_ns is None or estimate.rotation is None:
        return None
    poses, known = truth.at([estimate.reference_stamp_ns, estimate.stamp_ns])
    if not known.all():
        return None
    return pose_error(estimate.rotation, estimate.direction, poses[0], poses[1], _MIN_MOTION)
