# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m drcn_ros` is the command line `drcn`."""

import sys

from drcn_ros.cli.main import main

sys.exit(main())
