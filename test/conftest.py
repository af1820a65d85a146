# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several test modules use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Two torch threads on two loaded cores run many times slower than one; must be set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The message classes check their fields only when asked to.
os.environ.setdefault("ROS_PYTHON_CHECK_FIELDS", "1")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference numbers and recorded sequences that are not part of the repository."""
    folder = Path(os.environ.get("DRCN_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set DRCN_SHARED to the folder that holds it")
    return folder
