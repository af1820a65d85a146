# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench geometry`: the geometry of two views over synthetic motions."""
