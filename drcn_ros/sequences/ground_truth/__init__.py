# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth of a recording: how it is meant, what it covers, whether it fits."""
