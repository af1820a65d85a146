# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ray-cast textured scenes seen by a moving camera, with exact ground truth."""
