# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A run of the odometry over a sequence, its metrics and its report."""
