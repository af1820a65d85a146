# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that did not come through the odometry: what failed, in words, and what is told of them."""

from __future__ import annotations

import traceback

import cv2
import numpy as np
import torch

from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.odometry import Latency, Reason, Result, State, Tracks

# Reasons of such frames.
GIVEN_UP = (Reason.BAD_IMAGE, Reason.OUT_OF_MEMORY, Reason.INTERNAL_ERROR)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an error of numpy, OpenCV or torch means that memory ran out, on the host or the device."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    text = str(error).lower()
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem or "insufficient memory" in text
    return isinstance(error, RuntimeError) and ("allocate memory" in text or "out of memory" in text)


def in_one_line(error: Exception) -> str:
    """Return an error and where it happened, in one line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({last.filename}:{last.lineno}); please report it"


def failed_result(stamp_ns: int, reason: Reason, detail: str, pose: Array, segment: int) -> Result:
    """Return the result of a frame in which nothing could be found; the path stays where it was.

    Args:
        stamp_ns: of the frame.
        reason, detail: of the failure.
        pose, segment: of the last frame, the pose (4, 4).
    """
    floats, ids = np.zeros(0, np.float32), np.zeros(0, np.uint32)
    return Result(
        stamp_ns=stamp_ns,
        state=State.LOST,
        reason=reason,
        detail=detail,
        keypoints=Keypoints(np.zeros((0, 2), np.float32), floats, floats),
        tracks=Tracks(ids, ids),
        reference_stamp_ns=None,
        matches=Matches.empty(),
        inliers=np.zeros(0, bool),
        relative_pose=None,
        pose=pose,
        metric=False,
        segment=segment,
        parallax_px=None,
        latency=Latency(),
    )
