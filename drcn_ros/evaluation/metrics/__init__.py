# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a run is judged by: errors of poses and paths, drift, and the rim of the image."""
