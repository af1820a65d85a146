# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bags, data sets, metrics, reports and benchmarks, without a ROS graph."""
