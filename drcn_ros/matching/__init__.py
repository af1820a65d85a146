# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One interface over all matchers: extract features of an image, match two of them."""
