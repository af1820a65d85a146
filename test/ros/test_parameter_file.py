# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from drcn_ros import configuration
from drcn_ros.foreign.parameter_file import read_parameter_file
from drcn_ros.ros.parameter_file import NODES, main, parameter_file

CONFIG = Path(__file__).resolve().parents[2] / "config"
SHIPPED = {"vo_node": "vo.yaml", "map_node": "map.yaml"}


@pytest.mark.parametrize("node", NODES)
def test_the_shipped_file_is_the_one_that_the_declarations_make(node: str) -> None:
    name = SHIPPED[node]
    assert (CONFIG / name).read_text() == parameter_file(node), (
        f"run: python -m drcn_ros.ros.parameter_file --node {node} config/{name}"
    )


@pytest.mark.parametrize("node", NODES)
def test_the_file_holds_every_parameter_with_its_default(node: str, tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    assert main(["--node", node, str(file)]) == 0
    kind, _ = NODES[node]
    leaves = read_parameter_file(file, node).values
    assert leaves == configuration.flatten(kind())
    assert configuration.build(kind, leaves) == kind()


@pytest.mark.parametrize("node", NODES)
def test_each_parameter_has_its_description_above_it(node: str) -> None:
    lines = parameter_file(node).splitlines()
    for entry in configuration.parameters(NODES[node][0]):
        leaf = entry.name.split(".")[-1]
        rows = [n for n, line in enumerate(lines) if line.strip().startswith(f"{leaf}:")]
        assert any(lines[row - 1].lstrip().startswith("#") for row in rows), entry.name
