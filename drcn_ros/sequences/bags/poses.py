# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth out of a bag: pose and odometry topics, and chains of transforms."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from drcn_ros.errors import InputError
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.bags.bag import Bag, Topic
from drcn_ros.sequences.base import Notes
from drcn_ros.sequences.trajectories.quaternions import rotations_from_quaternions
from drcn_ros.sequences.trajectories.trajectory import Trajectory

TF_TYPE = "tf2_msgs/msg/TFMessage"

_SECOND_NS = 1_000_000_000


def _pose(pose: Any) -> tuple[Any, Any]:
    return pose.position, pose.orientation


def _transform(transform: Any) -> tuple[Any, Any]:
    return transform.translation, transform.rotation


# How to get position and orientation out of each type.
POSE_TYPES: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "geometry_msgs/msg/PoseStamped": lambda message: _pose(message.pose),
    "geometry_msgs/msg/PoseWithCovarianceStamped": lambda message: _pose(message.pose.pose),
    "geometry_msgs/msg/TransformStamped": lambda message: _transform(message.transform),
    "nav_msgs/msg/Odometry": lambda message: _pose(message.pose.pose),
}


@dataclass
class _Samples:
    """Stamps and poses as they come."""

    stamps_ns: list[int] = field(default_factory=list)
    numbers: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, stamp: Any, position: Any, orientation: Any) -> None:
        self.stamps_ns.append(int(stamp.sec) * _SECOND_NS + int(stamp.nanosec))
        self.numbers.append(
            (position.x, position.y, position.z, orientation.x, orientation.y, orientation.z, orientation.w)
        )

    def trajectory(self) -> Trajectory:
        table = np.array(self.numbers, np.float64).reshape(-1, 7)
        return Trajectory.from_quaternions(self.stamps_ns, table[:, :3], table[:, 3:])

    def last(self) -> Array:
        pose = np.eye(4)
        row = np.array([self.numbers[-1]], np.float64)
        pose[:3, :3] = rotations_from_quaternions(row[:, 3:])[0]
        pose[:3, 3] = row[0, :3]
        return pose


class PoseReader:
    """Reads the poses of the camera's optical frame.

    Args:
        bag: the recording.
        camera_frame: `frame_id` of the images.
        notes: told what had to be assumed.
    """

    def __init__(self, bag: Bag, camera_frame: str, notes: Notes) -> None:
        self._bag = bag
        self._camera_frame = camera_frame
        self._notes = notes

    def from_topic(self, topic: Topic) -> Trajectory:
        """Return the poses of a pose or odometry topic.

        Where the bag's static transforms lead from the tracked frame to the camera they are applied.

        Raises:
            InputError: a number is not finite, or a quaternion is zero.
        """
        samples = _Samples()
        tracked = ""
        for message in self._bag.decoded(topic):
            tracked = tracked or str(getattr(message, "child_frame_id", ""))
            samples.add(message.header.stamp, *POSE_TYPES[topic.type](message))
        try:
            poses = samples.trajectory()
        except InputError as error:
            msg = f"{topic.name}: {error}"
            raise InputError(msg) from None
        if tracked == self._camera_frame:
            return poses
        mounting = _chain(self._transforms(static=True), self._camera_frame, tracked) if tracked else None
        if mounting is None:
            self._notes.add(f"poses of {topic.name} are taken as those of the camera's optical frame")
            return poses
        offset = np.linalg.multi_dot([np.eye(4), *(samples.last() for samples in mounting), np.eye(4)])
        return Trajectory(poses.stamps_ns, poses.poses @ offset)

    def from_transforms(self, required: bool) -> Trajectory | None:
        """Return the poses of the camera in the root of its transform tree.

        Args:
            required: whether it is an error that the tree does not move the camera.

        Raises:
            InputError: as said, or a transform is not finite.
        """
        moving, static = self._transforms(static=False), self._transforms(static=True)
        chain = _chain({**static, **moving}, self._camera_frame, "") or []
        trajectories = [
            samples.trajectory() for samples in chain if any(samples is other for _, other in moving.values())
        ]
        if not trajectories:
            if required:
                msg = f"bag {self._bag.path}: no transform moves the camera frame {self._camera_frame!r}"
                raise InputError(msg)
            return None
        stamps = max(trajectories, key=len).stamps_ns
        poses, known = np.tile(np.eye(4), (len(stamps), 1, 1)), np.ones(len(stamps), bool)
        for samples in chain:
            if any(samples is other for _, other in moving.values()):
                edge, there = _at_any_rate(samples.trajectory()).at(stamps)
                poses, known = poses @ edge, known & there
            else:
                poses = poses @ samples.last()
        return Trajectory(stamps[known], poses[known])

    def _transforms(self, static: bool) -> dict[str, tuple[str, _Samples]]:
        """Return parent and samples of each frame."""
        end = "tf_static" if static else "tf"
        topics = [topic for topic in self._bag.topics() if topic.type == TF_TYPE and topic.name.endswith(end)]
        edges: dict[str, tuple[str, _Samples]] = {}
        for message in itertools.chain.from_iterable(self._bag.decoded(topic) for topic in topics):
            for entry in message.transforms:
                child = entry.child_frame_id.lstrip("/")
                _, samples = edges.setdefault(child, (entry.header.frame_id.lstrip("/"), _Samples()))
                samples.add(entry.header.stamp, *_transform(entry.transform))
        return edges


def _at_any_rate(edge: Trajectory) -> Trajectory:
    """Return a transform of which more than a few in a row must be missing to make a gap."""
    usual = float(np.median(np.diff(edge.stamps_ns))) if len(edge) > 1 else 0.0
    return replace(edge, max_gap_ns=max(edge.max_gap_ns, round(2.5 * usual)))


def _chain(edges: dict[str, tuple[str, _Samples]], start: str, end: str) -> list[_Samples] | None:
    """Return the transforms from `end` down to `start`, first the outermost; None if `end` is not above.

    Args:
        edges: parent and samples of each frame.
        start: the frame to climb from.
        end: the frame to reach; empty for the root.
    """
    chain: list[_Samples] = []
    frame = start.lstrip("/")
    # A tree has no circle, but a damaged recording may.
    while frame in edges and frame != end.lstrip("/") and len(chain) <= len(edges):
        parent, samples = edges[frame]
        chain.insert(0, samples)
        frame = parent
    return chain if not end or frame == end.lstrip("/") else None
