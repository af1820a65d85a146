# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The node: life cycle, inputs, processing, outputs, diagnostics."""
