# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of ROS 1 and ROS 2, whole or cut off: read as sequences, and written.

Each format is a `Bag` (`bag`) that `sequences.recognise` opens; what follows from it is in `sequence`.
"""
