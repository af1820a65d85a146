# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What others wrote: its size is looked at before it is unpacked, and what a library raises is told."""
