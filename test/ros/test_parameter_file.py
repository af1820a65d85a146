# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from drcn_ros import configuration
from drcn_ros.foreign.parameter_file import read_parameter_file
from drcn_ros.ros.config import NODE_NAME, NodeConfig
from drcn_ros.ros.parameter_file import main, parameter_file

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "vo.yaml"


def test_the_shipped_file_is_the_one_that_the_declarations_make() -> None:
    assert SHIPPED.read_text() == parameter_file(), (
        "run: python -m drcn_ros.ros.parameter_file config/vo.yaml"
    )


def test_the_file_holds_every_parameter_with_its_default(tmp_path: Path) -> None:
    file = tmp_path / "vo.yaml"
    assert main([str(file)]) == 0
    leaves = read_parameter_file(file, NODE_NAME).values
    assert leaves == configuration.flatten(NodeConfig())
    assert configuration.build(NodeConfig, leaves) == NodeConfig()


def test_each_parameter_has_its_description_above_it() -> None:
    lines = parameter_file().splitlines()
    for entry in configuration.parameters(NodeConfig):
        leaf = entry.name.split(".")[-1]
        rows = [n for n, line in enumerate(lines) if line.strip().startswith(f"{leaf}:")]
        assert any(lines[row - 1].lstrip().startswith("#") for row in rows), entry.name
