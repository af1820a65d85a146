# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Visual odometry over a stream of frames: reference frame, tracks, states with reasons."""
