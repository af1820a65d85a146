# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Learned monocular visual-odometry front end for ROS 2."""

from drcn_ros import moved

__version__ = "0.2.0"

moved.tell()
