# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Puts the messages of a frame together, which come in any order, late, twice or not at all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drcn_ros.geometry.types import Array, RelativePose
from drcn_ros.geometry.uncertain_pose import UncertainPose, invert
from drcn_ros.mapping.from_result import PLACED, frame_points
from drcn_ros.mapping.types import FramePoints, TrackedFrame
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.motion import scaled
from drcn_ros.odometry.states import State
from drcn_ros.ros.messages.convert import matrix_from_parts, nanoseconds
from drcn_ros.ros.messages.poses import FOLLOWING
from drcn_ros.ros.session.recorder import cloud_rows
from drcn_ros.sequences.trajectories.files import parse_stamp

# Messages of each frame, by the name of their topic.
TOPICS = ("status", "pose", "relative_pose", "keypoints", "points")
# Frames that wait for their messages at most; more than that and one of them will not come any more.
_MOST = 200
# Poses that are remembered as references.
_MEMORY = 1000
# Variance of a turn that is published without one, squared radians.
_TURN_VARIANCE = 1e-6


@dataclass
class Counts:
    """What became of the frames.

    Attributes:
        taken: handed on.
        lost: whose place the odometry did not know.
        incomplete: taken or left out without all of their messages.
        late: that came after a younger one had been handed on, or twice.
        damaged: messages that could not be read.
    """

    taken: int = 0
    lost: int = 0
    incomplete: int = 0
    late: int = 0
    damaged: int = 0


@dataclass
class _Parts:
    """The messages of one frame so far."""

    arrived: float
    messages: dict[str, Any] = field(default_factory=dict)


class FrameCollector:
    """Collects messages by the stamp of their image, and hands frames on in order.

    Args:
        base_from_camera: gives T_base_camera (4, 4) by the name of the camera's frame, or None while it is
            not known; for an odometry that publishes the pose of the camera it is the identity.
        patience_s: how long a frame waits for a missing message.
    """

    def __init__(self, base_from_camera: Callable[[str], Array | None], patience_s: float) -> None:
        self._base_from_camera = base_from_camera
        self.patience_s = patience_s
        self._waiting: dict[int, _Parts] = {}
        self._newest = -1
        self._poses: OrderedDict[int, Array] = OrderedDict()
        self.counts = Counts()
        self.odom_frame = ""
        self.complaint = ""

    def __len__(self) -> int:
        """Frames that wait for a message."""
        return len(self._waiting)

    def reset(self) -> None:
        """Forget all frames, so that also older ones are taken from now on."""
        self._waiting.clear()
        self._poses.clear()
        self._newest = -1

    def add(self, topic: str, message: Any, now: float) -> None:
        """Take a message of a topic of `TOPICS`; `now` is of a clock that never goes back, seconds."""
        try:
            stamp = _stamp(topic, message)
        except (KeyError, ValueError) as error:
            self._complain(topic, error)
            return
        if stamp <= self._newest:
            # One count for each frame, not for each of its messages.
            self.counts.late += topic == "status"
            return
        parts = self._waiting.setdefault(stamp, _Parts(now))
        if topic in parts.messages:
            self.counts.late += topic == "status"
            return
        parts.messages[topic] = message

    def take(self, now: float) -> list[TrackedFrame]:
        """Return the frames that are complete, or have waited long enough, the oldest first."""
        frames = []
        for stamp in sorted(self._waiting):
            parts = self._waiting[stamp]
            missing = _missing(parts.messages)
            patient = now - parts.arrived < self.patience_s and len(self._waiting) <= _MOST
            if missing and patient:
                break
            del self._waiting[stamp]
            self._newest = stamp
            self.counts.incomplete += bool(missing)
            try:
                frame = self._frame(stamp, parts.messages)
            except (KeyError, ValueError) as error:
                self._complain("frame", error)
                continue
            if frame is not None:
                self.counts.taken += 1
                frames.append(frame)
        return frames

    def _complain(self, what: str, error: Exception) -> None:
        self.counts.damaged += 1
        self.complaint = f"{what}: {type(error).__name__}: {error}"

    def _frame(self, stamp: int, messages: Mapping[str, Any]) -> TrackedFrame | None:
        if "status" not in messages:
            return None
        status = _values(messages["status"])
        state = State(status["state"])
        if state not in PLACED:
            self.counts.lost += 1
            return None
        if "pose" not in messages:
            return None
        pose = self._camera_pose(messages["pose"], messages["status"].hardware_id)
        if pose is None:
            return None
        reference = parse_stamp(status["reference_stamp"]) if status["reference_stamp"] else None
        step = self._step(state, status, messages.get("relative_pose"), reference, pose)
        self._poses[stamp] = pose
        if len(self._poses) > _MEMORY:
            self._poses.popitem(last=False)
        points = self._points(pose, messages)
        metric = status["metric"] == "true"
        return TrackedFrame(stamp, int(status["segment"]), pose, metric, reference, step, points)

    def _camera_pose(self, message: Any, camera_frame: str) -> Array | None:
        """Return T_odom_camera (4, 4), or None where the camera's place on the base is not known yet."""
        mounted = self._base_from_camera(camera_frame)
        if mounted is None:
            return None
        self.odom_frame = message.header.frame_id
        return _matrix(message.pose.pose) @ mounted

    def _step(
        self,
        state: State,
        status: Mapping[str, str],
        relative: Any | None,
        reference: int | None,
        pose: Array,
    ) -> UncertainPose | None:
        """Return the motion since the reference, or None where it has not been published."""
        if relative is not None:
            matrix = _matrix(relative.pose.pose)
            covariance = np.array(relative.pose.covariance, np.float64).reshape(6, 6)
            if not np.isfinite(covariance).all():
                raise ValueError("a covariance that is not finite")
            names = ("step_length", "step_deviation")
            length, deviation = (float(status[name]) if status.get(name) else None for name in names)
            return scaled(RelativePose(matrix[:3, :3], matrix[:3, 3], covariance), length, deviation)
        before = None if reference is None else self._poses.get(reference)
        if before is None or state is State.TRACKING:
            return None
        # Of a frame that only turned or stood, the poses tell the motion.
        return UncertainPose(invert(before) @ pose, np.diag([0.0] * 3 + [_TURN_VARIANCE] * 3))

    def _points(self, pose: Array, messages: Mapping[str, Any]) -> FramePoints | None:
        if "keypoints" not in messages:
            return None
        rows = cloud_rows(messages["keypoints"])
        landmarks = None
        if "points" in messages:
            known = cloud_rows(messages["points"])
            landmarks = MapPoints(
                np.column_stack([known[axis] for axis in "xyz"]).astype(np.float64),
                known["variance"].astype(np.float64),
                known["id"],
                known["observations"],
            )
        names = rows.dtype.names or ()
        return frame_points(
            pose,
            np.column_stack([rows["u"], rows["v"]]),
            np.column_stack([rows["x"], rows["y"]]).astype(np.float64),
            rows["id"],
            rows["descriptor"] if "descriptor" in names else None,
            landmarks,
        )


def _missing(messages: Mapping[str, Any]) -> bool:
    """Whether a message is still to come; which ones there will be depends on the frame's state."""
    if "status" not in messages:
        return True
    try:
        state = State(_values(messages["status"])["state"])
    except (KeyError, ValueError):
        return False
    if state not in PLACED:
        return False
    wanted = {"pose", "keypoints"}
    if state in FOLLOWING:
        wanted.add("points")
    if state is State.TRACKING:
        wanted.add("relative_pose")
    return not wanted <= messages.keys()


def _stamp(topic: str, message: Any) -> int:
    return parse_stamp(_values(message)["stamp"]) if topic == "status" else nanoseconds(message.header.stamp)


def _values(status: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in status.values}


def _matrix(pose: Any) -> Array:
    """Return a pose message as a (4, 4) matrix; raise ValueError where it is none."""
    matrix = matrix_from_parts(pose.position, pose.orientation)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3]) - 1.0) > 1e-3:
        raise ValueError("a pose that is none")
    return matrix
