# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""GTSAM, the library of the pose graph, which is optional."""

from __future__ import annotations

from typing import Any

from drcn_ros.errors import MissingDependencyError


def load_gtsam() -> Any:
    """Return the module.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import gtsam
    except ImportError as error:
        msg = f"the map needs GTSAM, which cannot be imported ({error}); type: pip install gtsam==4.3.0 "
        msg += "(wheels for Python 3.11 to 3.14)"
        raise MissingDependencyError(msg) from None
    return gtsam
