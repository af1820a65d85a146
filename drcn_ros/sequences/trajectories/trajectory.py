# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's poses over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import InputError
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.trajectories.quaternions import (
    quaternions_from_rotations,
    rotations_from_quaternions,
    slerp,
)

Stamps = NDArray[np.int64]

# Between two poses further apart than this motion is unknown: 0.1 s, and a fifth for what trembles about it.
LONGEST_GAP_NS = 120_000_000
_LONGEST_QUATERNION = 1e6


@dataclass(frozen=True)
class Trajectory:
    """Poses T_world_camera of the optical frame, strictly ordered in time.

    Attributes:
        stamps_ns: (N,) int64, nanoseconds.
        poses: (N, 4, 4).
        max_gap_ns: longest distance of two poses between which `at` interpolates.
        oriented: whether rotations are known; where they are not, the poses hold the identity.
    """

    stamps_ns: Stamps
    poses: Array
    max_gap_ns: int = LONGEST_GAP_NS
    oriented: bool = True

    @classmethod
    def from_poses(cls, stamps_ns: Iterable[int] | Stamps, poses: Array) -> Trajectory:
        """Sort poses by time; of several with the same stamp the first one stays.

        Raises:
            InputError: a number is not finite, or the numbers of stamps and poses differ.
        """
        stamps = np.asarray(list(stamps_ns), np.int64)
        poses = np.asarray(poses, np.float64).reshape(-1, 4, 4)
        if len(stamps) != len(poses):
            msg = f"trajectory has {len(stamps)} stamps but {len(poses)} poses"
            raise InputError(msg)
        if not np.isfinite(poses).all():
            row = int(np.flatnonzero(~np.isfinite(poses).all(axis=(1, 2)))[0])
            msg = f"trajectory: pose {row} holds a number that is not finite"
            raise InputError(msg)
        stamps, first = np.unique(stamps, return_index=True)
        return cls(stamps, poses[first])

    @classmethod
    def from_quaternions(
        cls, stamps_ns: Iterable[int] | Stamps, positions: Array, quaternions: Array
    ) -> Trajectory:
        """Make a trajectory of positions (N, 3) and quaternions (N, 4) in the order x, y, z, w.

        Raises:
            InputError: a number is not finite, or a quaternion is zero or far too long.
        """
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(quaternions, axis=1)
        if (lengths < 1e-6).any():
            msg = f"trajectory: the quaternion of pose {int(np.argmin(lengths))} is zero"
            raise InputError(msg)
        if (lengths > _LONGEST_QUATERNION).any():
            msg = f"trajectory: the quaternion of pose {int(np.argmax(lengths))} has a length of "
            raise InputError(msg + f"{lengths.max():g}, it should be 1")
        poses = np.tile(np.eye(4), (len(lengths), 1, 1))
        poses[:, :3, :3] = rotations_from_quaternions(quaternions)
        poses[:, :3, 3] = positions
        return cls.from_poses(stamps_ns, poses)

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @property
    def positions(self) -> Array:
        """(N, 3) camera centres."""
        return self.poses[:, :3, 3]

    @property
    def quaternions(self) -> Array:
        """(N, 4) rotations as x, y, z, w."""
        return quaternions_from_rotations(self.poses[:, :3, :3])

    @property
    def length(self) -> float:
        """Length of the path, metres where the poses are metric."""
        return float(np.linalg.norm(np.diff(self.positions, axis=0), axis=1).sum())

    def at(self, stamps_ns: Iterable[int] | Stamps) -> tuple[Array, NDArray[np.bool_]]:
        """Return the poses at other times, and where they are known.

        Positions are interpolated linearly and rotations on great arcs. Before the first pose, after the
        last, and inside a gap of more than `max_gap_ns`, nothing is known.

        Args:
            stamps_ns: (M,) nanoseconds.

        Returns:
            (M, 4, 4) poses, the identity where nothing is known, and (M,) bool.
        """
        wanted = np.asarray(list(stamps_ns), np.int64)
        poses = np.tile(np.eye(4), (len(wanted), 1, 1))
        if len(self) == 0:
            return poses, np.zeros(len(wanted), bool)
        after = np.clip(np.searchsorted(self.stamps_ns, wanted), 0, len(self) - 1)
        exact = self.stamps_ns[after] == wanted
        before = np.where(exact, after, np.maximum(after - 1, 0))
        gaps = self.stamps_ns[after] - self.stamps_ns[before]
        inside = (self.stamps_ns[before] <= wanted) & (wanted <= self.stamps_ns[after])
        known = exact | (inside & (gaps <= self.max_gap_ns))
        share = np.where(exact, 0.0, (wanted - self.stamps_ns[before]) / np.maximum(gaps, 1))[known]
        first, second = before[known], after[known]
        start, end = (quaternions_from_rotations(self.poses[rows, :3, :3]) for rows in (first, second))
        poses[known, :3, :3] = rotations_from_quaternions(slerp(start, end, share))
        # A pose that exists is returned as it is, without the rounding of its quaternion.
        poses[exact, :3, :3] = self.poses[after[exact], :3, :3]
        start, end = self.positions[first], self.positions[second]
        poses[known, :3, 3] = start + share[:, None] * (end - start)
        return poses, known
