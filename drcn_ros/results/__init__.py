# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a command leaves behind: files and folders that appear whole or not at all."""
