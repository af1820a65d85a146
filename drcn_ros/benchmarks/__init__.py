# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the parts of this package achieve and cost: one module or sub-package each.

The command of each is a module `bench_NAME` of `drcn_ros.cli`, and `cli.bench` names them all. `map_load` is
what `drcn bench map` runs; `slam` judges a map for the command `drcn slam`.
"""
