# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads an operator of torch or OpenCV may use."""

from __future__ import annotations

import sys

import cv2


def use_threads(count: int) -> None:
    """Set the number of threads of each operator in this process; 0 leaves it as it is."""
    if count == 0:
        return
    cv2.setNumThreads(count)
    # Classical matchers may run where torch was never loaded.
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
