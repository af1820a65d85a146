# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes `config/map.yaml`: `python -m drcn_ros.ros.mapping.parameter_file config/map.yaml`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from drcn_ros.ros.mapping.config import MAP_NODE_NAME, MapNodeConfig
from drcn_ros.ros.parameter_file import file_of, write


def parameter_file() -> str:
    """Return the text of the parameter file of `map_node` with all defaults."""
    return file_of(MapNodeConfig, MAP_NODE_NAME, "drcn_ros.ros.mapping.parameter_file")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file of `map_node`."""
    return write(parameter_file(), MAP_NODE_NAME, arguments)


if __name__ == "__main__":
    sys.exit(main())
