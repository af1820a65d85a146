# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Results of two-view geometry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RelativePose:
    """T_ref_cur, the pose of the current camera in the reference camera, from an essential matrix.

    Attributes:
        rotation: (3, 3), maps directions of the current camera into the reference camera.
        translation: (3,) of norm 1: the direction of the current camera's centre; its length is unknown.
        covariance: (6, 6) in the order of ROS: translation x y z, then rotation about the fixed axes
            x y z of the reference camera, radians squared.
    """

    rotation: Array
    translation: Array
    covariance: Array

    def matrix(self) -> Array:
        """Return the (4, 4) homogeneous matrix."""
        result = np.eye(4)
        result[:3, :3] = self.rotation
        result[:3, 3] = self.translation
        return result
