# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Similarities x -> s R x + t: poses whose unit of length is not the same everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class Similarity:
    """Maps points of a camera, in the camera's own unit, into another frame.

    Attributes:
        rotation: (3, 3).
        translation: (3,) the camera's centre in the other frame and its unit.
        scale: units of the other frame to one of the camera; positive.
    """

    rotation: Array
    translation: Array
    scale: float = 1.0

    @classmethod
    def identity(cls) -> Similarity:
        """Return what changes nothing."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def of_pose(cls, pose: Array, scale: float = 1.0) -> Similarity:
        """Return the similarity of a rigid pose (4, 4)."""
        return cls(pose[:3, :3].copy(), pose[:3, 3].copy(), scale)

    def __matmul__(self, other: Similarity) -> Similarity:
        return Similarity(
            self.rotation @ other.rotation, self.apply(other.translation), self.scale * other.scale
        )

    def inverse(self) -> Similarity:
        """Return the similarity that leads back."""
        turned = self.rotation.T
        return Similarity(turned, -turned @ self.translation / self.scale, 1.0 / self.scale)

    def apply(self, points: Array) -> Array:
        """Return points (..., 3) of the camera in the other frame."""
        moved: Array = self.scale * points @ self.rotation.T + self.translation
        return moved

    def apply_to_poses(self, poses: Array) -> Array:
        """Return rigid poses (N, 4, 4) of the camera's frame and unit in those of the other frame."""
        moved: Array = poses.copy()
        moved[:, :3, :3] = self.rotation @ poses[:, :3, :3]
        moved[:, :3, 3] = self.apply(poses[:, :3, 3])
        return moved

    def pose(self) -> Array:
        """Return the rigid pose (4, 4) of the camera in the other frame."""
        result = np.eye(4)
        result[:3, :3], result[:3, 3] = self.rotation, self.translation
        return result
