# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Folders of data sets, of plain pictures, and videos: read as sequences, and written."""
