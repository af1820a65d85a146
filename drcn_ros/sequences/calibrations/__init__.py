# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files of many programs, read by one reader."""

from drcn_ros.sequences.calibrations.assumed import GUESSED_DEG, assumed_calibration
from drcn_ros.sequences.calibrations.entries import Images
from drcn_ros.sequences.calibrations.read import read_calibration
from drcn_ros.sequences.calibrations.short_form import calibration_text

__all__ = ["GUESSED_DEG", "Images", "assumed_calibration", "calibration_text", "read_calibration"]
