# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn doctor`: what is installed, what is wrong with it, and whether it computes what others get."""
