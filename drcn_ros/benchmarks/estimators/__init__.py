# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`drcn bench estimators`: estimators of the relative pose on the same matches."""
