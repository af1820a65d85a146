# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How far an estimated relative pose lies from the true one, as a camera without scale can be judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class PoseError:
    """Errors of one relative pose.

    Attributes:
        rotation_deg: angle of the rotation that is missing, degrees; None where no rotation is known.
        direction_deg: angle between the directions of translation; None where no direction is known, or
            where the camera did not move enough to have one.
        moved_m: true distance between the two camera centres, metres.
    """

    rotation_deg: float | None
    direction_deg: float | None
    moved_m: float


def pose_error(
    rotation: Array | None, direction: Array | None, reference: Array, current: Array, min_motion: float
) -> PoseError:
    """Judge a relative pose against the ground truth between its own reference and current frame.

    Args:
        rotation: (3, 3) of T_ref_cur, or None.
        direction: (3,) of its translation, of any length, or None.
        reference, current: (4, 4) true T_world_camera of both frames.
        min_motion: least true distance that gives a direction, metres.
    """
    truth_rotation = reference[:3, :3].T @ current[:3, :3]
    truth_translation = reference[:3, :3].T @ (current[:3, 3] - reference[:3, 3])
    moved = float(np.linalg.norm(truth_translation))
    rotation_deg = None if rotation is None else angle_between_rotations(rotation, truth_rotation)
    direction_deg = None
    if direction is not None and moved >= min_motion:
        direction_deg = angle_between(direction, truth_translation)
    return PoseError(rotation_deg, direction_deg, moved)


def angle_between_rotations(first: Array, second: Array) -> float:
    """Return the angle of the rotation that leads from one rotation (3, 3) to another, degrees."""
    return float(np.degrees(np.linalg.norm(rotation_vector(first.T @ second))))


def angle_between(first: Array, second: Array) -> float:
    """Return the angle between two vectors (3,), degrees; exact also where it is tiny."""
    cross, dot = np.linalg.norm(np.cross(first, second)), float(first @ second)
    return float(np.degrees(np.arctan2(cross, dot)))
