# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Neural networks: backbones, D2-Net, 4D correlation, neighbourhood consensus, DRCN, weight files.

Which of them a weight file can be for, `architectures` says.
"""
