# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench accuracy`: matchers on pairs of images with known geometry."""
