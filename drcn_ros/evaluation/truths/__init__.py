# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth as people have it: layouts of tables, units of time, what it covers, whether it fits."""
