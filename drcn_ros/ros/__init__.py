# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2. What lies here itself needs no ROS installation: configuration, parameter file, shared files."""
