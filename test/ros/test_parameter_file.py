# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drcn_ros import configuration
from drcn_ros.foreign.parameter_file import read_parameter_file
from drcn_ros.ros import parameter_file as of_the_odometry
from drcn_ros.ros.config import NODE_NAME, NodeConfig
from drcn_ros.ros.mapping import parameter_file as of_the_map
from drcn_ros.ros.mapping.config import MAP_NODE_NAME, MapNodeConfig

CONFIG = Path(__file__).resolve().parents[2] / "config"
NODES = [
    pytest.param(of_the_odometry, NODE_NAME, NodeConfig, "vo.yaml", id="vo_node"),
    pytest.param(of_the_map, MAP_NODE_NAME, MapNodeConfig, "map.yaml", id="map_node"),
]
each_node = pytest.mark.parametrize(("module", "node", "kind", "shipped"), NODES)


@each_node
def test_the_shipped_file_is_the_one_that_the_declarations_make(
    module: Any, node: str, kind: Any, shipped: str
) -> None:
    assert (CONFIG / shipped).read_text() == module.parameter_file(), (
        f"run: python -m {module.__name__} config/{shipped}"
    )


@each_node
def test_the_file_holds_every_parameter_with_its_default(
    module: Any, node: str, kind: Any, shipped: str, tmp_path: Path
) -> None:
    file = tmp_path / shipped
    assert module.main([str(file)]) == 0
    leaves = read_parameter_file(file, node).values
    assert leaves == configuration.flatten(kind())
    assert configuration.build(kind, leaves) == kind()


@each_node
def test_each_parameter_has_its_description_above_it(module: Any, node: str, kind: Any, shipped: str) -> None:
    lines = module.parameter_file().splitlines()
    for entry in configuration.parameters(kind):
        leaf = entry.name.split(".")[-1]
        rows = [n for n, line in enumerate(lines) if line.strip().startswith(f"{leaf}:")]
        assert any(lines[row - 1].lstrip().startswith("#") for row in rows), entry.name
