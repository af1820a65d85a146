# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Learned monocular visual-odometry front end for ROS 2."""

__version__ = "0.1.0"
