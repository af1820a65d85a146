# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench networks`: what the networks cost beside plain routes with the same result."""
