# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 node: messages, parameters, diagnostics."""
