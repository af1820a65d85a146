# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sensor messages, of a topic or of a bag, from and to arrays and cameras; needs no ROS installation."""
