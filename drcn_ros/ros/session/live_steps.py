# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node's answers as the steps of a run, so that a live run is judged like a direct one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from drcn_ros.evaluation.estimates import STAGES, Correspondences, FrameEstimate
from drcn_ros.evaluation.runner import Step
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Frame
from drcn_ros.ros.session.live import LiveSession
from drcn_ros.ros.session.recorder import FrameRecord
from drcn_ros.sequences.trajectories.files import parse_stamp


def live_steps(frames: Iterable[Frame], records: Mapping[int, FrameRecord]) -> Iterator[Step]:
    """Yield a step for each frame that the node answered; those that it dropped are left out.

    Args:
        frames: the frames that were played, read anew.
        records: what the node published, by stamp.
    """
    poses: dict[int, Array] = {}
    for frame in frames:
        record = records.get(frame.stamp_ns)
        if record is not None and record.status:
            yield _step(frame, record, poses)


def answered_steps(session: LiveSession, frames: Iterable[Frame]) -> Iterator[Step]:
    """Play frames one by one, each when the answer to the last one is there, and yield their steps.

    Raises:
        DrcnError: the node ended, or an answer did not come.
    """
    poses: dict[int, Array] = {}
    for frame in frames:
        yield _step(frame, session.answer_to(frame), poses)


def _step(frame: Frame, record: FrameRecord, poses: dict[int, Array]) -> Step:
    """Return the step of a frame; `poses` holds those accumulated so far, by stamp, and gets this one."""
    estimate = _estimate(frame.stamp_ns, record)
    if record.pose is not None:
        poses[frame.stamp_ns] = record.pose
    reference = poses.get(estimate.reference_stamp_ns or 0)
    if estimate.rotation is None and record.pose is not None and reference is not None:
        # A camera that only turns has no relative pose, but its accumulated pose turns.
        rotation = reference[:3, :3].T @ record.pose[:3, :3]
        estimate = replace(estimate, rotation=rotation)
    return Step(frame, estimate, _correspondences(record))


def _estimate(stamp_ns: int, record: FrameRecord) -> FrameEstimate:
    status, relative = record.status, record.relative_pose
    reference = status["reference_stamp"]
    return FrameEstimate(
        stamp_ns=stamp_ns,
        state=State(status["state"]),
        reason=status["reason"],
        detail=status["detail"],
        keypoints=int(status["keypoints"]),
        matches=int(status["matches"]),
        inliers=int(status["inliers"]),
        parallax_px=float(status["parallax_px"]) if status["parallax_px"] else None,
        reference_stamp_ns=parse_stamp(reference) if reference else None,
        rotation=None if relative is None else relative[:3, :3],
        direction=None if relative is None else relative[:3, 3],
        pose=np.eye(4) if record.pose is None else record.pose,
        segment=int(status["segment"]),
        latency_ms={stage: float(status[f"{stage}_ms"]) for stage in STAGES},
        still_part=0.01 * float(status["still_percent"]),
    )


def _correspondences(record: FrameRecord) -> Correspondences | None:
    rows = record.matches
    if rows is None:
        return None
    return Correspondences(
        np.stack([rows["ref_u"], rows["ref_v"]], axis=1),
        np.stack([rows["u"], rows["v"]], axis=1),
        rows["inlier"].astype(bool),
    )
