# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Programs around the node: a player, a live session, its recorder, the soak run."""
