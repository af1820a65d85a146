# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a frame, and the reasons for it.

What leads to them: `outcome` for frames that were matched, `visual_odometry` for others, and the node for
messages that are no frame. What helps a user: the table in docs/integration.md.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What is known of the camera's motion at a frame."""

    WAITING_FOR_CALIBRATION = "WAITING_FOR_CALIBRATION"
    INITIALIZING = "INITIALIZING"
    TRACKING = "TRACKING"
    ROTATION_ONLY = "ROTATION_ONLY"
    STATIONARY = "STATIONARY"
    LOST = "LOST"


class Reason(Enum):
    """Why a frame has its state; the value is a sentence for people."""

    OK = "the essential matrix is well supported"
    NO_CALIBRATION = "no camera calibration has arrived, so there is no pose"
    CALIBRATION_MISMATCH = "the calibration is for another image size, so there is no pose"
    FIRST_FRAME = "this is the first frame, so there is nothing to match with"
    BAD_IMAGE = "the image has an unusable shape or type"
    FEW_KEYPOINTS = "the image has too few keypoints (texture, blur or exposure)"
    FEW_MATCHES = "too few keypoints match the reference frame"
    LOW_PARALLAX = "the camera turned, and no parallax beyond the noise tells a translation"
    NO_MOTION = "the image has not moved beyond the noise of the matches"
    PLANAR_AMBIGUITY = "all points lie on one plane, and two motions explain them equally"
    FEW_INLIERS = "too few matches agree on one motion"
    DEGENERATE = "the matches do not determine a motion"
    MAP_DISAGREES = "the landmarks of the local map do not agree with the motion of the matches"
    BLUR_OR_EXPOSURE = "too little of the image can be matched, and it is blurred or badly exposed"
    STALE_REFERENCE = "the last keyframes were not found again in time, so tracking started anew"
    LATE_FRAME = "the frame came after a later one, so it was left out"
    CLOCK_JUMP = "the stamps went back or jumped, so tracking started anew"
    OUT_OF_MEMORY = "the device ran out of memory, so the frame was given up"
    INTERNAL_ERROR = "the frame met an error of the program and was given up"
