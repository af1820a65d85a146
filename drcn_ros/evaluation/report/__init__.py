# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a run: its page, its plots and its pictures of matches."""
