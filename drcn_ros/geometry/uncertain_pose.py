# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Poses with covariance, and their composition.

A pose is a (4, 4) matrix. Its covariance (6, 6) has the order of ROS: translation x y z, then rotation about
the fixed axes x y z of the frame in which the pose is given. So the true pose is [Exp(r) R | t + d] with
(d, r) of that covariance, and all formulas here are the first-order propagation of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.rotation import cross_matrix
from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class UncertainPose:
    """A pose and its covariance, (4, 4) and (6, 6)."""

    matrix: Array
    covariance: Array


def block_diagonal(block: Array) -> Array:
    """Return the (6, 6) matrix with a (3, 3) block on its diagonal twice."""
    result = np.zeros((6, 6))
    result[:3, :3] = result[3:, 3:] = block
    return result


def invert(matrix: Array) -> Array:
    """Return the inverse of a rigid (4, 4) transform."""
    result = np.eye(4)
    result[:3, :3] = matrix[:3, :3].T
    result[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return result


def compose(first: UncertainPose, second: UncertainPose) -> UncertainPose:
    """Return `first` followed by `second`, whose errors are independent."""
    rotation = first.matrix[:3, :3]
    from_first = np.eye(6)
    from_first[:3, 3:] = -cross_matrix(rotation @ second.matrix[:3, 3])
    from_second = block_diagonal(rotation)
    covariance = (
        from_first @ first.covariance @ from_first.T + from_second @ second.covariance @ from_second.T
    )
    return UncertainPose(first.matrix @ second.matrix, covariance)


def inverse(pose: UncertainPose) -> UncertainPose:
    """Return the pose of the first frame in the second."""
    turned = pose.matrix[:3, :3].T
    jacobian = -block_diagonal(turned)
    jacobian[:3, 3:] = -turned @ cross_matrix(pose.matrix[:3, 3])
    return UncertainPose(invert(pose.matrix), jacobian @ pose.covariance @ jacobian.T)
