# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which model of two views the matches support: no motion, a rotation, a plane, or a general motion."""

from __future__ import annotations

import math
from enum import Enum

import numpy as np

from drcn_ros.geometry.types import Array

# Per match, by how much GRIC must prefer a translation over a rotation, and a rotation over none. Errors that
# neighbouring matches share let the richer model win by less than this without any motion behind it.
MARGIN = 0.2
# Dimension of a match: two points of two coordinates each.
_DATA_DIMENSION = 4
_OUTLIER_LIMIT = 2.0


class Model(Enum):
    """Models of two views; the value is (dimension of the manifold, parameters)."""

    IDENTITY = (2, 0)
    ROTATION = (2, 3)
    PLANE = (2, 8)
    GENERAL = (3, 5)


def gric(squared: Array, noise_px: float, model: Model) -> float:
    """Return the geometric robust information criterion of a model; the least one is the best model.

    Torr, Geometric motion segmentation and model selection, Phil. Trans. R. Soc. A 356 (1998): the sum of
    min(e^2 / s^2, 2 (r - d)), plus n d ln r, plus k ln(r n), for n matches of dimension r = 4 on a manifold
    of dimension d with k parameters.

    Args:
        squared: (N,) squared residuals of the model, pixels^2, in units of the noise of one point.
        noise_px: standard deviation s of one coordinate.
        model: which one.
    """
    dimension, parameters = model.value
    count = max(len(squared), 1)
    limit = _OUTLIER_LIMIT * (_DATA_DIMENSION - dimension)
    cost = float(np.minimum(squared / noise_px**2, limit).sum())
    return (
        cost + count * dimension * math.log(_DATA_DIMENSION) + parameters * math.log(_DATA_DIMENSION * count)
    )
