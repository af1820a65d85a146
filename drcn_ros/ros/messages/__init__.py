# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Results as ROS messages, and poses as messages carry them; `ros.node.outputs` publishes them."""
