# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a machine with a GPU is asked for: parts in processes of their own, the most important ones first."""
